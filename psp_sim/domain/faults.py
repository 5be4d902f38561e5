"""The fault vocabulary: every kind of fault, the fields it takes, and how one is written down.

The same words serve configuration, the control API, ``metadata.sim``, scenario files and the docs.
Faults are named for what the victim sees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from psp_sim.domain.distribution import fixed, parse_delay
from psp_sim.domain.duration import parse_duration
from psp_sim.domain.errors import InvalidFault
from psp_sim.domain.event import EVENT_TYPES
from psp_sim.domain.payment import DECLINE_CODES

Parser = Callable[[object], Any]

# The operations of the API, by the names of their routes.
OPERATIONS = (
    "create_payment",
    "list_payments",
    "read_payment",
    "capture_payment",
    "cancel_payment",
    "authenticate_payment",
    "create_refund",
    "list_refunds",
    "read_refund",
    "list_events",
    "stream_events",
    "read_event",
    "create_endpoint",
    "list_endpoints",
    "read_endpoint",
    "delete_endpoint",
    "rotate_secret",
    "list_deliveries",
    "update_endpoint",
    "enable_endpoint",
    "test_endpoint",
    "recover_endpoint",
    "redeliver",
)


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A word of the vocabulary: what it acts on, what the victim sees, its fields with defaults."""

    name: str
    on: str
    sees: str
    fields: Mapping[str, tuple[Parser, Any]] = field(default_factory=dict)


class Moment(NamedTuple):
    """Where a fault may act: compared with a fault's selector, None standing for 'not known'."""

    event: str | None = None
    operation: str | None = None
    order: int | None = None
    reference: str | None = None
    attempt: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind, aimed by a selector. ``times`` bounds how often it fires."""

    kind: str
    event: str | None = None
    operation: str | None = None
    order: int | str | None = None
    attempt: tuple[int, int] | None = None
    probability: float = 1.0
    times: int | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def on(self) -> str:
        """What the fault acts on: webhook, api, provider or payment."""
        return VOCABULARY[self.kind].on

    def matches(self, moment: Moment) -> bool:
        """Tell whether the selector covers the moment; a part that is not given covers all."""
        if self.event is not None and self.event != moment.event:
            return False
        if self.operation is not None and self.operation != moment.operation:
            return False
        if self.order is not None and self.order not in (moment.order, moment.reference):
            return False
        if self.on == "payment" and (self.kind == "refund_fails") != (
            moment.operation == "create_refund"
        ):
            return False  # what becomes of a payment is decided when it is made, of a refund too
        if self.kind == "reorder" and self.fields["after"] == moment.event is not None:
            return False  # an event that waited for itself would never leave
        if self.attempt is None:
            return True
        first, last = self.attempt
        return moment.attempt is not None and first <= moment.attempt <= last


def _whole(minimum: int, maximum: int) -> Parser:
    def parse(value: object) -> int:
        whole = isinstance(value, int) and not isinstance(value, bool)
        if whole and minimum <= int(str(value)) <= maximum:
            return int(str(value))
        raise ValueError(f"{value!r} is not a whole number from {minimum} to {maximum}")

    return parse


def _choice(*allowed: str) -> Parser:
    def parse(value: object) -> str:
        if isinstance(value, str) and value in allowed:
            return value
        raise ValueError(f"{value!r} is not one of {', '.join(allowed)}")

    return parse


def parse_span(value: object) -> tuple[int, int]:
    """Read an attempt number, or a span of them like ``"1..3"``. Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return (value, value)
    if isinstance(value, str):
        first, dots, last = value.partition("..")
        is_span = dots and len(value) < 20 and first.isdecimal() and last.isdecimal()
        if is_span and 1 <= int(first) <= int(last):
            return (int(first), int(last))
    raise ValueError(f'{value!r} is not an attempt: write 2, or "1..3" for the first three')


def _order(value: object) -> int | str:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    if isinstance(value, str) and value:
        return value
    raise ValueError(f"{value!r} is not an order: write 1 for the first order, or its reference")


def _probability(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise ValueError(f"{value!r} is not a probability from 0 to 1")


VOCABULARY: dict[str, FaultKind] = {
    kind.name: kind
    for kind in (
        FaultKind("drop", "webhook", "an attempt that was sent never arrives; no answer comes"),
        FaultKind(
            "delay",
            "webhook",
            "a late webhook: held back and signed late, or signed in time and slow in the network",
            {
                "by": (parse_delay, fixed(30.0)),
                "where": (_choice("provider", "network"), "provider"),
            },
        ),
        FaultKind(
            "duplicate",
            "webhook",
            "the same fact again; with spacing 0 at the same time",
            {
                "copies": (_whole(2, 100), 2),
                "ids": (_choice("same", "new"), "same"),
                "spacing": (parse_duration, 0.0),
            },
        ),
        FaultKind(
            "reorder",
            "webhook",
            "a newer event first",
            {"window": (parse_duration, 60.0), "after": (_choice(*EVENT_TYPES), None)},
        ),
        FaultKind("corrupt_signature", "webhook", "a call whose signature does not fit its body"),
        FaultKind(
            "stale_timestamp",
            "webhook",
            "a validly signed call from outside the time window, as in a replay attack",
            {"by": (parse_duration, 600.0)},
        ),
        FaultKind(
            "future_timestamp",
            "webhook",
            "a validly signed call from a clock that runs ahead",
            {"by": (parse_duration, 600.0)},
        ),
        FaultKind(
            "wrong_secret",
            "webhook",
            "a call signed with a secret that was never ours, or is no longer",
            {"secret": (_choice("unknown", "ended"), "unknown")},
        ),
        FaultKind("missing_signature", "webhook", "a call that nobody has signed"),
        FaultKind("malformed_signature", "webhook", "a call whose signature cannot be read"),
        FaultKind(
            "tamper_body",
            "webhook",
            "a genuine call in which a field was changed after signing",
            {"field": (_choice("amount", "currency", "reference", "account"), "amount")},
        ),
        FaultKind(
            "forge",
            "webhook",
            "beside the genuine call, an event that the provider never made",
            {"event": (_choice(*EVENT_TYPES), "payment.succeeded")},
        ),
        FaultKind(
            "slow_body",
            "webhook",
            "a body that trickles in",
            {"by": (parse_duration, 5.0)},
        ),
        FaultKind("truncate_body", "webhook", "a body whose second half is missing"),
        FaultKind(
            "oversize_body",
            "webhook",
            "a validly signed body far larger than any event",
            {"bytes": (_whole(1, 16_777_216), 2_097_152)},
        ),
        FaultKind(
            "unknown_event_type",
            "webhook",
            "beside the genuine call, a genuine event of a type that nobody has heard of",
        ),
        FaultKind("unknown_fields", "webhook", "a genuine call with fields that are new"),
        FaultKind("lose_request", "api", "no answer; nothing happened"),
        FaultKind("lose_response", "api", "no answer; it did happen"),
        FaultKind(
            "error",
            "api",
            "an error status, with or without effect",
            {"status": (_whole(400, 599), 503), "when": (_choice("before", "after"), "before")},
        ),
        FaultKind(
            "slow_response",
            "api",
            "a late answer; it did happen",
            {"by": (parse_delay, fixed(3.0))},
        ),
        FaultKind(
            "hold_response",
            "api",
            "the webhook overtakes the answer: that waits until the event was delivered",
            {"until": (_choice(*EVENT_TYPES), "payment.succeeded"), "by": (parse_duration, 60.0)},
        ),
        FaultKind(
            "rate_limit",
            "api",
            "429 with Retry-After; nothing happened",
            {"retry_after": (parse_duration, 5.0)},
        ),
        FaultKind(
            "outage",
            "provider",
            "connections break off without an answer, and no webhook leaves",
            {"for": (parse_duration, 60.0)},
        ),
        FaultKind(
            "decline",
            "payment",
            "the payment fails at settlement",
            {"code": (_choice(*DECLINE_CODES), "card_declined")},
        ),
        FaultKind("require_action", "payment", "who pays has to approve the payment first"),
        FaultKind(
            "settle_after", "payment", "a late outcome", {"by": (parse_delay, fixed(3600.0))}
        ),
        FaultKind("never_settle", "payment", "no outcome ever: the payment stays processing"),
        FaultKind(
            "fail_late",
            "payment",
            "the payment succeeds, and later fails: the bank takes the money back",
            {"by": (parse_delay, fixed(60.0))},
        ),
        FaultKind(
            "refund_fails",
            "payment",
            "a refund succeeds, and later fails: the bank returns it",
            {"by": (parse_delay, fixed(60.0))},
        ),
        FaultKind(
            "dispute",
            "payment",
            "the payment succeeds, then is disputed, and the dispute is decided",
            {
                "by": (parse_delay, fixed(60.0)),
                "decided_after": (parse_delay, fixed(60.0)),
                "outcome": (_choice("won", "lost"), "lost"),
            },
        ),
    )
}

# Selector fields → how to read them. A kind takes only those that can apply to it.
_SELECTORS: dict[str, Parser] = {
    "event": _choice(*EVENT_TYPES),
    "operation": _choice(*OPERATIONS),
    "order": _order,
    "attempt": parse_span,
}
SELECTORS_ON: dict[str, tuple[str, ...]] = {
    "webhook": ("event", "order", "attempt"),
    "api": ("operation", "order", "attempt"),
    "provider": (),
    "payment": ("order",),
}
_CHANCE: dict[str, Parser] = {"probability": _probability, "times": _whole(1, 1_000_000)}
CHANCE_FIELDS = tuple(_CHANCE)


def parse_fault(document: object) -> Fault:
    """Read one fault, like ``{"kind": "drop", "event": "payment.succeeded", "attempt": 1}``.

    Raises InvalidFault with a sentence that names the key and what is allowed.
    """
    if not isinstance(document, Mapping):
        raise InvalidFault('a fault is an object like {"kind": "drop", "attempt": 1}')
    kind = VOCABULARY.get(str(document.get("kind")))
    if kind is None:
        raise InvalidFault(
            f"kind {document.get('kind')!r} is not a fault: use one of {', '.join(VOCABULARY)}"
        )
    # An outage simply is, from the moment it is installed: there is nothing to draw or to count.
    chance = {} if kind.on == "provider" else _CHANCE
    # A field may bear a selector's name: what forge makes is no filter of what it comes with.
    selectors = [name for name in SELECTORS_ON[kind.on] if name not in kind.fields]
    aims = {name: _SELECTORS[name] for name in selectors} | chance
    allowed = [*aims, *kind.fields]
    for key in document:
        if key != "kind" and key not in allowed:
            raise InvalidFault(f"{key!r} is not a field of {kind.name}: use {', '.join(allowed)}")
    aim = {
        key: _read(kind.name, key, parser, document[key])
        for key, parser in aims.items()
        if key in document
    }
    fields = {
        key: _read(kind.name, key, parser, document[key]) if key in document else default
        for key, (parser, default) in kind.fields.items()
    }
    return Fault(kind=kind.name, fields=fields, **aim)


def _read(kind: str, key: str, parser: Parser, value: object) -> Any:
    try:
        return parser(value)
    except ValueError as problem:
        raise InvalidFault(f"{key} of {kind}: {problem}") from problem
