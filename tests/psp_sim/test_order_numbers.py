"""Which order a reference is: counted from 1, whether or not its request was carried out."""

import pytest

from psp_sim import store
from psp_sim.domain.money import Money
from psp_sim.domain.payment import Course, Payment, Status
from psp_sim.order_numbers import OrderNumbers
from sqlport import open_database


@pytest.fixture
async def database():
    database = await open_database("sqlite:///:memory:")
    await database.apply_schema(store.SCHEMA)
    yield database
    await database.close()


async def number_of(database, numbers, reference, *, is_stored=False):
    async with database.transaction() as transaction:
        number = await numbers.number_of(transaction, reference)
        if is_stored:
            await store.insert_payment(transaction, payment(reference, number))
            numbers.stored(reference)
        return number


def payment(reference, number):
    return Payment(
        id=f"pay_{number}",
        reference=reference,
        order_number=number,
        money=Money(1, "EUR"),
        payment_method="card",
        metadata={},
        status=Status.PROCESSING,
        sequence=1,
        created_at=0.0,
        course=Course(),
    )


async def test_references_are_numbered_in_the_order_in_which_they_are_seen(database):
    numbers = OrderNumbers()
    seen = [await number_of(database, numbers, reference) for reference in "abacb"]
    assert seen == [1, 2, 1, 3, 2]


async def test_a_reference_keeps_its_number_when_it_is_stored_at_last(database):
    numbers = OrderNumbers()
    assert await number_of(database, numbers, "lost") == 1
    assert await number_of(database, numbers, "b", is_stored=True) == 2
    assert await number_of(database, numbers, "lost", is_stored=True) == 1
    assert await number_of(database, numbers, "lost") == 1
    assert await number_of(database, numbers, "c") == 3


async def test_numbers_go_on_after_a_restart(database):
    for reference in "ab":
        await number_of(database, OrderNumbers(), reference, is_stored=True)
    restarted = OrderNumbers()
    assert await number_of(database, restarted, "c") == 3
    assert await number_of(database, restarted, "a") == 1


async def test_only_what_is_not_stored_is_remembered(database):
    numbers = OrderNumbers()
    for position in range(50):
        await number_of(database, numbers, f"order-{position}", is_stored=True)
    await number_of(database, numbers, "lost")
    assert len(numbers) == 1
