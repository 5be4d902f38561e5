"""Events that a provider could have made, each a new one."""

from __future__ import annotations

import json
import random
import secrets
from datetime import UTC, datetime

AMOUNT_MINOR_MAX = 50_000


def event_body() -> bytes:
    """Return a native event about a payment that nobody has asked for."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    payment = {
        "id": f"pay_{secrets.token_hex(12)}",
        "object": "payment",
        "status": "succeeded",
        "amount": random.randint(1, AMOUNT_MINOR_MAX),
        "currency": "EUR",
        "reference": f"load-{secrets.token_hex(8)}",
        "metadata": {},
        "sequence": 2,
        "created": now,
    }
    event = {
        "id": f"evt_{secrets.token_hex(12)}",
        "type": "payment.succeeded",
        "timestamp": now,
        "sequence": 2,
        "data": payment,
    }
    return json.dumps(event, separators=(",", ":")).encode()
