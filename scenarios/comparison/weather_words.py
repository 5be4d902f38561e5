"""Weather in a sentence: what the faults of a preset do to webhooks and to questions."""

from __future__ import annotations

from collections.abc import Sequence

from psp_sim.domain.distribution import Delay
from psp_sim.domain.duration import format_duration
from psp_sim.domain.faults import VOCABULARY, Fault

NOTHING = "nothing goes wrong"
# What befalls those that a fault hits, after "10 % of attempts at a webhook".
_DOINGS = {
    "drop": "never arrive",
    "delay": "come late ({by})",
    "duplicate": "come {copies}",
    "reorder": "come after newer ones",
    "forge": "bring along an event that was made up",
    "tamper_body": "were changed after signing",
    "wrong_secret": "are signed with a wrong secret",
    "corrupt_signature": "have a signature that does not fit",
    "missing_signature": "have no signature",
    "malformed_signature": "have a signature that cannot be read",
    "stale_timestamp": "were signed too long ago",
    "future_timestamp": "were signed by a clock that runs ahead",
    "truncate_body": "are cut off in the middle",
    "lose_request": "are lost on the way",
    "lose_response": "are carried out, and the answer is lost",
    "error": "get the answer {status}",
    "slow_response": "are answered late ({by})",
    "rate_limit": "get the answer 429",
}

_WHOM = {"webhook": "attempts at each webhook", "api": "questions to the provider"}


def meaning_of(faults: Sequence[Fault]) -> str:
    """Return one sentence: what goes wrong, how often, and for how long."""
    outages = [fault for fault in faults if fault.kind == "outage"]
    rest = _side(faults, "webhook") + _side(faults, "api") + _others(faults)
    if not outages:
        return "; ".join(rest) or NOTHING
    longest_s = max(fault.fields["for"] for fault in outages)
    away = (
        f"after a third of the customers, the provider is away for {format_duration(longest_s)}: "
        "connections break off, and no webhook leaves"
    )
    if not rest:
        return away
    return f"{away}; from then on until five minutes after the last customer, {'; '.join(rest)}"


def _side(faults: Sequence[Fault], side: str) -> list[str]:
    """Say of webhooks, or of questions, what befalls them; whom, only where that changes."""
    said: list[str] = []
    before = None
    for fault in faults:
        if fault.on != side or fault.kind not in _DOINGS:
            continue
        whom = _whom(fault, side)
        share = "" if fault.probability == 1 else f"{100 * fault.probability:g} %"
        subject = share if share and whom == before else _of(share, whom, fault)
        said.append(f"{subject} {_doing(fault)}")
        before = whom
    return [", ".join(said)] if said else []


def _of(share: str, whom: str, fault: Fault) -> str:
    if share:
        return f"{share} of {whom}"
    return whom if fault.attempt else f"all {whom}"


def _whom(fault: Fault, side: str) -> str:
    if fault.attempt is None:
        return _WHOM[side]
    first, last = fault.attempt
    if first == last == 1:
        return f"first {_WHOM[side]}"
    if first == 1:
        return f"the first {last} {_WHOM[side]}"
    return f"{_WHOM[side]} from number {first} to {last}"


def _doing(fault: Fault) -> str:
    copies = fault.fields.get("copies")
    fields = {
        **fault.fields,
        "by": _late(fault.fields.get("by")),
        "copies": "twice" if copies == 2 else f"{copies} times",
    }
    return _DOINGS[fault.kind].format_map(fields)


def _late(by: object) -> str:
    if not isinstance(by, Delay):
        return ""
    values = dict(by.parameters)
    if by.distribution == "fixed":
        return f"by {format_duration(values['value'])}"
    shape = values.pop("alpha", None) or values.pop("sigma", None)
    times = [f"{name} {format_duration(value)}" for name, value in values.items()]
    return ", ".join([by.distribution, *times, *([f"shape {shape:g}"] if shape else [])])


def _others(faults: Sequence[Fault]) -> list[str]:
    """Whatever has no phrase of its own is told as the vocabulary tells it."""
    return [
        f"{fault.kind}: {VOCABULARY[fault.kind].sees}"
        for fault in faults
        if fault.kind not in _DOINGS and fault.kind != "outage"
    ]
