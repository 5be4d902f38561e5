"""Lists: pages lose nothing and repeat nothing, and filters mean what they say."""

import asyncio

import pytest

from tests.psp_sim.stand import in_world


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
@in_world()
async def test_paging_loses_and_repeats_nothing(stand, limit):
    made = [await stand.pay(f"order-{number}") for number in range(7)]
    paged = await stand.get_all("/v1/payments", limit)
    assert [payment["id"] for payment in paged] == [payment["id"] for payment in made]


@in_world()
async def test_what_is_made_while_paging_comes_on_a_later_page(stand):
    made = [await stand.pay(f"order-{number}") for number in range(3)]
    first = await stand.get("/v1/payments?limit=2")
    made += [await stand.pay("late")]
    second = await stand.get(f"/v1/payments?limit=2&after={first['next']}")
    assert first["data"] + second["data"] == made
    assert second["next"] is None


@in_world()
async def test_a_list_shows_twenty_unless_asked_otherwise(stand):
    for number in range(21):
        await stand.pay(f"order-{number}")
    page = await stand.get("/v1/payments")
    assert len(page["data"]) == 20
    assert page["next"] is not None


@in_world()
async def test_an_empty_list_has_no_next_page(stand):
    for path in ("/v1/payments", "/v1/events", "/v1/webhook_endpoints"):
        assert await stand.get(path) == {"data": [], "next": None}


@in_world()
async def test_payments_are_found_by_reference(stand):
    await stand.pay("a")
    wanted = [await stand.pay("b"), await stand.pay("b", amount=1)]
    await stand.pay("c")
    assert await stand.get_all("/v1/payments?reference=b", limit=1) == wanted
    assert await stand.get_all("/v1/payments?reference=none") == []


@in_world()
async def test_events_are_listed_in_the_order_in_which_they_happened(stand):
    first = await stand.pay("a")
    await asyncio.sleep(1)
    second = await stand.pay("b", payment_method="card_declined")
    await asyncio.sleep(5)
    events = await stand.get_all("/v1/events", limit=1)
    assert [(event["data"]["id"], event["type"]) for event in events] == [
        (first["id"], "payment.processing"),
        (second["id"], "payment.processing"),
        (first["id"], "payment.succeeded"),
        (second["id"], "payment.failed"),
    ]
    assert events == await stand.get_all("/v1/events")


@in_world()
async def test_events_are_found_by_payment_and_by_type(stand):
    first = await stand.pay("a")
    second = await stand.pay("b", payment_method="card_declined")
    await asyncio.sleep(5)

    async def found(query):
        events = await stand.get_all(f"/v1/events?{query}", limit=1)
        return [(event["data"]["reference"], event["type"]) for event in events]

    by_payment = [("a", "payment.processing"), ("a", "payment.succeeded")]
    assert await found(f"payment={first['id']}") == by_payment
    assert await found("type=payment.failed") == [("b", "payment.failed")]
    both = f"payment={second['id']}&type=payment.processing"
    assert await found(both) == [("b", "payment.processing")]
    assert await found("type=dispute.opened") == []


@in_world()
async def test_an_event_reads_as_it_was_sent(stand):
    await stand.add_endpoint()
    await stand.pay()
    await asyncio.sleep(5)
    for call in stand.sink.calls:
        answer = await stand.call("GET", f"/v1/events/{call.id}")
        assert answer.text == call.body.decode()


@in_world()
async def test_deliveries_are_paged_too(stand):
    endpoint = await stand.add_endpoint()
    for number in range(5):
        await stand.pay(f"order-{number}")
    await asyncio.sleep(5)
    path = f"/v1/webhook_endpoints/{endpoint['id']}/deliveries"
    one_by_one = await stand.get_all(path, limit=1)
    assert len({delivery["id"] for delivery in one_by_one}) == 10
    assert one_by_one == await stand.get_all(path)
