"""Evidence put together by hand: a run in which all went well, to be spoilt by a test."""

from __future__ import annotations

from typing import Any

from scenarios.evidence import Evidence, FiredFault, OrderSeen, Pace, Shipment

PACE = Pace(acts_within_s=10.0, after_own_absence_s=12.0, after_warehouse_absence_s=30.0)


def order(number: int = 1, *statuses: str, amount: int = 1000, currency: str = "EUR") -> OrderSeen:
    history = [
        (float(at), status) for at, status in enumerate(statuses or ("pending", "fulfilled"))
    ]
    return OrderSeen(f"ord_{number}", number, 0.0, amount, currency, history)


def payment(number: int = 1, status: str = "succeeded", **changes: Any) -> dict[str, Any]:
    return {
        "id": f"pay_{number}",
        "reference": f"ord_{number}",
        "status": status,
        "amount": 1000,
        "currency": "EUR",
    } | changes


def delivery(*attempts: tuple[int | None, list[str]], state: str = "delivered") -> dict[str, Any]:
    return {
        "type": "payment.succeeded",
        "payment": "pay_1",
        "state": state,
        "attempts": [
            {
                "number": number,
                "status": status,
                "faults": faults,
                "answer": "",
                "error": None if status else "connection refused or reset",
                "started": "1970-01-01T00:00:00.000Z",
                "duration_ms": 10.0,
            }
            for number, (status, faults) in enumerate(attempts, start=1)
        ],
    }


def evidence(**changes: Any) -> Evidence:
    good: dict[str, Any] = {
        "orders": [order(1)],
        "payments": [payment(1)],
        "deliveries": [delivery((200, []))],
        "shipments": [Shipment(1.0, "ord_1", "ful_1")],
        "fired": [FiredFault("drop", 1)],
        "ledger": {"provider": {"EUR": 1000}, "sales": {"EUR": -1000}},
        "waited_s": 1.0,
        "still_waiting_for": None,
    }
    return Evidence(**(good | changes))
