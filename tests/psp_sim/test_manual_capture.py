"""Money that is held first: captured, canceled, or let go in time."""

import asyncio

import pytest

from tests.psp_sim.payment_calls import act, ask, authorized, read, refund, told
from tests.psp_sim.stand import in_world
from tests.psp_sim.test_refusals import check_problem


@pytest.mark.parametrize(("currency", "amount"), [("JPY", 1), ("EUR", 1099), ("KWD", 1099001)])
@in_world()
async def test_held_money_is_captured_whole_unless_said_otherwise(stand, currency, amount):
    payment = await authorized(stand, amount=amount, currency=currency)
    assert (payment["amount_capturable"], payment["amount_captured"]) == (amount, 0)
    assert payment["expires_at"].startswith("2026-01-08T")
    after = await act(stand, payment, "capture")
    assert (after["status"], after["amount_captured"]) == ("succeeded", amount)
    assert (after["amount_capturable"], after["expires_at"]) == (0, None)
    assert await told(stand, payment) == ["processing", "authorized", "succeeded"]


@in_world()
async def test_a_partial_capture_lets_the_rest_go_and_is_the_last(stand):
    payment = await authorized(stand)
    after = await act(stand, payment, "capture", {"amount": 99})
    assert (after["amount_captured"], after["amount_capturable"]) == (99, 0)
    check_problem(await ask(stand, payment, "capture"), 409, "invalid_state", "authorized")
    check_problem(await refund(stand, payment, amount=100), 400, "invalid_amount", "at most 99")


@pytest.mark.parametrize("amount", [0, -1, 1100, 10.5, "99", True])
@in_world()
async def test_no_more_can_be_captured_than_is_held(stand, amount):
    payment = await authorized(stand)
    answer = await ask(stand, payment, "capture", {"amount": amount})
    check_problem(answer, 400, "invalid_amount")
    assert await read(stand, payment) == payment


@in_world(authorization_expires_after="1h")
async def test_money_that_nobody_captures_is_let_go(stand):
    payment = await authorized(stand)
    await asyncio.sleep(3590)
    assert (await read(stand, payment))["status"] == "authorized"
    await asyncio.sleep(20)
    after = await read(stand, payment)
    assert (after["status"], after["amount_capturable"], after["expires_at"]) == (
        "expired",
        0,
        None,
    )
    check_problem(await ask(stand, payment, "capture"), 409, "invalid_state", "is expired")


@in_world()
async def test_captured_money_does_not_expire(stand):
    payment = await authorized(stand)
    await act(stand, payment, "capture")
    await asyncio.sleep(8 * 86400)
    assert (await read(stand, payment))["status"] == "succeeded"


@in_world()
async def test_a_held_payment_is_canceled_and_stays_so(stand):
    payment = await authorized(stand)
    assert (await act(stand, payment, "cancel"))["status"] == "canceled"
    check_problem(await ask(stand, payment, "cancel"), 409, "invalid_state")
    await asyncio.sleep(8 * 86400)
    assert await told(stand, payment) == ["processing", "authorized", "canceled"]


@in_world()
async def test_money_on_its_way_is_neither_canceled_nor_captured(stand):
    payment = await stand.pay()
    for action in ("cancel", "capture"):
        check_problem(await ask(stand, payment, action), 409, "invalid_state", "is processing")
