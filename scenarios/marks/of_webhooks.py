"""Marks of webhooks: repeated, overtaken, late, refused, put off, lost on the way back."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from math import inf

from scenarios.marks.mark import Mark
from scenarios.marks.seen import Seen, Webhook

_SUCCEEDED, _PENDING = "payment.succeeded", "payment.processing"
_REFUSALS = (400, 401, 403)


def _came_at_least(times: int, seen: Seen) -> int:
    counts = Counter(webhook.event for webhook in seen.taken)
    return sum(count >= times for count in counts.values())


def _copies_at_once(seen: Seen) -> int:
    by_event: dict[str, list[Webhook]] = defaultdict(list)
    for webhook in seen.taken:
        by_event[webhook.event].append(webhook)
    return sum(
        second.call.arrived_at < first.call.answered_at
        for copies in by_event.values()
        for first, second in pairwise(copies)
    )


def _one_fact_under_two_ids(seen: Seen) -> int:
    ids: dict[str, set[str]] = defaultdict(set)
    for webhook in seen.taken:
        if webhook.type == _SUCCEEDED:
            ids[webhook.payment].add(webhook.event)
    return sum(len(each) > 1 for each in ids.values())


def _overtaken(seen: Seen) -> int:
    newest: Counter[str] = Counter()
    known: set[str] = set()
    count = 0
    for webhook in seen.taken:
        count += webhook.event not in known and webhook.sequence < newest[webhook.payment]
        newest[webhook.payment] = max(newest[webhook.payment], webhook.sequence)
        known.add(webhook.event)
    return count


def _pending_after_captured(seen: Seen) -> int:
    captured: set[str] = set()
    count = 0
    for webhook in seen.taken:
        if webhook.type == _SUCCEEDED:
            captured.add(webhook.payment)
        count += webhook.type == _PENDING and webhook.payment in captured
    return count


def _before_the_answer(seen: Seen) -> int:
    arrived = {}
    for webhook in reversed(seen.taken):
        arrived[webhook.payment] = webhook.call.arrived_at
    count = 0
    for payment in seen.evidence.payments:
        requests = seen.payment_requests.get(payment["reference"], ())
        told_at = min((call.received_at for call in requests), default=inf)
        count += arrived.get(payment["id"], inf) < told_at < inf
    return count


def _late_attempts(seen: Seen) -> int:
    return sum(attempt["number"] > 4 for _, attempt in seen.evidence.attempts())


def _ran_out(seen: Seen) -> int:
    return sum(delivery["state"] == "exhausted" for delivery in seen.evidence.deliveries)


def _acknowledgement_lost(seen: Seen) -> int:
    """Count what the provider's books do not know: the answer was lost, or it died with it."""
    unknown = Counter(webhook.event for webhook in seen.taken)
    unknown.subtract(
        attempt["webhook_id"]
        for _, attempt in seen.evidence.attempts()
        if 200 <= (attempt["status"] or 0) < 300
    )
    return sum(count for count in unknown.values() if count > 0)


def _refused(seen: Seen) -> int:
    return sum(webhook.call.status in _REFUSALS for webhook in seen.webhooks)


def _put_off(seen: Seen) -> int:
    return sum(webhook.call.status == 429 for webhook in seen.webhooks)


def _signed_before_rotation(seen: Seen) -> int:
    """Count by the times: which secret a call was signed with is not in what was seen."""
    rotated = [
        call.arrived_at
        for call in seen.calls
        if call.method == "POST" and call.path.endswith("/rotate_secret")
    ]
    signed = {
        attempt["webhook_id"]: attempt["webhook_timestamp"]
        for _, attempt in seen.evidence.attempts()
    }
    return sum(
        any(signed.get(w.event, inf) < at <= w.call.arrived_at for at in rotated)
        for w in seen.taken
    )


MARKS = (
    Mark(
        "event_came_twice",
        "the shop took the same event at least twice",
        lambda seen: _came_at_least(2, seen),
    ),
    Mark(
        "event_came_three_times",
        "the shop took the same event at least three times",
        lambda seen: _came_at_least(3, seen),
    ),
    Mark(
        "copies_came_at_once",
        "a copy of an event arrived while the shop was still at work on the other",
        _copies_at_once,
    ),
    Mark(
        "one_fact_under_two_ids",
        "two events with different ids told of the same capture",
        _one_fact_under_two_ids,
    ),
    Mark(
        "event_overtaken",
        "an event arrived after a newer one of the same payment",
        _overtaken,
    ),
    Mark(
        "pending_after_captured",
        "news that a payment is pending arrived after the news of its capture",
        _pending_after_captured,
    ),
    Mark(
        "webhook_before_answer",
        "a webhook told of a payment before the answer to its request did",
        _before_the_answer,
    ),
    Mark("attempt_after_the_fourth", "a webhook was tried a fifth time or more", _late_attempts),
    Mark("attempts_ran_out", "the provider gave a delivery up", _ran_out),
    Mark(
        "acknowledgement_lost",
        "the shop took a webhook, and the provider never got to know",
        _acknowledgement_lost,
    ),
    Mark("webhook_refused", "the shop refused a webhook that it could not trust", _refused),
    Mark("webhook_put_off", "the shop asked the provider to come again later", _put_off),
    Mark(
        "signed_before_rotation",
        "a webhook that was signed before a rotation of the secret arrived after it",
        _signed_before_rotation,
    ),
)
