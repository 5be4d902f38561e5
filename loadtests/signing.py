"""A webhook's body, a secret and the time come in; the headers that prove it genuine go out.

Written from the providers' own documents, and from nothing of ours: a mistake that sender and
receiver shared would otherwise go unseen. ``standard`` is Standard Webhooks 1.0.0, ``rfc9421``
HTTP message signatures; the others are named for whose they are.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass

SIGNATURE_VALID_S = 300


@dataclass(frozen=True)
class Letter:
    """What is to be sent. ``at`` is in Unix seconds."""

    id: str
    type: str
    at: int
    url: str
    body: bytes


Signed = tuple[dict[str, str], bytes]
"""Headers, and the body as it is sent."""


def sign(dialect: str, secret: str, letter: Letter) -> Signed:
    """Return what goes over the wire. Raises KeyError for a dialect that is not in DIALECTS."""
    headers, body = DIALECTS[dialect](secret, letter)
    return {"content-type": "application/json", **headers}, body


def _standard(secret: str, letter: Letter) -> Signed:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = _base64(key, b"%s.%d.%s" % (letter.id.encode(), letter.at, letter.body))
    headers = {"webhook-id": letter.id, "webhook-timestamp": str(letter.at)}
    return {**headers, "webhook-signature": f"v1,{signature}"}, letter.body


def _stripe(secret: str, letter: Letter) -> Signed:
    signature = _digest(secret.encode(), b"%d.%s" % (letter.at, letter.body)).hex()
    return {"stripe-signature": f"t={letter.at},v1={signature}"}, letter.body


def _adyen(secret: str, letter: Letter) -> Signed:
    """The signature is in the body, over eight fields; the key is hex."""
    payment = json.loads(letter.body)["data"]
    amount = {"value": payment["amount"], "currency": payment["currency"]}
    item = {
        "pspReference": letter.id,
        "originalReference": payment["id"],
        "merchantAccountCode": "LoadTest",
        "merchantReference": payment["reference"],
        "amount": amount,
        "eventCode": "CAPTURE",
        "success": "true",
    }
    names = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference")
    fields = [*(item[name] for name in names), amount["value"], amount["currency"]]
    text = ":".join(map(str, [*fields, item["eventCode"], item["success"]]))
    item["additionalData"] = {"hmacSignature": _base64(bytes.fromhex(secret), text.encode())}
    notification = {"live": "false", "notificationItems": [{"NotificationRequestItem": item}]}
    return {}, json.dumps(notification).encode()


def _square(secret: str, letter: Letter) -> Signed:
    signature = _base64(secret.encode(), letter.url.encode() + letter.body)
    return {"x-square-hmacsha256-signature": signature}, letter.body


def _shopify(secret: str, letter: Letter) -> Signed:
    headers = {"x-shopify-webhook-id": letter.id, "x-shopify-topic": letter.type.replace(".", "/")}
    return {**headers, "x-shopify-hmac-sha256": _base64(secret.encode(), letter.body)}, letter.body


def _github(secret: str, letter: Letter) -> Signed:
    headers = {"x-github-event": letter.type, "x-github-delivery": letter.id}
    signature = _digest(secret.encode(), letter.body).hex()
    return {**headers, "x-hub-signature-256": f"sha256={signature}"}, letter.body


def _rfc9421(secret: str, letter: Letter) -> Signed:
    digest = base64.b64encode(hashlib.sha256(letter.body).digest()).decode()
    key_name = hashlib.sha256(secret.encode()).hexdigest()[:16]
    parameters = (
        f'("@method" "@target-uri" "content-type" "content-digest");created={letter.at};'
        f'keyid="{key_name}";alg="hmac-sha256";expires={letter.at + SIGNATURE_VALID_S}'
    )
    base = (
        f'"@method": POST\n"@target-uri": {letter.url}\n"content-type": application/json\n'
        f'"content-digest": sha-256=:{digest}:\n"@signature-params": {parameters}'
    )
    headers = {
        "content-digest": f"sha-256=:{digest}:",
        "signature-input": f"sig1={parameters}",
        "signature": f"sig1=:{_base64(base64.b64decode(secret), base.encode())}:",
    }
    return headers, letter.body


def _digest(key: bytes, content: bytes) -> bytes:
    return hmac.digest(key, content, hashlib.sha256)


def _base64(key: bytes, content: bytes) -> str:
    return base64.b64encode(_digest(key, content)).decode()


DIALECTS: dict[str, Callable[[str, Letter], Signed]] = {
    "standard": _standard,
    "stripe": _stripe,
    "adyen": _adyen,
    "square": _square,
    "shopify": _shopify,
    "github": _github,
    "rfc9421": _rfc9421,
}
