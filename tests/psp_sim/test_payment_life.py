"""A payment's whole life over HTTP, in virtual time: states, webhooks, refunds, disputes."""

import asyncio

import pytest

from scenarios.world.latency import LatencyProfile
from tests.psp_sim.stand import in_world, payment_body
from tests.psp_sim.test_refusals import check_problem

SLOW_DISK = LatencyProfile(low_s=0.05, high_s=0.05)


async def act(stand, payment, action, body=None, key=None):
    """Make a call on a payment that has to be accepted; return the payment after it."""
    answer = await ask(stand, payment, action, body, key)
    assert answer.status == 200, answer.text
    return answer.json


async def ask(stand, payment, action, body=None, key=None):
    headers = {"idempotency-key": key or stand.new_key()}
    path = f"/v1/payments/{payment['id']}/{action}"
    return await stand.call("POST", path, {} if body is None else body, headers=headers)


async def refund(stand, payment, key=None, **fields):
    headers = {"idempotency-key": key or stand.new_key()}
    body = {"payment": payment["id"], **fields}
    return await stand.call("POST", "/v1/refunds", body, headers=headers)


async def read(stand, payment):
    return await stand.get(f"/v1/payments/{payment['id']}")


async def told(stand, payment):
    """Return the types of a payment's events, checking that they are numbered from 1."""
    events = await stand.get_all(f"/v1/events?payment={payment['id']}")
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert [event["data"]["sequence"] for event in events] == list(range(1, len(events) + 1))
    return [event["type"].removeprefix("payment.") for event in events]


async def authorized(stand, **fields):
    payment = await stand.pay(capture_method="manual", **fields)
    await asyncio.sleep(3)
    payment = await read(stand, payment)
    assert payment["status"] == "authorized"
    return payment


async def paid(stand, **fields):
    payment = await stand.pay(**fields)
    await asyncio.sleep(3)
    payment = await read(stand, payment)
    assert payment["status"] == "succeeded"
    return payment


# -- manual capture ---------------------------------------------------------------------------


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


# -- authentication ---------------------------------------------------------------------------


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


# -- refunds ----------------------------------------------------------------------------------


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


# -- what comes after success -----------------------------------------------------------------


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


@in_world()
async def test_a_refund_of_a_scripted_payment_fails_as_it_asks(stand):
    payment = await paid(stand, metadata={"sim": "refund_fails(by=5s)|ok"})
    await refund(stand, payment)
    await asyncio.sleep(10)
    assert (await told(stand, payment))[-1] == "refund.failed"


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


# -- keys, restarts, webhooks -----------------------------------------------------------------


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


@in_world(disk=SLOW_DISK)
async def test_a_refund_whose_key_is_at_work_is_made_once(stand):
    payment = await paid(stand)
    answers = await asyncio.gather(*(refund(stand, payment, "k", amount=1) for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [201, 409, 409]
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
