"""From a template and a secret to calls: genuine ones, and ones that are spoilt in one way each.

A template is the body as it goes over the wire, in which ``{event_id}``, ``{event_type}``,
``{timestamp}`` (ISO 8601), ``{unix_time}`` and ``{number}`` (digits that no other event has) are
filled in for each event.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import resources
from typing import Any

from psp_sim.domain.dialects.dialect import Dialect, Message, Sealed
from scenarios.errors import WrongUsage

# The type of the genuine events, in each dialect's words; the others speak the native one.
EVENT_TYPES = {
    "stripe": "payment_intent.succeeded",
    "adyen": "AUTHORISATION",
    "square": "payment.updated",
    "shopify": "orders.paid",
    "github": "push",
}
NATIVE_EVENT_TYPE = "payment.succeeded"
UNKNOWN_EVENT_TYPES = {"adyen": "REVIEWED_BY_PARTNER", "github": "reviewed_by_partner"}
NATIVE_UNKNOWN_EVENT_TYPE = "payment.reviewed_by_partner"

# A number that means money: what an attacker would change.
_AMOUNT = re.compile(rb'"(?:amount|value|total_price)"\s*:\s*"?(\d)')
_LAST_DIGIT = re.compile(rb"(\d)(?!.*\d)", re.DOTALL)
_PLACE_OF_THE_SIGNATURE = b'"additionalData":{"hmacSignature":""},'


def default_template(dialect: str) -> str:
    """Return the body of an event as the provider with this dialect sends it."""
    folder = resources.files("scenarios.probe") / "bodies"
    file = folder / f"{dialect}.json"
    chosen = file if file.is_file() else folder / "standard.json"
    return chosen.read_text(encoding="utf-8").strip()


@dataclass(frozen=True, slots=True)
class Draft:
    """An event before it is signed: what its headers are made from, and its body."""

    message: Message
    content: bytes

    def with_content(self, content: bytes) -> Draft:
        """Return the same event with another body."""
        return replace(self, content=content)

    def aged(self, seconds: float) -> Draft:
        """Return the event as if it had been signed that long ago; negative: in the future."""
        moved = self.message._replace(timestamp_s=int(self.message.timestamp_s - seconds))
        return replace(self, message=moved)

    def altered(self) -> bytes:
        """Return the body with one digit changed: of an amount, if it has one."""
        found = _AMOUNT.search(self.content) or _LAST_DIGIT.search(self.content)
        if found is None:
            return self.content + b" "
        at = found.start(1)
        digit = b"8" if self.content[at : at + 1] == b"9" else b"9"
        return self.content[:at] + digit + self.content[at + 1 :]

    def extended(self, fields: dict[str, Any]) -> Draft:
        """Return the event with further fields at the top; as it is, if it is no JSON object."""
        try:
            document = json.loads(self.content)
        except ValueError:
            return self
        if not isinstance(document, dict):
            return self
        text = json.dumps(document | fields, separators=(",", ":"), ensure_ascii=False)
        return self.with_content(text.encode())


class Composer:
    """Makes events and signs them. ``now`` gives Unix seconds."""

    def __init__(
        self,
        dialect: Dialect,
        secret: str,
        url: str,
        template: str,
        event_type: str | None,
        now: Callable[[], float],
        source: random.Random,
    ) -> None:
        self.dialect = dialect
        self.event_type = event_type or EVENT_TYPES.get(dialect.name, NATIVE_EVENT_TYPE)
        self._secret = secret
        self._url = url
        self._template = template
        self._now = now
        self._source = source

    @property
    def shows_its_type(self) -> bool:
        """Whether the receiver can tell the type of an event, from its body or a header."""
        return "{event_type}" in self._template or self.dialect.name in ("github", "shopify")

    def draft(self, event_type: str | None = None) -> Draft:
        """Return a new event that happens now."""
        kind = event_type or self.event_type
        now = self._now()
        number = str(self._source.randrange(10**15, 10**16))
        timestamp = datetime.fromtimestamp(int(now), UTC).isoformat().replace("+00:00", "Z")
        event_id = f"evt_probe{number}"
        values = {
            "event_id": event_id,
            "event_type": kind,
            "timestamp": timestamp,
            "unix_time": str(int(now)),
            "number": number,
        }
        content = self._template
        for name, value in values.items():
            content = content.replace(f"{{{name}}}", value)
        # Dialects whose headers repeat something of the event read it here.
        headers_from = json.dumps({"id": event_id, "type": kind, "timestamp": timestamp})
        message = Message(event_id, int(now), self._url, headers_from)
        return Draft(message, content.encode())

    def unknown_event_type(self) -> str:
        """Return a type that no receiver has heard of."""
        return UNKNOWN_EVENT_TYPES.get(self.dialect.name, NATIVE_UNKNOWN_EVENT_TYPE)

    def other_secret(self) -> str:
        """Return a secret that was never the endpoint's."""
        return self.dialect.new_secret(self._source)

    def signatures(self, draft: Draft, secrets: Sequence[str] | None = None) -> list[str]:
        """Return one signature for each secret; by default for the endpoint's own."""
        return [
            self.dialect.signature(secret, draft.message, draft.content)
            for secret in (secrets or [self._secret])
        ]

    def signed(self, draft: Draft, secrets: Sequence[str] | None = None) -> Sealed:
        """Return the call, signed with the endpoint's own secret or with others."""
        return self.seal(draft, self.signatures(draft, secrets))

    def rotating(self, draft: Draft, *, newest_first: bool) -> Sealed:
        """Return the call with two signatures, one of them by a secret of somebody else."""
        pair = [self.other_secret(), self._secret]
        return self.signed(draft, pair if newest_first else pair[::-1])

    def seal(self, draft: Draft, signatures: Sequence[str]) -> Sealed:
        """Return the call with signatures that were made elsewhere, or none."""
        return self.dialect.seal(signatures, draft.message, draft.content)

    def check(self) -> None:
        """Sign one event, to see that secret and template will do. Raises WrongUsage."""
        draft = self.draft()
        if self.dialect.signature_header is None and _PLACE_OF_THE_SIGNATURE not in draft.content:
            place = _PLACE_OF_THE_SIGNATURE.decode()
            raise WrongUsage(f"a body for {self.dialect.name} has to contain {place}")
        try:
            self.signed(draft)
        except (ValueError, KeyError, TypeError) as problem:
            raise WrongUsage(
                f"--secret is not one of the dialect {self.dialect.name}, "
                f"or the body cannot be signed: {problem}"
            ) from problem
