"""Every dialect, judged by the provider's own published library where there is one."""

import base64
import json
import random
import sys
import time
import warnings

import Adyen
import httpx
import pytest
import stripe
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)
from http_message_signatures import InvalidSignature as InvalidHttpSignature
from square.utils.webhooks_helper import verify_signature as square_verifies
from standardwebhooks import Webhook, WebhookVerificationError
from svix.webhooks import Webhook as SvixWebhook
from svix.webhooks import WebhookVerificationError as SvixRefused

from psp_sim.domain.dialects import DIALECTS, dialect_named
from psp_sim.domain.dialects.adyen import signed_fields
from psp_sim.domain.dialects.dialect import Message, hmac_base64, hmac_hex
from psp_sim.domain.dialects.rfc9421 import key_id
from psp_sim.domain.errors import DialectUnavailable, InvalidRequest
from psp_sim.domain.outgoing import compose

URL = "http://127.0.0.1:9000/hooks?a=1"


def body_of(event_type="payment.succeeded", **fields):
    data = {
        "id": "pay_1",
        "object": "payment",
        "status": event_type.removeprefix("payment."),
        "amount": 1099,
        "currency": "EUR",
        "reference": "order:42 é",
        "payment_method": "card",
        "metadata": {"cart": "7"},
        "failure": None,
        "sequence": 2,
        "created": "2026-01-01T00:00:00.000Z",
    }
    event = {
        "id": "evt_1",
        "type": event_type,
        "timestamp": "2026-01-01T00:00:02.500Z",
        "sequence": 2,
        "data": data | fields,
    }
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False)


def message_of(event_type="payment.succeeded", at=None, **fields):
    return Message(
        "evt_1", int(time.time() if at is None else at), URL, body_of(event_type, **fields)
    )


def sealed(dialect, *secrets, fields=None, **message):
    made = message_of(**message)
    return compose(dialect, secrets, made, fields or {}, lambda: random.Random(5))


# Each verifier answers whether the call is genuine, as a consumer with that library would find.


def by_standardwebhooks(call, secret):
    try:
        Webhook(secret).verify(call.body, call.headers)
        SvixWebhook(secret).verify(call.body, call.headers)
    except (WebhookVerificationError, SvixRefused, ValueError):
        return False
    return True


def by_public_key(call, secret):
    public = DIALECTS["standard-v1a"].shown_secret(secret)
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    at, name = call.headers["webhook-timestamp"], call.headers["webhook-id"]
    for entry in call.headers.get("webhook-signature", "").split():
        version, _, text = entry.partition(",")
        try:
            key.verify(base64.b64decode(text), f"{name}.{at}.".encode() + call.body)
        except (InvalidSignature, ValueError):
            continue
        return version == "v1a"
    return False


def by_stripe(call, secret):
    header = call.headers.get("stripe-signature", "")
    try:
        stripe.Webhook.construct_event(call.body, header, secret)
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        return False
    return True


def by_adyen(call, secret):
    try:
        notification = json.loads(call.body)
        return bool(Adyen.util.is_valid_hmac_notification(notification, secret))
    except (ValueError, TypeError):
        return False


def by_square(call, secret):
    try:
        return square_verifies(
            request_body=call.body.decode(),
            signature_header=call.headers.get("x-square-hmacsha256-signature", ""),
            signature_key=secret,
            notification_url=URL,
        )
    except (ValueError, TypeError):
        return False


def by_hand(header, digest):
    def verify(call, secret):
        return call.headers.get(header) == digest(secret.encode(), call.body)

    return verify


class _Keys(HTTPSignatureKeyResolver):
    def __init__(self, *secrets):
        self.by_name = {key_id(secret): secret for secret in secrets}

    def resolve_public_key(self, key_id: str) -> bytes:
        return base64.b64decode(self.by_name[key_id])


def by_http_message_signatures(call, *secrets, label="sig1"):
    headers = {"content-type": "application/json", **call.headers}
    request = httpx.Request("POST", URL, headers=headers)
    verifier = HTTPMessageVerifier(
        signature_algorithm=algorithms.HMAC_SHA256, key_resolver=_Keys(*secrets)
    )
    verifier.allow_label_only_selection = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            verifier.verify(request, body=call.body, expect_label=label)
    except (InvalidHttpSignature, KeyError, ValueError):
        return False
    return True


VERIFIERS = {
    "standard": by_standardwebhooks,
    "standard-v1a": by_public_key,
    "stripe": by_stripe,
    "adyen": by_adyen,
    "square": by_square,
    "shopify": by_hand("x-shopify-hmac-sha256", hmac_base64),
    "github": by_hand("x-hub-signature-256", lambda key, body: f"sha256={hmac_hex(key, body)}"),
    "rfc9421": by_http_message_signatures,
}

# What a fault does to a call → whether the call can still be told from a genuine one.
SPOILT = ["corrupt_signature", "wrong_secret", "missing_signature", "malformed_signature", "forge"]
HARMLESS = {"oversize_body": {"bytes": 5000}, "unknown_fields": {}}


def secret_for(name, seed=1):
    return DIALECTS[name].new_secret(random.Random(seed))


def test_every_dialect_has_a_verifier_here():
    assert list(VERIFIERS) == list(DIALECTS)


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("event_type", ["payment.succeeded", "payment.failed", "endpoint.test"])
def test_the_providers_own_library_takes_a_call(name, event_type):
    secret = secret_for(name)
    call = sealed(DIALECTS[name], secret, event_type=event_type)
    assert VERIFIERS[name](call, secret)
    assert not VERIFIERS[name](call, secret_for(name, 2))


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("kind", SPOILT)
def test_the_providers_own_library_refuses_a_spoilt_call(name, kind):
    secret = secret_for(name)
    assert not VERIFIERS[name](sealed(DIALECTS[name], secret, fields={kind: {}}), secret)


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("field", ["amount", "currency", "reference", "account"])
def test_a_field_that_was_changed_after_signing_is_found_out(name, field):
    secret = secret_for(name)
    genuine = sealed(DIALECTS[name], secret)
    call = sealed(DIALECTS[name], secret, fields={"tamper_body": {"field": field}})
    assert call.body != genuine.body
    assert not VERIFIERS[name](call, secret)


@pytest.mark.parametrize("amount", [1, 2, 1250])
def test_a_tampered_amount_is_never_what_it_was(amount):
    fields = {"tamper_body": {"field": "amount"}}
    call = sealed(DIALECTS["standard"], secret_for("standard"), fields=fields, amount=amount)
    assert json.loads(call.body)["data"]["amount"] != amount


@pytest.mark.parametrize("name", DIALECTS)
def test_half_a_body_is_not_taken(name):
    secret = secret_for(name)
    genuine = sealed(DIALECTS[name], secret)
    call = sealed(DIALECTS[name], secret, fields={"truncate_body": {}})
    assert call.body == genuine.body[: len(genuine.body) // 2]
    assert not VERIFIERS[name](call, secret)


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("kind", HARMLESS)
def test_what_is_only_unusual_is_validly_signed(name, kind):
    secret = secret_for(name)
    call = sealed(DIALECTS[name], secret, fields={kind: HARMLESS[kind]})
    assert VERIFIERS[name](call, secret)
    if kind == "oversize_body":
        assert len(call.body) >= 5000
    json.loads(call.body)


# Dialect → which of the two secrets a receiver needs during a rotation: the new, the old.
ROTATION = {
    "standard": (True, True),
    "standard-v1a": (True, True),
    "stripe": (True, True),
    "adyen": (False, True),
    "square": (True, False),
    "shopify": (False, True),
    "github": (True, False),
}


@pytest.mark.parametrize("name", ROTATION)
def test_while_a_secret_is_rotated_each_provider_signs_in_its_own_way(name):
    new, old = secret_for(name, 1), secret_for(name, 2)
    call = sealed(DIALECTS[name], new, old)
    assert (VERIFIERS[name](call, new), VERIFIERS[name](call, old)) == ROTATION[name]


def test_http_signatures_have_a_label_per_key_while_one_is_rotated():
    new, old = secret_for("rfc9421", 1), secret_for("rfc9421", 2)
    call = sealed(DIALECTS["rfc9421"], new, old)
    assert by_http_message_signatures(call, new, label="sig1")
    assert by_http_message_signatures(call, old, label="sig2")
    assert not by_http_message_signatures(call, old, label="sig1")


def test_a_dialect_that_is_not_known_is_refused_with_those_that_are():
    with pytest.raises(InvalidRequest, match="use one of standard, standard-v1a, stripe"):
        dialect_named("morse")


def test_without_the_library_for_it_ed25519_is_refused_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric", None)
    with pytest.raises(DialectUnavailable, match=r'pip install "psp-sim\[dialects\]"'):
        DIALECTS["standard-v1a"].new_secret(random.Random(1))


# -- published vectors ----------------------------------------------------------------------------

ADYEN_KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
ADYEN_ITEMS = [
    (
        {
            "pspReference": "7914073381342284",
            "merchantReference": "TestPayment-1407325143704",
            "merchantAccountCode": "TestMerchant",
            "amount": {"currency": "EUR", "value": 1130},
            "eventCode": "AUTHORISATION",
            "success": "true",
        },
        "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0=",
    ),
    (
        {
            "pspReference": "QFQTPCQ8HXSKGK82",
            "originalReference": "7914073381342284",
            "merchantReference": "order:42\\x",
            "merchantAccountCode": "TestMerchant",
            "amount": {"currency": "EUR", "value": 500},
            "eventCode": "REFUND",
            "success": "false",
        },
        "2iNawF3CcEGZ8YeCFvJPQ8wtOWDqj3Gf+ieXGGvhScs=",
    ),
]


@pytest.mark.parametrize(("item", "signature"), ADYEN_ITEMS)
def test_adyen_items_are_signed_as_published(item, signature):
    content = json.dumps({"notificationItems": [{"NotificationRequestItem": item}]}).encode()
    assert DIALECTS["adyen"].signature(ADYEN_KEY, message_of(), content) == signature
    assert hmac_base64(bytes.fromhex(ADYEN_KEY), signed_fields(item).encode()) == signature


V1A_SECRET = (
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
)
V1A = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="


def test_v1a_is_signed_as_published_and_shows_the_public_key():
    dialect, body = DIALECTS["standard-v1a"], b'{"test": 2432232314}'
    message = Message("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, URL, "")
    call = dialect.seal(dialect.signatures([V1A_SECRET], message, body), message, body)
    assert call.headers["webhook-signature"] == V1A
    assert dialect.shown_secret(V1A_SECRET) == "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="


SIMPLE = [
    (
        "stripe",
        "whsec_test_secret",
        '{"id":"evt_test_1","object":"event"}',
        "bb337c5c3b46b3c478b9f2ce24ee5adc3beb975e0b8778e2604bef3039cf3753",
    ),
    ("square", "asdf1234", '{"hello":"world"}', "2kRE5qRU2tR+tBGlDwMEw2avJ7QM4ikPYD/PJ3bd9Og="),
    (
        "shopify",
        "hush",
        '{"id":820982911946154508,"total_price":"598.94"}',
        "98TZ2jsQKGWxt2KrqMM/g7jqlF0bJm1RScef2RpCpQQ=",
    ),
    (
        "shopify",
        "shpss_0123456789abcdef",
        '{"n":"Zoë"}',
        "tCfqkSRyGleal3d6IxOr0dFhjQhLteMBlGaaGFok9tA=",
    ),
    (
        "github",
        "It's a Secret to Everybody",
        "Hello, World!",
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    ),
]


@pytest.mark.parametrize(("name", "secret", "body", "signature"), SIMPLE)
def test_signatures_are_those_of_the_published_vectors(name, secret, body, signature):
    message = Message("evt_1", 1614265330, "https://example.com/webhook", "")
    assert DIALECTS[name].signature(secret, message, body.encode()) == signature


def test_http_signatures_are_made_as_the_recomputed_vector_of_the_rfc():
    from psp_sim.domain.dialects.rfc9421 import content_digest, signature_base

    key = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
    body = b'{"hello": "world"}'
    message = Message("evt_1", 1618884473, "https://example.com/foo?param=Value&Pet=dog", "")
    parameters = (
        '("@method" "@target-uri" "content-type" "content-digest");created=1618884473;'
        'keyid="test-shared-secret";alg="hmac-sha256";expires=1618884773'
    )
    assert content_digest(body) == "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
    made = hmac_base64(base64.b64decode(key), signature_base(message, body, parameters).encode())
    assert made == "cOBobCivAHf/LhT2akZq5QcKlwcwEgRs0wfB8Jnc2rM="


# -- bodies of their own --------------------------------------------------------------------------


def test_stripe_gets_an_event_object_with_a_payment_intent():
    event = json.loads(sealed(DIALECTS["stripe"], "s", event_type="payment.failed").body)
    assert (event["object"], event["type"]) == ("event", "payment_intent.payment_failed")
    intent = event["data"]["object"]
    assert (intent["status"], intent["amount"], intent["currency"]) == (
        "requires_payment_method",
        1099,
        "eur",
    )
    assert intent["metadata"] == {"cart": "7", "reference": "order:42 é"}
    assert event["created"] == 1767225602


def test_adyen_gets_notification_items():
    call = sealed(DIALECTS["adyen"], ADYEN_KEY, event_type="payment.failed")
    [holder] = json.loads(call.body)["notificationItems"]
    item = holder["NotificationRequestItem"]
    assert (item["eventCode"], item["success"]) == ("AUTHORISATION", "false")
    assert (item["pspReference"], item["amount"]) == ("pay_1", {"value": 1099, "currency": "EUR"})
    refund = sealed(DIALECTS["adyen"], ADYEN_KEY, event_type="refund.succeeded")
    [holder] = json.loads(refund.body)["notificationItems"]
    item = holder["NotificationRequestItem"]
    assert (item["eventCode"], item["originalReference"]) == ("REFUND", "pay_1")
