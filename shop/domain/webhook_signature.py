"""Is this webhook from the provider? Header values, raw body, secrets and the time come in.

Standard Webhooks 1.0.0, scheme v1: HMAC-SHA256 over ``{id}.{timestamp}.{body}``, base64, listed in
the header as ``v1,<signature>`` entries separated by spaces, one for each secret in force.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from shop.domain.errors import (
    MalformedWebhook,
    OutsideTimeWindow,
    SignatureMismatch,
    UnusableSecret,
)

TOLERANCE_S = 300.0
PREVIOUS_SECRETS_MAX = 5
_SECRET_PREFIX = "whsec_"  # noqa: S105  the prefix is public
# Printable ASCII without a dot, which would make it ambiguous where the id ends in what was signed.
_ID = re.compile(r"[!-\-/-~]{1,256}", re.ASCII)
# int() would also take "1_0", " 10 " and digits of other scripts, which were never signed as such.
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SignedWebhook:
    """A webhook as it arrived: three header values ("" where missing) and the untouched body."""

    id: str
    timestamp: str
    signature: str
    body: bytes


@dataclass(frozen=True, slots=True)
class PreviousSecret:
    """A secret that was replaced, and the end that was promised for it (Unix seconds)."""

    secret: str = field(repr=False)
    ends_at: float


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """The newest secret, and those before it, newest first, each until it ends."""

    current: str = field(repr=False)
    previous: tuple[PreviousSecret, ...] = ()

    @property
    def previous_ends_at(self) -> float | None:
        """When the last of the previous secrets ends, or ended; None without any."""
        return max((one.ends_at for one in self.previous), default=None)

    def accepted_at(self, now: float) -> tuple[str, ...]:
        """The secrets that a signature may be made with now, newest first."""
        return (self.current, *(one.secret for one in self.previous if now <= one.ends_at))

    def replaced_by(self, secret: str, now: float, ends_at: float) -> WebhookSecrets:
        """The secrets after a rotation: the newest until now ends then, others as they would.

        Of too many the oldest ends, as at the provider.
        """
        replaced = PreviousSecret(self.current, ends_at)
        in_force = tuple(one for one in (replaced, *self.previous) if now < one.ends_at)
        return WebhookSecrets(secret, in_force[:PREVIOUS_SECRETS_MAX] or (replaced,))


def verify(
    webhook: SignedWebhook,
    secrets: Sequence[str],
    *,
    now: float,
    tolerance_s: float = TOLERANCE_S,
) -> None:
    """Return if the webhook was signed with one of the secrets within ``tolerance_s`` of now.

    Raises MalformedWebhook, OutsideTimeWindow (too old, or from the future: a sender whose clock
    runs ahead would otherwise make signatures that can be replayed for longer) or
    SignatureMismatch. Nothing that a stranger can send raises anything else.
    """
    signed_at = _timestamp_of(webhook)
    if abs(now - signed_at) > tolerance_s:
        raise OutsideTimeWindow(
            f"webhook-timestamp is {abs(now - signed_at):.0f} s away from our clock, "
            f"more than {tolerance_s:.0f} s"
        )
    offered = [
        entry.removeprefix("v1,").encode(errors="replace")
        for entry in webhook.signature.split(" ")
        if entry.startswith("v1,")
    ]
    matches = False
    for secret in secrets:
        expected = signature_of(webhook, secret)
        for candidate in offered:
            matches |= hmac.compare_digest(expected, candidate)
    if not matches:
        raise SignatureMismatch("no v1 signature in webhook-signature was made with our secret")


def signature_of(webhook: SignedWebhook, secret: str) -> bytes:
    """The base64 signature, without its ``v1,``.

    Texts are compared, not decoded bytes: several texts decode to the same bytes.
    """
    content = b".".join((webhook.id.encode(), webhook.timestamp.encode(), webhook.body))
    return base64.b64encode(hmac.digest(key_of(secret), content, hashlib.sha256))


def key_of(secret: str) -> bytes:
    """The key inside ``whsec_<base64>``. Raises UnusableSecret."""
    text = secret.removeprefix(_SECRET_PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as problem:
        raise UnusableSecret("the webhook secret is not whsec_ and base64") from problem
    if not key:
        raise UnusableSecret("the webhook secret is empty: anybody could sign with it")
    return key


def _timestamp_of(webhook: SignedWebhook) -> int:
    """Check what all three headers look like; return the time of signing in Unix seconds."""
    for name, value in (
        ("webhook-id", webhook.id),
        ("webhook-timestamp", webhook.timestamp),
        ("webhook-signature", webhook.signature),
    ):
        if not value:
            raise MalformedWebhook(f"the header {name} is missing")
    if _ID.fullmatch(webhook.id) is None:
        raise MalformedWebhook(
            "webhook-id is not 1 to 256 printable ASCII characters without a dot"
        )
    if _TIMESTAMP.fullmatch(webhook.timestamp) is None:
        raise MalformedWebhook("webhook-timestamp is not a whole number of Unix seconds")
    return int(webhook.timestamp)
