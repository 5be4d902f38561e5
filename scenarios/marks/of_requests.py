"""Marks of what the shop asks the provider: answers lost, errors with effect, asking in vain."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from scenarios.marks.mark import Mark
from scenarios.marks.seen import PROVIDER, SHOP, Call, Seen, moment

# Times in the provider's books are in whole milliseconds.
_ROUNDING_S = 0.001


def _unanswered(seen: Seen) -> Iterator[tuple[Call, bool]]:
    """Yield requests for a payment that got no yes, and whether they made the payment."""
    for order, calls in seen.payment_requests.items():
        made = [moment(payment["created"]) for payment in seen.evidence.payments_of(order)]
        nexts = [*(call.sent_at for call in calls[1:]), inf]
        for call, next_at in zip(calls, nexts, strict=True):
            if call.received_at == inf or not call.is_accepted:
                since = call.arrived_at - _ROUNDING_S
                yield call, any(since <= at < next_at for at in made)


def _answer_lost(seen: Seen) -> int:
    return sum(made and call.received_at == inf for call, made in _unanswered(seen))


def _error_after_commit(seen: Seen) -> int:
    return sum(made and call.status >= 500 for call, made in _unanswered(seen))


def _in_vain(seen: Seen) -> int:
    return sum(not made for _, made in _unanswered(seen))


def _asked_again(seen: Seen) -> int:
    """Count the repeats that got a payment which an earlier request had made."""
    count = 0
    for order, calls in seen.payment_requests.items():
        made = [moment(payment["created"]) for payment in seen.evidence.payments_of(order)]
        count += sum(
            call.is_accepted and any(at < call.sent_at for at in made) for call in calls[1:]
        )
    return count


def _turned_away(seen: Seen) -> int:
    return sum(
        call.status == 429 and (call.source, call.target) == (SHOP, PROVIDER) for call in seen.calls
    )


def _found_by_asking(seen: Seen) -> int:
    told = {}
    for webhook in reversed(seen.taken):
        if webhook.type == "payment.succeeded":
            told[webhook.payment] = webhook.call.arrived_at
    count = 0
    for payment in seen.evidence.captured():
        shipped = [s.at for s in seen.evidence.shipments if s.order == payment["reference"]]
        count += bool(shipped) and min(shipped) < told.get(payment["id"], inf)
    return count


def _enabled_again(seen: Seen) -> int:
    return sum(
        call.is_accepted
        and call.method == "POST"
        and call.path.endswith("/enable")
        and call.source == SHOP
        for call in seen.calls
    )


MARKS = (
    Mark(
        "answer_lost_after_commit",
        "a payment was made, and the answer that says so never reached the shop",
        _answer_lost,
    ),
    Mark(
        "error_after_commit",
        "a payment was made, and the shop was told of an error",
        _error_after_commit,
    ),
    Mark("request_in_vain", "a request for a payment failed and had no effect", _in_vain),
    Mark(
        "repeat_got_the_first_payment",
        "a repeated request got the payment that the first one had made",
        _asked_again,
    ),
    Mark("turned_away_with_429", "the provider asked the shop to slow down", _turned_away),
    Mark(
        "outcome_found_by_asking",
        "goods left before any webhook had told of their payment",
        _found_by_asking,
    ),
    Mark(
        "endpoint_enabled_again",
        "the provider had disabled the endpoint, and the shop enabled it again",
        _enabled_again,
    ),
)
