"""Events about a webhook endpoint rather than a payment: they carry the endpoint as data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from psp_sim.domain.event import Event, iso_timestamp

DISABLED_EVENT = "endpoint.disabled"
TEST_EVENT = "endpoint.test"


def endpoint_event(
    event_id: str, event_type: str, endpoint: Mapping[str, Any], now: float
) -> Event:
    """Return the event; ``endpoint`` is as the API shows it, without its secret."""
    body = json.dumps(
        {
            "id": event_id,
            "type": event_type,
            "timestamp": iso_timestamp(now),
            "sequence": 0,
            "data": endpoint,
        },
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return Event(event_id, event_type, "", 0, now, body)
