"""One call to an endpoint, put together: event, dialect, secrets and faults give headers and body.

Every way in which a call can be spoilt is here, so that each dialect is spoilt alike.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from psp_sim.domain.dialects.dialect import Dialect, Message, Sealed, altered

# Signatures that no scheme can read: naive verifiers break on each in another way. An empty one is
# the beginning of any other.
MALFORMED = ("%%%", "!", "=", "a", "")

# What a provider may add tomorrow; the receiver has never heard of it.
UNKNOWN_EVENT_TYPE = "payment.reviewed_by_partner"
NEW_FIELDS: Mapping[str, object] = {
    "added_later": {"version": 2, "parts": [1.5, "zwölf 🐎", None]},
    "empty_later": None,
}

Fields = Mapping[str, Mapping[str, Any]]


def compose(
    dialect: Dialect,
    secrets: Sequence[str],
    message: Message,
    fields: Fields,
    chance: Callable[[], random.Random],
    ended: Sequence[str] = (),
) -> Sealed:
    """Return what goes over the wire. ``fields`` has the faults that act on this call by kind.

    ``chance`` is asked for a generator only where a fault needs one. ``ended`` are secrets that
    signed once.
    """
    message = _before_signing(message, fields)
    content = dialect.content(message)
    if not fields:
        return dialect.seal(dialect.signatures(secrets, message, content), message, content)
    if "oversize_body" in fields:
        # Spaces at the end: still valid JSON, and validly signed, in every dialect.
        content = content.ljust(fields["oversize_body"]["bytes"])
    if "wrong_secret" in fields or "forge" in fields:
        secrets = _wrong_secrets(dialect, ended, fields, chance)
    signatures = _signatures(dialect, secrets, message, content, fields, chance)
    if "tamper_body" in fields:
        tampered = message._replace(body=_tampered(message.body, fields["tamper_body"]["field"]))
        content = dialect.content(tampered)
    sealed = dialect.seal(signatures, message, content)
    if "truncate_body" in fields:
        sealed = sealed._replace(body=sealed.body[: len(sealed.body) // 2])
    return sealed


def forged(body: str, event_id: str, event_type: str) -> str:
    """Return an event that never happened, as somebody would make it who knows the format."""

    def forge(event: dict[str, Any]) -> None:
        event |= {"id": event_id, "type": event_type, "sequence": event["sequence"] + 1}
        family, _, status = event_type.partition(".")
        if event["data"].get("object") == family == "payment":
            event["data"] |= {"status": status, "failure": None, "sequence": event["sequence"]}

    return _edited(body, forge)


def of_unknown_type(body: str, event_id: str) -> str:
    """Return a genuine event of a type that did not exist when the receiver was written."""
    return _edited(body, lambda event: event.update(id=event_id, type=UNKNOWN_EVENT_TYPE))


def _before_signing(message: Message, fields: Fields) -> Message:
    if "unknown_fields" not in fields:
        return message

    def add(event: dict[str, Any]) -> None:
        event["data"] |= NEW_FIELDS
        event |= NEW_FIELDS

    return message._replace(body=_edited(message.body, add))


def _signatures(
    dialect: Dialect,
    secrets: Sequence[str],
    message: Message,
    content: bytes,
    fields: Fields,
    chance: Callable[[], random.Random],
) -> list[str]:
    if "missing_signature" in fields:
        return []
    if "malformed_signature" in fields:
        return [chance().choice(MALFORMED)]
    signatures = dialect.signatures(secrets, message, content)
    return [altered(each) for each in signatures] if "corrupt_signature" in fields else signatures


def _wrong_secrets(
    dialect: Dialect, ended: Sequence[str], fields: Fields, chance: Callable[[], random.Random]
) -> Sequence[str]:
    """Return the secret that ended last, if the fault wants it and there is one; else a new one."""
    if ended and fields.get("wrong_secret", {}).get("secret") == "ended":
        return ended[:1]
    return [dialect.new_secret(chance())]


def _tampered(body: str, name: str) -> str:
    def tamper(event: dict[str, Any]) -> None:
        data = event["data"]
        changed: Mapping[str, object] = {
            "amount": 1 if data.get("amount") != 1 else 2,
            "currency": "JPY" if data.get("currency") != "JPY" else "EUR",
            "reference": f"{data.get('reference')}-of-another",
            "account": "acct_of_another",
        }
        data[name] = changed[name]

    return _edited(body, tamper)


def _edited(body: str, edit: Callable[[dict[str, Any]], object]) -> str:
    event = json.loads(body)
    edit(event)
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False)
