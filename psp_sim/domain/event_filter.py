"""What one can ask to be told of: types of events, families of them, or all."""

from __future__ import annotations

from collections.abc import Sequence

from psp_sim.domain.endpoint import ALL_EVENTS
from psp_sim.domain.endpoint_event import DISABLED_EVENT, TEST_EVENT
from psp_sim.domain.errors import InvalidRequest
from psp_sim.domain.event import EVENT_TYPES

KNOWN_TYPES = (*EVENT_TYPES, DISABLED_EVENT, TEST_EVENT)
FAMILIES = tuple(dict.fromkeys(f"{each.partition('.')[0]}.*" for each in KNOWN_TYPES))
LISTENED_TO = (ALL_EVENTS, *FAMILIES, *KNOWN_TYPES)

EVENTS_MAX = 50
_SHOWN_MAX = 50


def check_events(events: Sequence[str]) -> tuple[str, ...]:
    """Return what an endpoint is to listen to. Raises InvalidRequest naming what there is."""
    if not events:
        raise InvalidRequest('events must name at least one type, or be ["*"] for all')
    if len(events) > EVENTS_MAX:
        raise InvalidRequest(f"events takes up to {EVENTS_MAX} types")
    for each in events:
        if each not in LISTENED_TO:
            raise _unknown("events", each, LISTENED_TO)
    return tuple(events)


def check_type(event_type: str | None) -> str | None:
    """Return the type that the log is asked for. Raises InvalidRequest naming what there is."""
    if event_type is not None and event_type not in KNOWN_TYPES:
        raise _unknown("type", event_type, KNOWN_TYPES)
    return event_type


def _unknown(name: str, given: str, known: Sequence[str]) -> InvalidRequest:
    return InvalidRequest(f"{name}: {given[:_SHOWN_MAX]!r} is none of {', '.join(known)}")
