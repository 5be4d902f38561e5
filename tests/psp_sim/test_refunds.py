"""Money that goes back: how much, at most once, and what becomes of it."""

import asyncio

from scenarios.world.latency import LatencyProfile
from tests.psp_sim.payment_calls import authorized, paid, read, refund, told
from tests.psp_sim.stand import in_world
from tests.psp_sim.test_refusals import check_problem

SLOW_DISK = LatencyProfile(low_s=0.05, high_s=0.05)


@in_world()
async def test_a_refund_is_pending_and_then_succeeds(stand):
    payment = await paid(stand)
    answer = await refund(stand, payment, amount=100, reason="too big", metadata={"a": "b"})
    made = answer.json
    assert answer.status == 201
    assert made.pop("id").startswith("re_")
    assert made.pop("created").startswith("2026-01-01T")
    assert made == {
        "object": "refund",
        "payment": payment["id"],
        "reference": "order-1",
        "amount": 100,
        "currency": "EUR",
        "status": "pending",
        "reason": "too big",
        "failure": None,
        "metadata": {"a": "b"},
    }
    pending = await read(stand, payment)
    assert (pending["amount_refunded"], pending["refunds"][0]["status"]) == (0, "pending")
    await asyncio.sleep(3)
    [shown] = await stand.get_all("/v1/refunds")
    assert (shown["status"], (await read(stand, payment))["amount_refunded"]) == ("succeeded", 100)
    assert await stand.get(f"/v1/refunds/{shown['id']}") == shown
    expected = ["processing", "succeeded", "refund.pending", "refund.succeeded"]
    assert await told(stand, payment) == expected


@in_world()
async def test_refunds_never_come_to_more_than_was_captured(stand):
    payment = await paid(stand)
    for amount in (1000, 90):
        assert (await refund(stand, payment, amount=amount)).status == 201
    check_problem(await refund(stand, payment, amount=10), 400, "invalid_amount", "at most 9")
    assert (await refund(stand, payment)).json["amount"] == 9
    check_problem(await refund(stand, payment), 409, "invalid_state", "nothing")
    await asyncio.sleep(3)
    check_problem(await refund(stand, payment, amount=1), 400, "invalid_amount", "at most 0")
    assert (await read(stand, payment))["amount_refunded"] == 1099


@in_world()
async def test_refunds_at_once_are_counted_one_after_the_other(stand):
    payment = await paid(stand)
    answers = await asyncio.gather(*(refund(stand, payment, amount=400) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [201, 201, 400, 400, 400]


@in_world()
async def test_only_money_that_was_taken_goes_back(stand):
    held = await authorized(stand, reference="b")
    for payment in (held, await stand.pay()):
        check_problem(await refund(stand, payment), 409, "invalid_state", "only one that succeeded")
    unknown = await refund(stand, {"id": "pay_none"})
    check_problem(unknown, 404, "not_found")


@in_world()
async def test_a_refund_that_fails_later_gives_the_money_back(stand):
    payment = await paid(stand, payment_method="card_refund_fails")
    await refund(stand, payment)
    await asyncio.sleep(3)
    assert (await read(stand, payment))["amount_refunded"] == 1099
    await asyncio.sleep(61)
    [failed] = await stand.get_all(f"/v1/refunds?payment={payment['id']}")
    assert (failed["status"], failed["failure"]["code"]) == ("failed", "refund_returned")
    assert (await read(stand, payment))["amount_refunded"] == 0
    assert (await told(stand, payment))[2:] == [
        "refund.pending",
        "refund.succeeded",
        "refund.failed",
    ]
    assert (await refund(stand, payment)).status == 201


@in_world()
async def test_a_fault_on_refunds_acts_on_refunds_alone(stand):
    await stand.install("refund_fails", by="10s", times=1)
    payment = await paid(stand)
    assert await stand.fired() == {}
    check_problem(await refund(stand, payment, amount=5000), 400, "invalid_amount")
    assert await stand.fired() == {}
    for _ in range(2):
        await refund(stand, payment, amount=10)
    await asyncio.sleep(20)
    found = await stand.get_all("/v1/refunds")
    assert [each["status"] for each in found] == ["failed", "succeeded"]
    assert await stand.fired() == {"refund_fails": 1}


@in_world()
async def test_refunds_are_paged_and_found_by_payment(stand):
    first, second = await paid(stand, reference="a"), await paid(stand, reference="b")
    made = [(await refund(stand, p, amount=1)).json["id"] for p in (first, second, first)]
    assert [each["id"] for each in await stand.get_all("/v1/refunds", limit=1)] == made
    found = await stand.get_all(f"/v1/refunds?payment={first['id']}", limit=1)
    assert [each["id"] for each in found] == [made[0], made[2]]
    check_problem(await stand.call("GET", "/v1/refunds/re_none"), 404, "not_found")


@in_world()
async def test_a_refund_of_a_scripted_payment_fails_as_it_asks(stand):
    payment = await paid(stand, metadata={"sim": "refund_fails(by=5s)|ok"})
    await refund(stand, payment)
    await asyncio.sleep(10)
    assert (await told(stand, payment))[-1] == "refund.failed"


@in_world(disk=SLOW_DISK)
async def test_a_refund_whose_key_is_at_work_is_made_once(stand):
    payment = await paid(stand)
    answers = await asyncio.gather(*(refund(stand, payment, "k", amount=1) for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [201, 409, 409]
    assert len(await stand.get_all("/v1/refunds")) == 1
