"""Making and reading payments over HTTP: keys, replays, outcomes."""

import asyncio

import httpx
import pytest

from psp_sim.domain.money import AMOUNT_MINOR_MAX
from scenarios.world.latency import LatencyProfile
from tests.psp_sim.stand import in_world, payment_body

SLOW_DISK = LatencyProfile(low_s=0.05, high_s=0.05)


@in_world()
async def test_a_payment_is_created_as_processing(stand):
    answer = await stand.create(payment_body(metadata={"cart": "7"}))
    assert answer.status == 201
    assert answer.headers["content-type"] == "application/json"
    assert "idempotent-replayed" not in answer.headers
    payment = answer.json
    assert payment.pop("id").startswith("pay_")
    assert payment.pop("created").startswith("2026-01-01T00:00:00.")
    assert payment == {
        "object": "payment",
        "status": "processing",
        "amount": 1099,
        "currency": "EUR",
        "reference": "order-1",
        "payment_method": "card",
        "capture_method": "automatic",
        "amount_captured": 0,
        "amount_capturable": 0,
        "amount_refunded": 0,
        "refunds": [],
        "disputes": [],
        "next_action": None,
        "expires_at": None,
        "metadata": {"cart": "7"},
        "failure": None,
        "sequence": 1,
    }


@in_world()
async def test_a_payment_reads_back_as_it_was_created(stand):
    created = await stand.pay()
    assert await stand.get(f"/v1/payments/{created['id']}") == created


@in_world()
async def test_a_payment_succeeds_after_the_delay_and_not_before(stand):
    created = await stand.pay()
    await asyncio.sleep(1.99)
    assert (await stand.get(f"/v1/payments/{created['id']}"))["status"] == "processing"
    await asyncio.sleep(0.02)
    settled = await stand.get(f"/v1/payments/{created['id']}")
    assert settled == created | {
        "status": "succeeded",
        "sequence": 2,
        "amount_captured": 1099,
    }


@in_world(time_scale=60, settle_after="1m")
async def test_a_time_scale_makes_settlement_faster(stand):
    created = await stand.pay()
    await asyncio.sleep(1.02)
    assert (await stand.get(f"/v1/payments/{created['id']}"))["status"] == "succeeded"


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("card_declined", "card_declined"),
        ("card_insufficient_funds", "insufficient_funds"),
        ("card_expired", "expired_card"),
    ],
)
@in_world()
async def test_a_declining_method_fails_the_payment_with_its_reason(stand, method, code):
    created = await stand.pay(payment_method=method)
    assert (created["status"], created["failure"]) == ("processing", None)
    await asyncio.sleep(3)
    settled = await stand.get(f"/v1/payments/{created['id']}")
    assert (settled["status"], settled["failure"]["code"]) == ("failed", code)
    assert settled["failure"]["message"].startswith("The card")


@in_world()
async def test_events_are_numbered_per_payment(stand):
    first, second = await stand.pay("a"), await stand.pay("b")
    await asyncio.sleep(3)
    for payment in (first, second):
        events = await stand.get_all(f"/v1/events?payment={payment['id']}")
        assert [(e["type"], e["sequence"], e["data"]["sequence"]) for e in events] == [
            ("payment.processing", 1, 1),
            ("payment.succeeded", 2, 2),
        ]


@in_world()
async def test_many_payments_due_at_once_all_settle(stand):
    await asyncio.gather(*(stand.pay(f"o{number}") for number in range(250)))
    await asyncio.sleep(3)
    payments = await stand.get_all("/v1/payments")
    assert [payment["status"] for payment in payments] == ["succeeded"] * 250


# -- idempotency ------------------------------------------------------------------------------


@in_world()
async def test_a_replayed_key_returns_the_first_answer(stand):
    first = await stand.create(payment_body(), "k")
    await asyncio.sleep(5)
    again = await stand.create(payment_body(), '"k"')
    assert (again.status, again.text) == (first.status, first.text)
    assert again.headers["idempotent-replayed"] == "true"
    assert len(await stand.get_all("/v1/payments")) == 1


@in_world()
async def test_a_body_that_says_the_same_in_other_words_is_the_same_request(stand):
    await stand.create(payment_body(), "k")
    other = b'{"currency":"EUR", "reference":"order-1", "amount":1099, "metadata":{}}'
    headers = {"idempotency-key": "k"}
    again = await stand.call("POST", "/v1/payments", content=other, headers=headers)
    assert (again.status, again.headers["idempotent-replayed"]) == (201, "true")


@pytest.mark.parametrize("change", [{"amount": 1}, {"currency": "USD"}, {"metadata": {"a": "b"}}])
@in_world()
async def test_the_same_key_with_another_body_is_refused(stand, change):
    await stand.create(payment_body(), "k")
    answer = await stand.create(payment_body() | change, "k")
    assert (answer.status, answer.json["code"]) == (422, "idempotency_key_reused")
    assert answer.json["definite"] is True
    assert len(await stand.get_all("/v1/payments")) == 1


@in_world()
async def test_another_key_makes_another_payment(stand):
    first, second = await stand.pay(key="k1"), await stand.pay(key="k2")
    assert first["id"] != second["id"]


@in_world(disk=SLOW_DISK)
async def test_a_key_that_is_at_work_is_refused_for_now(stand):
    answers = await asyncio.gather(*(stand.create(payment_body(), "k") for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [201, 409, 409]
    conflict = next(answer.json for answer in answers if answer.status == 409)
    assert (conflict["code"], conflict["definite"]) == ("idempotency_key_in_use", False)
    again = await stand.create(payment_body(), "k")
    assert (again.status, again.headers["idempotent-replayed"]) == (201, "true")
    assert len(await stand.get_all("/v1/payments")) == 1


@in_world(disk=SLOW_DISK)
async def test_different_keys_do_not_wait_for_each_other(stand):
    answers = await asyncio.gather(*(stand.create(payment_body()) for _ in range(5)))
    assert [answer.status for answer in answers] == [201] * 5


@in_world(disk=SLOW_DISK)
async def test_a_client_that_goes_away_does_not_keep_its_key_at_work(stand):
    with pytest.raises(httpx.ReadTimeout):
        await stand.create(payment_body(), "k", timeout_s=0.02)
    await asyncio.sleep(1)
    assert (await stand.create(payment_body(), "k")).status == 201
    assert len(await stand.get_all("/v1/payments")) == 1


@in_world()
async def test_a_refused_request_uses_no_key_up(stand):
    assert (await stand.create(payment_body(amount=-1), "k")).status == 400
    assert (await stand.create(payment_body(), "k")).status == 201


@in_world()
async def test_keys_of_payments_and_endpoints_are_apart(stand):
    endpoint = {"url": stand.sink.url}
    for key in ("k", "endpoint:k", "payment:k"):
        headers = {"idempotency-key": key}
        made = await stand.call("POST", "/v1/webhook_endpoints", endpoint, headers=headers)
        assert made.status == 201, made.text
        assert "idempotent-replayed" not in made.headers
        assert (await stand.create(payment_body(), key)).status == 201


@in_world()
async def test_a_key_outlives_a_restart(stand):
    first = await stand.create(payment_body(), "k")
    await stand.world.restart("psp")
    again = await stand.create(payment_body(), "k")
    assert (again.text, again.headers["idempotent-replayed"]) == (first.text, "true")


@in_world()
async def test_the_largest_amount_survives_the_journey(stand):
    created = await stand.pay(amount=AMOUNT_MINOR_MAX)
    assert (await stand.get(f"/v1/payments/{created['id']}"))["amount"] == AMOUNT_MINOR_MAX


@in_world()
async def test_any_text_without_nul_survives_the_journey(stand):
    await stand.add_endpoint()
    reference = "Zoë – 5 € \x01 \u2028 𝄞 \"'\\"
    created = await stand.pay(reference, metadata={"ключ": "値"})
    await asyncio.sleep(1)
    assert (await stand.get(f"/v1/payments/{created['id']}"))["reference"] == reference
    [call] = stand.sink.calls
    assert call.event["data"] == created
