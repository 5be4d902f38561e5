"""A payment's whole life over HTTP, in virtual time: states, webhooks, disputes."""

import asyncio

import pytest

from tests.psp_sim.payment_calls import act, ask, authorized, paid, read, refund, told
from tests.psp_sim.stand import in_world, payment_body
from tests.psp_sim.test_refusals import check_problem


@pytest.mark.parametrize(
    ("result", "states"),
    [
        ("approved", ["requires_action", "processing", "succeeded"]),
        ("refused", ["requires_action", "failed"]),
    ],
)
@in_world()
async def test_who_pays_is_asked_first(stand, result, states):
    payment = await stand.pay(payment_method="card_authenticate")
    assert payment["status"] == "requires_action"
    url = f"http://psp:8080/authenticate/{payment['id']}"
    assert payment["next_action"] == {"type": "redirect", "url": url}
    await asyncio.sleep(60)
    after = await act(stand, payment, "authenticate", {"result": result})
    assert after["next_action"] is None
    await asyncio.sleep(60)
    assert await told(stand, payment) == states
    code = (await read(stand, payment))["failure"]
    assert code is None if result == "approved" else code["code"] == "authentication_failed"


@in_world()
async def test_an_answer_for_who_pays_is_approved_or_refused(stand):
    payment = await stand.pay(payment_method="card_authenticate")
    answer = await ask(stand, payment, "authenticate", {"result": "maybe"})
    check_problem(answer, 400, "invalid_request", "result")


@pytest.mark.parametrize(("outcome", "left"), [("won", 1099), ("lost", 0)])
@in_world()
async def test_a_dispute_takes_the_money_and_the_bank_decides(stand, outcome, left):
    await stand.install("dispute", by="1h", decided_after="1d", outcome=outcome)
    payment = await paid(stand)
    await asyncio.sleep(3700)
    opened = await read(stand, payment)
    assert [(d["amount"], d["status"]) for d in opened["disputes"]] == [(1099, "opened")]
    check_problem(await refund(stand, payment, amount=1), 400, "invalid_amount", "at most 0")
    await asyncio.sleep(86400)
    [dispute] = (await read(stand, payment))["disputes"]
    assert (dispute["status"], dispute["reason"]) == (outcome, "fraudulent")
    assert (await told(stand, payment))[2:] == ["dispute.opened", f"dispute.{outcome}"]
    assert (await refund(stand, payment, amount=1)).status == (201 if left else 400)


@in_world()
async def test_a_debit_that_is_returned_fails_after_it_succeeded(stand):
    payment = await stand.pay(payment_method="bank_debit_fails_late")
    await asyncio.sleep(59)
    assert (await read(stand, payment))["status"] == "processing"
    await asyncio.sleep(2)
    assert (await read(stand, payment))["status"] == "succeeded"
    await asyncio.sleep(60)
    after = await read(stand, payment)
    assert (after["status"], after["failure"]["code"]) == ("failed", "debit_returned")
    assert after["amount_captured"] == 0
    assert await told(stand, payment) == ["processing", "succeeded", "failed"]


@pytest.mark.parametrize(
    ("script", "states"),
    [
        ("never_settle", ["processing"]),
        ("require_action", ["requires_action"]),
        ("settle_after(by=1h)", ["processing", "succeeded"]),
        ("fail_late(by=1h)", ["processing", "succeeded", "failed"]),
        ("decline(code=expired_card)", ["processing", "failed"]),
        (
            "dispute(by=1h,decided_after=1d,outcome=won)",
            ["processing", "succeeded", "dispute.opened", "dispute.won"],
        ),
    ],
)
@in_world()
async def test_a_payment_asks_for_its_own_fate(stand, script, states):
    payment = await stand.pay(metadata={"sim": script})
    await asyncio.sleep(3 * 86400)
    assert await told(stand, payment) == states
    assert await stand.fired() == {script.partition("(")[0]: 1}


@in_world(time_scale=60, settle_after="1m", refund_after="1m", authorization_expires_after="1h")
async def test_a_time_scale_makes_a_whole_life_faster(stand):
    held = await stand.pay("held", capture_method="manual")
    payment = await stand.pay(metadata={"sim": "dispute(by=1h,decided_after=1h)"})
    await asyncio.sleep(1.1)
    made = (await refund(stand, payment, amount=1)).json
    await asyncio.sleep(1.1)
    assert (await stand.get(f"/v1/refunds/{made['id']}"))["status"] == "succeeded"
    await asyncio.sleep(125)
    assert (await told(stand, payment))[-1] == "dispute.lost"
    assert (await read(stand, held))["status"] == "expired"


@in_world()
async def test_calls_that_move_money_need_a_key_and_act_once(stand):
    held = await authorized(stand)
    asking = await stand.pay("b", payment_method="card_authenticate")
    calls = [
        (f"/v1/payments/{asking['id']}/authenticate", {"result": "approved"}),
        (f"/v1/payments/{held['id']}/capture", {"amount": 100}),
        ("/v1/refunds", {"payment": held["id"], "amount": 10}),
    ]
    for number, (path, body) in enumerate(calls):
        check_problem(await stand.call("POST", path, body), 400, "idempotency_key_missing")
        headers = {"idempotency-key": f"once-{number}"}
        first = await stand.call("POST", path, body, headers=headers)
        again = await stand.call("POST", path, body, headers=headers)
        assert (first.status, first.text) == (again.status, again.text)
        assert first.status in (200, 201)
        assert again.headers["idempotent-replayed"] == "true"
        other = await stand.call("POST", "/v1/payments", payment_body("c"), headers=headers)
        check_problem(other, 422, "idempotency_key_reused")
    assert len(await stand.get_all("/v1/refunds")) == 1


@in_world()
async def test_what_is_due_outlives_a_restart(stand):
    payment = await paid(stand, payment_method="card_dispute")
    await refund(stand, payment, amount=99)
    await stand.world.restart("psp")
    await asyncio.sleep(200)
    assert (await told(stand, payment))[2:] == [
        "refund.pending",
        "refund.succeeded",
        "dispute.opened",
        "dispute.lost",
    ]


@in_world()
async def test_webhooks_carry_the_whole_payment(stand):
    await stand.add_endpoint()
    payment = await paid(stand)
    await refund(stand, payment, amount=99)
    await asyncio.sleep(3)
    assert stand.sink.types == ["processing", "succeeded", "refund.pending", "refund.succeeded"]
    last = stand.sink.calls[-1].event
    assert last["data"] == await read(stand, payment)
    assert [each["amount"] for each in last["data"]["refunds"]] == [99]


@in_world()
async def test_an_event_held_for_one_that_never_comes_is_let_go(stand):
    await stand.add_endpoint()
    await stand.install("reorder", event="payment.succeeded", after="payment.failed")
    await paid(stand)
    await asyncio.sleep(1)
    assert stand.sink.types == ["processing", "succeeded"]


@in_world(settle_after="10s")
async def test_all_that_settles_at_one_moment_is_told_once_each_and_in_order(stand):
    await stand.add_endpoint(events=["payment.succeeded"])
    await stand.add_endpoint("second", events=["payment.*"])
    starts_at = stand.now()
    references = [f"order-{number}" for number in range(75)]
    await asyncio.gather(*(stand.pay(each) for each in references))
    await asyncio.sleep(starts_at + 60 - stand.now())
    log = await stand.get_all("/v1/events?type=payment.succeeded")
    assert sorted(event["data"]["reference"] for event in log) == sorted(references)
    paid = await stand.get_all("/v1/payments")
    assert [event["data"]["id"] for event in log] == [payment["id"] for payment in paid]
    for name in ("sink", "second"):
        calls = stand.sinks[name].of_type("payment.succeeded")
        assert sorted(call.reference for call in calls) == sorted(references)
