"""Marks of processes and the network: where in its work one died, stood still, was cut off."""

from __future__ import annotations

from math import inf

from scenarios.marks.mark import Mark
from scenarios.marks.seen import PROVIDER, SHOP, Happening, Seen


def _died_at(seen: Seen, *points: tuple[str, str]) -> list[Happening]:
    """Return the points of a process's work, as site and moment, at which it really died."""
    died = {(crash.host, crash.at) for crash in seen.happened("host_crashed")}
    return [
        point
        for point in seen.happened("crash_point_reached")
        if (point.fields["site"], point.fields["when"]) in points and (point.host, point.at) in died
    ]


def _between_commit_and_response(seen: Seen) -> int:
    crashes = _died_at(seen, ("commit", "after"), ("response", "before"))
    return sum(bool(seen.in_hand(crash.host, crash.at)) for crash in crashes)


def _right_after_a_response(seen: Seen) -> int:
    return len(_died_at(seen, ("response", "after")))


def _power_cut(seen: Seen) -> int:
    cuts = [c for c in seen.happened("host_crashed") if c.fields["mode"] == "power"]
    return sum(
        any(call.target == cut.host and call.arrived_at <= cut.at for call in seen.calls)
        for cut in cuts
    )


def _with_news_in_the_inbox(seen: Seen) -> int:
    """Count captures that the shop had said yes to before it died, and acted on after that."""
    taken_at = {}
    for webhook in reversed(seen.taken):
        if webhook.type == "payment.succeeded":
            taken_at[webhook.payment] = webhook.call.answered_at
    count = 0
    for payment in seen.evidence.captured():
        shipped = [s.at for s in seen.evidence.shipments if s.order == payment["reference"]]
        since, until = taken_at.get(payment["id"], inf), min(shipped, default=-inf)
        count += any(since <= crash.at < until for crash in seen.happened("host_crashed", SHOP))
    return count


def _restarts(seen: Seen, host: str) -> list[float]:
    return [
        each.at for each in seen.happened("host_started", host) if each.fields["incarnation"] > 1
    ]


def _shop_restarted(seen: Seen) -> int:
    waited = {w.event: w.call.sent_at for w in seen.webhooks if w.call.received_at == inf}
    arrived = {webhook.event: webhook.call.arrived_at for webhook in seen.taken}
    return sum(
        any(waited.get(event, inf) < at < last for at in _restarts(seen, SHOP))
        for event, last in arrived.items()
    )


def _provider_restarted(seen: Seen) -> int:
    first: dict[str, float] = {}
    last: dict[str, float] = {}
    for webhook in seen.webhooks:
        first.setdefault(webhook.event, webhook.call.sent_at)
        last[webhook.event] = webhook.call.sent_at
    return sum(
        any(first[event] < at < last[event] for at in _restarts(seen, PROVIDER)) for event in last
    )


def _called_while_paused(seen: Seen) -> int:
    count = 0
    for pause in seen.happened("host_paused"):
        until = min(
            (r.at for r in seen.happened("host_resumed", pause.host) if r.at > pause.at),
            default=inf,
        )
        count += sum(c.target == pause.host and pause.at < c.arrived_at < until for c in seen.calls)
    return count


def _swallowed(seen: Seen) -> int:
    return sum(call.lost_at < inf for call in seen.calls)


def _hung_up_on(seen: Seen) -> int:
    return sum(call.dropped_at < inf and call.target == PROVIDER for call in seen.calls)


MARKS = (
    Mark(
        "crash_between_commit_and_response",
        "a process died after it had stored what a call asked for, and before it said so",
        _between_commit_and_response,
    ),
    Mark(
        "crash_right_after_a_response",
        "a process died in the instant after it had answered",
        _right_after_a_response,
    ),
    Mark("power_cut", "the power went of a process that others had called", _power_cut),
    Mark(
        "crash_with_news_in_the_inbox",
        "the shop died between taking the news of a capture and sending the goods",
        _with_news_in_the_inbox,
    ),
    Mark(
        "shop_restarted_while_webhooks_waited",
        "a webhook that had failed was taken by the shop after a restart",
        _shop_restarted,
    ),
    Mark(
        "provider_restarted_while_webhooks_waited",
        "a provider that had died sent a webhook again after its restart",
        _provider_restarted,
    ),
    Mark(
        "called_while_standing_still",
        "a process was called while it stood still",
        _called_while_paused,
    ),
    Mark("message_swallowed", "the network swallowed a message without a word", _swallowed),
    Mark("provider_hung_up", "the provider broke a connection off without an answer", _hung_up_on),
)
