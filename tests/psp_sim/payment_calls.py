"""What tests ask of a payment after it was made."""

import asyncio


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
