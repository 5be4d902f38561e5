"""Faults with a probability: each decision belongs to the seed, the fault and the moment alone."""

import asyncio

import pytest

from tests.psp_sim.stand import in_world, play

ORDERS = 200


def dropped(probability, seed=7, others=(), orders=ORDERS):
    """Return the orders whose webhook a fault has dropped."""

    async def main(stand):
        endpoint = await stand.add_endpoint(events=["payment.processing"])
        for kind, fields in others:
            await stand.install(kind, **fields)
        await stand.install("drop", probability=probability, attempt=1)
        for number in range(orders):
            await stand.pay(f"order-{number}")
        await asyncio.sleep(60)
        deliveries = await stand.deliveries(endpoint)
        hit = [d["payment"] for d in deliveries if "drop" in d["attempts"][0]["faults"]]
        payments = await stand.get_all("/v1/payments")
        return [p["reference"] for p in payments if p["id"] in hit]

    return play(main, seed=seed, retry_schedule="1s")


def test_a_probability_of_zero_never_fires_and_one_always_does():
    assert dropped(0) == []
    assert len(dropped(1, orders=20)) == 20


def test_a_probability_of_a_half_fires_about_half_of_the_time():
    assert 0.4 * ORDERS < len(dropped(0.5)) < 0.6 * ORDERS


def test_the_same_seed_chooses_the_same_and_another_another():
    assert dropped(0.5, orders=50) == dropped(0.5, orders=50)
    assert dropped(0.5, orders=50) != dropped(0.5, seed=8, orders=50)


@pytest.mark.parametrize(
    "others",
    [
        [("duplicate", {"probability": 0.5})],
        [("delay", {"by": "3s", "probability": 0.5}), ("decline", {})],
        [("drop", {"order": 3})],
    ],
)
def test_other_faults_do_not_reshuffle_the_choice(others):
    alone = dropped(0.5, orders=50)
    with_others = dropped(0.5, others=others, orders=50)
    assert set(with_others) - {"order-2"} == set(alone) - {"order-2"}


@in_world(retry_schedule="1s,1s,1s,1s,1s,1s,1s,1s,1s")
async def test_each_attempt_has_a_chance_of_its_own(stand):
    endpoint = await stand.add_endpoint(events=["payment.processing"])
    await stand.install("drop", probability=0.5)
    for number in range(40):
        await stand.pay(f"order-{number}")
    await asyncio.sleep(600)
    attempts = [len(delivery["attempts"]) for delivery in await stand.deliveries(endpoint)]
    assert len(set(attempts)) >= 4
    assert 1.6 < sum(attempts) / len(attempts) < 2.5


@in_world()
async def test_faults_on_the_api_have_a_chance_of_their_own_too(stand):
    await stand.install("error", probability=0.5, operation="read_payment")
    payment = await stand.pay()
    path = f"/v1/payments/{payment['id']}"
    statuses = [(await stand.call("GET", path)).status for _ in range(100)]
    assert 30 < statuses.count(503) < 70
    assert statuses[:50] != sorted(statuses[:50])


def test_the_same_seed_makes_the_same_trace():
    async def main(stand):
        await stand.add_endpoint()
        await stand.install("drop", probability=0.5)
        await stand.install("delay", by={"distribution": "exponential", "mean": "1s"})
        for number in range(10):
            await stand.pay(f"order-{number}")
        await asyncio.sleep(3600)
        return [(call.at, call.headers, call.body) for call in stand.sink.calls]

    first = play(main)
    assert first == play(main)
    assert first != play(main, world_seed=2)
