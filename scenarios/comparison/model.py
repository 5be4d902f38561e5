"""What arithmetic says a strategy should cost and how late it should be, without running anything.

The textbook's renewal model. Per payment: it settles at a known time, questions come at known
times, each fails with a known probability, each webhook is lost with another. What has no closed
form is averaged over draws. For calm weather this is:

- fixed polling, interval I: the rest of the interval that the settlement falls into, which is
  uniform from 0 to I, mean I/2, if T is much longer; T/I + 1/2 questions
- polling with backoff: at most the gap at that time; about log(T) questions until the cap
- event log: 1/I reads a second, however many payments
- long polling: one round trip late; T/hold + 1 questions; N = λT connections (Little's law)
- event stream: one way late; one connection
- webhooks: one way late; 1/(1-p) calls per event
- reconciliation: as webhooks, and never later than the next question

Nothing here looks at the shop's code, so one mistake cannot hide in both.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from math import ceil

from psp_sim.domain.retry_schedule import SCHEDULES
from psp_sim.settings import Settings as ProviderSettings
from scenarios.comparison.strategies import Strategy
from scenarios.comparison.weather import Weather
from shop.settings import Settings as ShopSettings

# A few payments get more draws each, so that what is predicted for them is no matter of chance.
DRAWS_EACH_MIN = 4
DRAWS_MIN = 4000
# A payment tells its shop twice: accepted, then settled. The shop subscribes to every event.
EVENTS_PER_PAYMENT = 2
LATENCY_S = 0.002

_RETRIES = SCHEDULES["standard"]
_ATTEMPT_TIMEOUT_S = ProviderSettings(api_key="-").attempt_timeout_s
_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Drawn:
    """One payment as the model has it: how late, and at the price of how many requests."""

    staleness_s: float
    requests: float
    held_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Payment:
    """When an order was placed and its payment settled, in seconds of the run."""

    placed_s: float
    settled_s: float


def predict(
    strategy: Strategy,
    payments: Sequence[Payment],
    weather: Weather,
    seed: int,
    shop_started_s: float | None = None,
) -> list[Drawn]:
    """Return the model's draws, several for each payment.

    Args:
        seed: makes them repeatable
        shop_started_s: when the shop began to read the event log, in seconds of the run, if known
    """
    model = _MODELS[strategy.kind]
    if strategy.kind == "event-log" and shop_started_s is not None and not weather.faults:
        model = partial(_undisturbed_log, shop_started_s)
    draw = partial(model, strategy.shop, weather)
    chance = random.Random(seed)
    each = max(DRAWS_EACH_MIN, ceil(DRAWS_MIN / len(payments)))
    return [draw(payment, chance) for payment in payments for _ in range(each)]


def background_requests(strategy: Strategy, duration_s: float) -> float:
    """Return the requests that come however few payments there are, in ``duration_s`` seconds."""
    shop = strategy.shop
    if strategy.kind == "event-log":
        return duration_s / shop.reconcile_interval_s
    if strategy.kind == "reconciliation":
        reads = _growing(0.0, _doubling(shop))
        return next(n for n, at_s in enumerate(reads) if at_s > duration_s)
    return 1.0 if strategy.kind == "event-stream" else 0.0


def _asked(
    payment: Payment, weather: Weather, times: Iterator[float], chance: random.Random
) -> tuple[float, int]:
    """Return when the first question after the settlement is answered, and how many it took."""
    fails = weather.question_fails
    for number, at_s in enumerate(times, start=1):
        fails_now = weather.is_outage(at_s) or (fails > 0 and chance.random() < fails)
        if at_s >= payment.settled_s and not fails_now:
            return at_s + LATENCY_S + _slow_s(weather, chance), number
    return _NEVER, 0


def _slow_s(weather: Weather, chance: random.Random) -> float:
    slow = weather.of_kind("slow_response")
    if slow is None or chance.random() >= slow.probability:
        return 0.0
    return float(slow.fields["by"].draw(chance))


def _every(first_s: float, interval_s: float) -> Iterator[float]:
    return (first_s + n * interval_s for n in count())


def _growing(first_s: float, delays_s: Iterator[float]) -> Iterator[float]:
    at_s = first_s
    while True:
        yield at_s
        at_s += next(delays_s)


def _polling(
    shop: ShopSettings, weather: Weather, payment: Payment, chance: random.Random
) -> Drawn:
    """Questions come from the order's placing on, and so does the time that its payment takes."""
    interval_s = shop.polling_interval_s
    times = _every(payment.placed_s + interval_s, interval_s)
    learnt_s, asked = _asked(payment, weather, times, chance)
    return Drawn(learnt_s - payment.settled_s, asked)


def _backoff(
    shop: ShopSettings, weather: Weather, payment: Payment, chance: random.Random
) -> Drawn:
    delays = (
        min(shop.polling_first_delay_s * shop.polling_factor**n, shop.polling_delay_cap_s)
        for n in count(1)
    )
    times = _growing(payment.placed_s + shop.polling_first_delay_s, delays)
    learnt_s, asked = _asked(payment, weather, times, chance)
    return Drawn(learnt_s - payment.settled_s, asked)


def _event_log(
    shop: ShopSettings, weather: Weather, payment: Payment, chance: random.Random
) -> Drawn:
    interval_s = shop.reconcile_interval_s
    times = _every(payment.settled_s + chance.uniform(0.0, interval_s), interval_s)
    learnt_s, _ = _asked(payment, weather, times, chance)
    return Drawn(learnt_s - payment.settled_s, 0.0)


def _undisturbed_log(
    shop_started_s: float,
    shop: ShopSettings,
    _weather: Weather,
    payment: Payment,
    _chance: random.Random,
) -> Drawn:
    """Without a fault the reads are an interval and a round trip apart, from the start on."""
    period_s = shop.reconcile_interval_s + 2 * LATENCY_S
    until_read_s = (shop_started_s - payment.settled_s) % period_s
    return Drawn(until_read_s + LATENCY_S, 0.0)


def _long_polling(
    shop: ShopSettings, weather: Weather, payment: Payment, chance: random.Random
) -> Drawn:
    """Each question is held to its end, or fails and is asked again after the polling interval."""
    at_s, asked, held_s = payment.placed_s, 0, 0.0
    wait_s, silence_s = shop.long_polling_wait_s, shop.long_polling_wait_s + shop.psp_timeout_s
    while True:
        asked += 1
        fails = weather.is_outage(at_s) or chance.random() < weather.question_fails
        answered_s = at_s + LATENCY_S + max(min(payment.settled_s - at_s, wait_s), 0.0)
        if not fails and answered_s >= payment.settled_s:
            learnt_s = answered_s + _slow_s(weather, chance)
            return Drawn(learnt_s - payment.settled_s, asked, held_s + learnt_s - at_s)
        ended_s = at_s + _failing_takes_s(weather, at_s, silence_s, chance) if fails else answered_s
        held_s += ended_s - at_s
        at_s = ended_s + (shop.polling_interval_s if fails else 0.0)


def _failing_takes_s(
    weather: Weather, at_s: float, silence_s: float, chance: random.Random
) -> float:
    """A lost message costs the whole wait; an error is answered at once."""
    if weather.is_outage(at_s):
        return 0.0
    silent = sum(f.probability for f in weather.faults if f.kind.startswith("lose_"))
    return silence_s if chance.random() * weather.question_fails < silent else 0.0


def _event_stream(
    shop: ShopSettings, weather: Weather, payment: Payment, chance: random.Random
) -> Drawn:
    """An outage ends the connection; it is opened again between two tries of the backoff."""
    if not weather.is_outage(payment.settled_s):
        return Drawn(LATENCY_S, 0.0)
    outage_ends_s = weather.start_s + weather.outage_s
    reopened_s = outage_ends_s + chance.uniform(0.0, shop.retry_delay_cap_s)
    return Drawn(reopened_s + LATENCY_S - payment.settled_s, 0.0)


def _webhooks(
    _shop: ShopSettings, weather: Weather, payment: Payment, chance: random.Random
) -> Drawn:
    learnt_s, calls = _told(weather, payment.settled_s, chance)
    _, calls_before = _told(weather, payment.placed_s, chance)
    return Drawn(learnt_s - payment.settled_s, calls + calls_before)


def _told(weather: Weather, event_s: float, chance: random.Random) -> tuple[float, float]:
    """Return when the event's first intact webhook arrives, and how many calls arrive in all.

    An outage sends nothing; what is due meanwhile leaves when it ends.
    """
    at_s, arrived = event_s, 0.0
    for attempt in range(1, _RETRIES.attempts_max + 1):
        if weather.is_outage(at_s):
            at_s = weather.start_s + weather.outage_s
        sent_s = at_s + _held_back_s(weather, chance)
        if chance.random() < weather.attempt_lost(attempt):
            failed_s = sent_s + _ATTEMPT_TIMEOUT_S
        elif chance.random() < weather.attempt_refused(attempt):
            arrived, failed_s = arrived + _copies(weather, chance), sent_s
        else:
            return sent_s + LATENCY_S, arrived + _copies(weather, chance)
        delay_s = _RETRIES.delay_after_s(attempt, chance.random())
        if delay_s is None:
            break
        at_s = failed_s + delay_s
    return _NEVER, arrived


def _copies(weather: Weather, chance: random.Random) -> float:
    """Return how many calls one attempt that arrives makes."""
    calls = 1.0
    duplicate, forge = weather.of_kind("duplicate"), weather.of_kind("forge")
    if duplicate is not None and chance.random() < duplicate.probability:
        calls += duplicate.fields["copies"] - 1
    return calls + (forge is not None and chance.random() < forge.probability)


def _held_back_s(weather: Weather, chance: random.Random) -> float:
    held_s = 0.0
    delay, reorder = weather.of_kind("delay"), weather.of_kind("reorder")
    if delay is not None and chance.random() < delay.probability:
        held_s += delay.fields["by"].draw(chance)
    if reorder is not None and chance.random() < reorder.probability:
        held_s += chance.uniform(0.0, reorder.fields["window"])
    return held_s


def _reconciliation(
    shop: ShopSettings, weather: Weather, payment: Payment, chance: random.Random
) -> Drawn:
    """Whatever comes first: a webhook, or the answer to a question about the order."""
    told = _webhooks(shop, weather, payment, chance)
    first_s = payment.placed_s + shop.reconcile_after_s
    asked_s, _ = _asked(payment, weather, _growing(first_s, _doubling(shop)), chance)
    learnt_s = min(payment.settled_s + told.staleness_s, asked_s)
    questions = _growing(first_s, _doubling(shop))
    asked = next(n for n, at_s in enumerate(questions) if at_s > learnt_s)
    return Drawn(learnt_s - payment.settled_s, told.requests + asked)


def _doubling(shop: ShopSettings) -> Iterator[float]:
    return (min(shop.reconcile_interval_s * 2.0**n, shop.reconcile_interval_cap_s) for n in count())


_MODELS: dict[str, Callable[[ShopSettings, Weather, Payment, random.Random], Drawn]] = {
    "polling": _polling,
    "backoff": _backoff,
    "event-log": _event_log,
    "long-polling": _long_polling,
    "event-stream": _event_stream,
    "webhooks": _webhooks,
    "reconciliation": _reconciliation,
}
