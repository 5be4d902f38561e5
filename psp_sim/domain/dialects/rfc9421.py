"""HTTP message signatures: ``Signature-Input`` and ``Signature``, with a ``Content-Digest``.

Source: RFC 9421, section 2.5 (the signature base) and 3.3.3 (hmac-sha256); RFC 9530 for the digest.
The key is base64; ``keyid`` tells which one it is without giving it away. The body is the native
one. The message must be sent to the URL as it is written here, with this content type.
"""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Sequence

from psp_sim.domain.dialects.dialect import Dialect, Message, Sealed, hmac_base64

VALID_S = 300
KEY_BYTES = 64
CONTENT_TYPE = "application/json"


class Rfc9421(Dialect):
    """During a rotation there is one label per key: ``sig1`` the newest, ``sig2`` the one before.

    The signed parameters name the key, so that each signature carries its name: ``BASE64@KEYID``.
    """

    name = "rfc9421"
    signature_header = "signature"

    def new_secret(self, source: random.Random) -> str:
        """Return 64 random bytes in base64."""
        return base64.b64encode(source.randbytes(KEY_BYTES)).decode()

    def signature(self, secret: str, message: Message, content: bytes) -> str:
        """Return base64 and the key's name."""
        name = key_id(secret)
        base = signature_base(message, content, _parameters(message, name))
        return f"{hmac_base64(base64.b64decode(secret), base.encode())}@{name}"

    def seal(self, signatures: Sequence[str], message: Message, content: bytes) -> Sealed:
        """Return the digest, and the pair of headers with a label per signature."""
        headers = {"content-digest": content_digest(content)}
        inputs, values = [], []
        for number, signature in enumerate(signatures, start=1):
            value, _, name = signature.partition("@")
            inputs.append(f"sig{number}={_parameters(message, name)}")
            values.append(f"sig{number}=:{value}:")
        if signatures:
            headers |= {"signature-input": ", ".join(inputs), "signature": ", ".join(values)}
        return Sealed(headers, content)


def _parameters(message: Message, name: str) -> str:
    covered = '"@method" "@target-uri" "content-type" "content-digest"'
    created, expires = message.timestamp_s, message.timestamp_s + VALID_S
    return f'({covered});created={created};keyid="{name}";alg="hmac-sha256";expires={expires}'


def key_id(secret: str) -> str:
    """Return the name of a key."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


def content_digest(content: bytes) -> str:
    """Return the header's value."""
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    return f"sha-256=:{digest}:"


def signature_base(message: Message, content: bytes, parameters: str) -> str:
    """Return the text that is signed: a line per component, no line feed at the end."""
    return "\n".join(
        (
            '"@method": POST',
            f'"@target-uri": {message.url}',
            f'"content-type": {CONTENT_TYPE}',
            f'"content-digest": {content_digest(content)}',
            f'"@signature-params": {parameters}',
        )
    )
