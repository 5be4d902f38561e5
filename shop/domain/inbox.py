"""Accepted webhooks; one that cannot be processed is tried again later, then set aside."""

from __future__ import annotations

from dataclasses import dataclass

from shop.domain.payment import Payment
from shop.domain.retry import delay_after


@dataclass(frozen=True, slots=True)
class Event:
    """An accepted webhook, read. ``payment`` is None for types that this shop does not handle.

    ``happened_at`` is the event's own time in Unix seconds, which is not that of its delivery.
    """

    type: str
    payment: Payment | None
    happened_at: float | None = None


@dataclass(frozen=True, slots=True)
class InboxRow:
    """An accepted webhook as it was stored: the body is the text that was signed."""

    event_id: str
    body: str
    attempts: int
    source: str = "webhook"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that was set aside, and why. Unix seconds."""

    event_id: str
    reason: str
    attempts: int
    source: str
    received_at: float
    body: str


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Leave it pending until this moment (Unix seconds)."""

    at: float


@dataclass(frozen=True, slots=True)
class SetAside:
    """Give up on it: it must not stand in the way of others."""


def after_failure(
    failures: int, *, now: float, attempts_max: int, first_s: float, cap_s: float
) -> TryAgain | SetAside:
    """What to do with an event whose processing has now failed ``failures`` times."""
    if failures >= attempts_max:
        return SetAside()
    return TryAgain(now + delay_after(failures, first_s=first_s, cap_s=cap_s))
