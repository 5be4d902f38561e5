"""The kinds of faults in force come in; what they excuse, and for how long to wait, goes out.

Kinds are a text like ``drop,lose_response``, as the variable ``LOAD_FAULTS`` has them. Where there
are none, nothing is excused but an answer that names itself a fault's.
"""

from __future__ import annotations

FAULTS = "LOAD_FAULTS"
# Under these an answer is missing because it was to be missing.
_LOSING = frozenset(("lose_request", "lose_response", "outage"))
_OUTAGE = "outage"
# What a proxy makes of a connection that breaks off.
_BAD_GATEWAY = 502
_NO_ANSWER = 0
# What a fault answers, and the least status of it.
_INJECTED = ("simulated_error", "rate_limited")
_INJECTED_FROM = 429

_PAID_WITHIN_S, _POLL_TIMEOUT_S = 30.0, 30.0
# A shop waits 5 s for each answer that is lost, and asks about an order after a minute.
_PAID_WITHIN_WHERE_LOST_S, _POLL_TIMEOUT_WHERE_LOST_S = 120.0, 3.0
# Buyers that wait when the time is up may see their orders paid: as long as they would have waited.
_STOP_MARGIN_S = 5.0


def is_forgiven(status: int, code: object, kinds: str) -> bool:
    """Tell whether a fault was to answer so. The status is 0 where there was no answer."""
    if status == _NO_ANSWER:
        return _are_lost(kinds)
    if status == _BAD_GATEWAY and code is None:
        return _OUTAGE in kinds.split(",")
    return status >= _INJECTED_FROM and code in _INJECTED


def paid_within_s(kinds: str) -> float:
    """Return how long a buyer waits for an order to be paid."""
    return _PAID_WITHIN_WHERE_LOST_S if _are_lost(kinds) else _PAID_WITHIN_S


def stop_timeout_s(kinds: str) -> float:
    """Return how long those who are still waiting may go on when the time is up."""
    return paid_within_s(kinds) + _STOP_MARGIN_S


def poll_timeout_s(kinds: str) -> float:
    """Return how long a poller waits for an answer: no longer than worth it, if some never come."""
    return _POLL_TIMEOUT_WHERE_LOST_S if _are_lost(kinds) else _POLL_TIMEOUT_S


def _are_lost(kinds: str) -> bool:
    return not _LOSING.isdisjoint(kinds.split(","))
