"""``metadata.sim`` and faults on payments: what a payment asks for itself, and its outcome."""

import asyncio

import pytest

from tests.psp_sim.stand import in_world
from tests.psp_sim.test_faults_on_webhooks import PROCESSING, attempts_of, pay_and_wait


@in_world(retry_schedule="1m,1m,1m")
async def test_a_script_acts_attempt_by_attempt(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    await pay_and_wait(stand, 600, metadata={"sim": "drop|drop|ok"})
    assert len(stand.sink.calls) == 1
    attempts = await attempts_of(stand, endpoint)
    assert [attempt["faults"] for attempt in attempts] == [["drop"], ["drop"], []]
    assert await stand.fired() == {"drop": 2}


@in_world()
async def test_a_script_acts_on_its_own_payment_alone(stand):
    await stand.add_endpoint(**PROCESSING)
    await stand.pay("scripted", metadata={"sim": "duplicate(copies=3)"})
    await stand.pay("plain")
    await asyncio.sleep(1)
    assert sorted(call.reference for call in stand.sink.calls) == ["plain"] + ["scripted"] * 3


@in_world()
async def test_a_scripted_reorder_ends_with_the_payment(stand):
    await stand.add_endpoint()
    script = {"sim": "reorder(after=payment.succeeded)"}
    await pay_and_wait(stand, 10, metadata=script, payment_method="card_declined")
    assert sorted(stand.sink.types) == ["failed", "processing"]


@pytest.mark.parametrize(
    ("script", "status", "after_s"),
    [("decline", "failed", 3), ("settle_after(by=10m)", "processing", 599),
     ("settle_after(by=10m)", "succeeded", 601), ("ok", "succeeded", 3)],
)  # fmt: skip
@in_world()
async def test_a_script_decides_the_outcome(stand, script, status, after_s):
    payment = await pay_and_wait(stand, after_s, metadata={"sim": script})
    assert (await stand.get(f"/v1/payments/{payment['id']}"))["status"] == status


@in_world()
async def test_a_fault_decides_the_outcome_of_the_orders_that_it_names(stand):
    await stand.install("decline", order=2, code="insufficient_funds")
    await stand.install("settle_after", order=3, by="1h")
    for number in (1, 2, 3):
        await stand.pay(f"order-{number}")
    await asyncio.sleep(5)
    payments = await stand.get_all("/v1/payments")
    assert [payment["status"] for payment in payments] == ["succeeded", "failed", "processing"]
    assert payments[1]["failure"]["code"] == "insufficient_funds"
    assert await stand.fired() == {"decline": 1, "settle_after": 1}
