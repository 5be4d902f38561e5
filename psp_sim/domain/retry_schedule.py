"""When to try again: delays after each failed attempt, as data, named for who retries like that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from psp_sim.domain.duration import parse_duration

JITTER = 0.1
ATTEMPTS_MAX = 500

_DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """Delays in seconds; entry n is the wait after failed attempt n + 1."""

    name: str
    delays_s: tuple[float, ...]
    jitter: float = JITTER

    @property
    def attempts_max(self) -> int:
        """How many attempts there are in all."""
        return len(self.delays_s) + 1

    def delay_after_s(self, attempt: int, fraction: float) -> float | None:
        """Return the wait after failed attempt number ``attempt`` (from 1), or None to give up.

        ``fraction`` in [0, 1) places the wait within the jitter around the plain delay.
        """
        if attempt >= self.attempts_max:
            return None
        return self.delays_s[attempt - 1] * (1 + self.jitter * (2 * fraction - 1))

    def as_document(self) -> object:
        """Return what ``parse_schedule`` reads back as the same schedule."""
        if SCHEDULES.get(self.name) == self:
            return self.name
        return {"name": self.name, "delays": list(self.delays_s), "jitter": self.jitter}


def _schedule(name: str, *delays: object, jitter: float = JITTER) -> RetrySchedule:
    return RetrySchedule(name, tuple(parse_duration(delay) for delay in delays), jitter)


def _doubling(first_s: float, count: int) -> Iterable[float]:
    return (first_s * 2**step for step in range(count))


def _adyen_delays() -> Iterable[object]:
    """Return the three quick tries, then the queue, whose last step repeats for thirty days."""
    start = ("9s", "9s", "9s", "2m", "5m", "10m", "15m", "30m", "1h", "2h", "4h", "8h")
    left_s = 30 * _DAY_S - sum(map(parse_duration, start))
    return (*start, *("8h",) * int(left_s // parse_duration("8h")))


SCHEDULES: dict[str, RetrySchedule] = {
    schedule.name: schedule
    for schedule in (
        # The schedule that the Standard Webhooks specification recommends: ten attempts, 75 hours.
        _schedule("standard", "5s", "5m", "30m", "2h", "5h", "10h", "14h", "20h", "24h"),
        # docs.svix.com/retries: each delay counts from the failure before it; the jitter of 20 %
        # is in its open-source worker.
        _schedule("svix", "5s", "5m", "30m", "2h", "5h", "10h", "10h", jitter=0.2),
        # developer.squareup.com/docs/webhooks, troubleshooting: eleven retries within 24 hours and
        # some. No jitter is published for this one and those below.
        _schedule(
            "square",
            *("1m", "2m", "4m", "8m", "16m", "32m", "1h", "2h", "4h", "8h", "8h"),
            jitter=0.0,
        ),
        # docs.mollie.com/overview/webhooks (2024): ten calls, at 0, 1, 3, 7, 15 and 31 minutes and
        # at 1, 2, 4 and 26 hours after the first.
        _schedule("mollie", "1m", "2m", "4m", "8m", "16m", "29m", "1h", "2h", "22h", jitter=0.0),
        # docs.adyen.com/development-resources/webhooks/troubleshoot: at 9, 18 and 27 seconds, then
        # a queue up to 30 days. Adyen's queue also holds back what is behind; this one does not.
        _schedule("adyen", *_adyen_delays(), jitter=0.0),
        # shopify.dev changelog 2024-09-10: eight retries in four hours, exponential. The shape is
        # not published; assumed here: each delay twice the one before, four hours in all.
        _schedule("shopify", *_doubling(4 * 3600 / 255, 8), jitter=0.0),
        # docs.stripe.com/webhooks says "up to three days with an exponential back off" and no
        # more. Assumed here: ten retries, from 4 minutes, doubling, 68 hours in all.
        _schedule("stripe-like", *_doubling(240.0, 10)),
        _schedule("none"),
    )
}


def parse_schedule(value: object) -> RetrySchedule:
    """Read a schedule's name, or delays: a list of them, a text like ``5s,1m,10m``, or a table
    ``{delays = ["5s", "1m"], jitter = 0.2}``.

    Raises ValueError with a sentence that names what is allowed.
    """
    if isinstance(value, str) and value in SCHEDULES:
        return SCHEDULES[value]
    try:
        if isinstance(value, Mapping):
            return _from_table(value)
        delays = _delays(value.split(",") if isinstance(value, str) else value)
        return _schedule(",".join(map(str, delays)), *delays)
    except ValueError as problem:
        raise ValueError(
            f"{value!r} is not a retry schedule: use {', '.join(SCHEDULES)}, "
            "or a list of delays like 5s,1m,10m"
        ) from problem


def _from_table(table: Mapping[str, object]) -> RetrySchedule:
    if not {"delays"} <= set(table) <= {"name", "delays", "jitter"}:
        raise ValueError("a table has delays, and may have jitter")
    delays = _delays(table["delays"])
    jitter = table.get("jitter", JITTER)
    if isinstance(jitter, bool) or not isinstance(jitter, int | float) or not 0 <= jitter <= 1:
        raise ValueError("jitter is a number from 0 to 1")
    name = table.get("name") or ",".join(map(str, delays))
    return _schedule(str(name), *delays, jitter=float(jitter))


def _delays(value: object) -> list[object]:
    if not isinstance(value, list) or len(value) >= ATTEMPTS_MAX:
        raise ValueError(f"neither a text nor a list of fewer than {ATTEMPTS_MAX}")
    return value
