"""One run as marks look at it: the evidence, and the world's trace as calls and happenings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from math import inf
from typing import Any

from scenarios.evidence import Evidence
from scenarios.world.trace import Record
from scenarios.world.world import START_2026

SHOP, PROVIDER = "shop", "psp"
_OF_HOSTS = ("crash_point_reached", "host_crashed", "host_started", "host_paused", "host_resumed")
_OF_CALLS = {
    "request_arrived": "arrived_at",
    "response_sent": "answered_at",
    "response_arrived": "received_at",
    "request_lost": "lost_at",
    "connection_dropped": "dropped_at",
}


@dataclass(slots=True)
class Call:
    """One HTTP request and its answer. Times are in Unix seconds, infinite for what never came."""

    source: str
    target: str
    method: str
    path: str
    body: bytes
    sent_at: float
    arrived_at: float = inf
    answered_at: float = inf
    received_at: float = inf
    lost_at: float = inf
    dropped_at: float = inf
    status: int = 0

    @property
    def is_accepted(self) -> bool:
        """Whether the one who was asked said yes, wherever that answer went."""
        return 200 <= self.status < 300

    @property
    def document(self) -> dict[str, Any]:
        """The JSON object in its body, or an empty one."""
        try:
            document = json.loads(self.body)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}


@dataclass(frozen=True, slots=True)
class Webhook:
    """One call of the provider's to the shop, with what its body says."""

    call: Call
    event: str
    type: str
    payment: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that befell a host."""

    at: float
    kind: str
    host: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """All that a mark may look at."""

    evidence: Evidence
    calls: Sequence[Call]
    happenings: Sequence[Happening]

    @cached_property
    def webhooks(self) -> Sequence[Webhook]:
        """Calls of the provider to the shop that tell of an event, in order of sending."""
        asked = (call for call in self.calls if (call.source, call.target) == (PROVIDER, SHOP))
        return [told for call in asked if (told := _webhook(call)) is not None]

    @cached_property
    def taken(self) -> Sequence[Webhook]:
        """Webhooks that the shop has said yes to, in order of arrival."""
        yes = [webhook for webhook in self.webhooks if webhook.call.is_accepted]
        return sorted(yes, key=lambda webhook: webhook.call.arrived_at)

    @cached_property
    def payment_requests(self) -> dict[str, list[Call]]:
        """The shop's requests for a payment by order, in order of sending."""
        found: dict[str, list[Call]] = {}
        for call in self.asked("POST", "/v1/payments"):
            found.setdefault(str(call.document.get("reference")), []).append(call)
        return found

    def asked(self, method: str, path: str) -> list[Call]:
        """Return the shop's calls to the provider with this method and exact path."""
        return [
            call
            for call in self.calls
            if (call.source, call.target) == (SHOP, PROVIDER)
            and (call.method, call.path) == (method, path)
        ]

    def happened(self, kind: str, host: str | None = None) -> list[Happening]:
        """Return what befell hosts, or one of them."""
        return [each for each in self.happenings if each.kind == kind and host in (None, each.host)]

    def in_hand(self, host: str, at: float) -> list[Call]:
        """Return the calls that a host had got and not answered at a moment."""
        return [
            call
            for call in self.calls
            if call.target == host and call.arrived_at <= at < call.answered_at
        ]


def seen_in(evidence: Evidence, trace: Iterable[Record]) -> Seen:
    """Put a trace in order: what belongs to one call together, and what befell the hosts."""
    calls: dict[int, Call] = {}
    happenings = []
    for record in trace:
        at, fields = START_2026 + record.time_us / 1e6, record.fields
        if record.kind == "request_sent":
            calls[fields["id"]] = Call(
                source=fields["source"],
                target=fields["destination"],
                method=fields["method"],
                path=fields["path"],
                body=fields["body"],
                sent_at=at,
            )
        elif record.kind in _OF_CALLS:
            call = calls[fields["id"]]
            setattr(call, _OF_CALLS[record.kind], at)
            call.status = fields.get("status", call.status)
        elif record.kind in _OF_HOSTS:
            happenings.append(Happening(at, record.kind, fields["host"], fields))
    return Seen(evidence, list(calls.values()), happenings)


def moment(text: str) -> float:
    """Return an ISO 8601 time as Unix seconds."""
    return datetime.fromisoformat(text).timestamp()


def _webhook(call: Call) -> Webhook | None:
    document = call.document
    data = document.get("data")
    if not isinstance(data, dict) or "id" not in document:
        return None
    payment = data.get("payment") or data.get("id")
    sequence = document.get("sequence")
    return Webhook(
        call,
        event=str(document["id"]),
        type=str(document.get("type")),
        payment=str(payment),
        sequence=sequence if isinstance(sequence, int) else 0,
    )
