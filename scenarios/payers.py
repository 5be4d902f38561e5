"""What people do at the provider by themselves, past the shop: approve, refund or make a payment.

A payment that the shop never asked for carries a mark in its metadata: its money is nobody's order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from scenarios.api import Api
from scenarios.evidence import STRAY, OrderSeen, is_stray
from scenarios.expected import OUTCOMES

SMALLEST_AMOUNT = 1


async def carry_out(provider: Api, step: str, order: OrderSeen, *, waits: bool = False) -> bool:
    """Do one of ``STEPS_OF_PAYERS``; tell whether it is done. Raises httpx.HTTPError or BadAnswer.

    A step that is done again, since its answer was lost, is the same step: the key says so. Who
    ``waits`` pays again only when the first payment has come to its outcome, however slow the
    service is to request it.
    """
    found = (await provider.get(f"/v1/payments?reference={order.id}"))["data"]
    theirs = next((payment for payment in found if not is_stray(payment)), None)
    if theirs is None or (waits and step == "pay_again_in_vain" and _is_open(theirs)):
        return False
    path, body, done = "/v1/payments", _payment(step, order, theirs), 201
    if step == "approve_payment":
        path, body, done = f"{path}/{theirs['id']}/authenticate", {"result": "approved"}, 200
    keyed = {**provider.headers, "idempotency-key": f"{step}-{order.id}"}
    status, _ = await replace(provider, headers=keyed).call("POST", path, body)
    return status == done


async def refund(provider: Api, order: OrderSeen, share: float, key: str) -> bool:
    """Give a share of what was captured back; tell whether it is done, once it was captured.

    Raises httpx.HTTPError or BadAnswer.
    """
    found = (await provider.get(f"/v1/payments?reference={order.id}"))["data"]
    paid = [each for each in found if not is_stray(each) and each["status"] == "succeeded"]
    if not paid:
        return False
    amount_minor = max(SMALLEST_AMOUNT, int(paid[0]["amount"] * share))
    keyed = replace(provider, headers={**provider.headers, "idempotency-key": key})
    wanted = {"payment": paid[0]["id"], "amount": amount_minor}
    status, _ = await keyed.call("POST", "/v1/refunds", wanted)
    if status == 201:
        order.refunds_wished.append(amount_minor)
    return status == 201


def _is_open(payment: Mapping[str, Any]) -> bool:
    return payment["status"] not in OUTCOMES


def _payment(step: str, order: OrderSeen, theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what somebody pays instead of, or beside, the payment of the order itself."""
    right = {
        "amount": theirs["amount"],
        "currency": theirs["currency"],
        "reference": order.id,
        "metadata": {STRAY: step},
    }
    changes: dict[str, dict[str, Any]] = {
        "pay_too_little": {"amount": SMALLEST_AMOUNT},
        "pay_in_another_currency": {"currency": "EUR" if theirs["currency"] == "JPY" else "JPY"},
        "pay_again_in_vain": {"metadata": {STRAY: step, "sim": "decline"}},
        "pay_for_something_else": {
            "reference": f"gift-for-{order.number}",
            "metadata": {STRAY: step, "order_id": order.id},
        },
    }
    return right | changes.get(step, {})
