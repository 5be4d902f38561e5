"""A delivery: one event on its way to one endpoint, and what each answer makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import NamedTuple

from psp_sim.domain.retry_schedule import RetrySchedule

GONE = 410

# "Throttle": Standard Webhooks 1.0.0 on 429, 502 and 504. By how much is left open there; Svix
# waits a minute at least (its open-source worker, on 429).
SLOW_DOWN = (429, 502, 504)
SLOW_DOWN_S_MIN = 60.0

# An endpoint that asks for time gets up to twice what the schedule gives (Svix's worker): no
# header can end the retries, or put the next one off for ever.
RETRY_AFTER_STRETCH_MAX = 2.0


class DeliveryState(StrEnum):
    """Where a delivery stands, as it is stored and shown."""

    SCHEDULED = "scheduled"
    SENDING = "sending"
    WAITING = "waiting"
    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"
    CANCELLED = "cancelled"


OPEN_STATES = (DeliveryState.SCHEDULED, DeliveryState.SENDING, DeliveryState.WAITING)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The endpoint took it."""


# What comes of nearly every attempt; made once.
DELIVERED = Delivered()


@dataclass(frozen=True, slots=True)
class Waiting:
    """To be tried again."""

    until: float


@dataclass(frozen=True, slots=True)
class Exhausted:
    """The schedule has no attempt left."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The endpoint says that it is no more: nothing else is to be sent there."""


class WebhookAnswer(NamedTuple):
    """What came back from one attempt: a status, or the reason why none came."""

    status: int | None = None
    error: str | None = None
    body: str = ""
    retry_after: str | None = None

    @property
    def is_success(self) -> bool:
        """Whether the endpoint took it."""
        return is_success(self.status)


def is_success(status: int | None) -> bool:
    """Only 2xx counts; a redirect is a failure, not followed (Standard Webhooks 1.0.0)."""
    return status is not None and 200 <= status < 300


def after_attempt(
    schedule: RetrySchedule,
    attempt: int,
    answer: WebhookAnswer,
    now: float,
    fraction: float,
    time_scale: float = 1.0,
) -> Delivered | Waiting | Exhausted | Gone:
    """Decide what follows attempt number ``attempt`` (from 1) of the schedule.

    ``fraction`` in [0, 1) places the next attempt within the schedule's jitter. What the endpoint
    asks for is in real seconds: ``time_scale`` makes it comparable with the schedule.
    """
    if answer.is_success:
        return Delivered()
    if answer.status == GONE:
        return Gone()
    delay_s = schedule.delay_after_s(attempt, fraction)
    if delay_s is None:
        return Exhausted()
    shortest_s = max(delay_s, SLOW_DOWN_S_MIN) if answer.status in SLOW_DOWN else delay_s
    asked_s = retry_after_s(answer.retry_after, now)
    if asked_s is None:
        return Waiting(now + shortest_s)
    longest_s = max(shortest_s, delay_s * RETRY_AFTER_STRETCH_MAX)
    return Waiting(now + min(max(asked_s * time_scale, shortest_s), longest_s))


def retry_after_s(header: str | None, now: float) -> float | None:
    """Read ``Retry-After`` (RFC 9110, 10.2.3): seconds, or a date; None for anything else."""
    text = (header or "").strip()
    if text.isascii() and text.isdecimal():
        # A longer number is a longer time than anybody grants.
        return float(text[:12])
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, aware.timestamp() - now)
