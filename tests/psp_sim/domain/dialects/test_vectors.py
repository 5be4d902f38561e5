"""Every published vector is made again to the byte, and no call survives the change of one bit."""

import base64
import json
import random
from pathlib import Path

import pytest

from psp_sim.domain.dialects import DIALECTS
from psp_sim.domain.dialects.adyen import signed_fields
from psp_sim.domain.dialects.dialect import Message, Sealed, hmac_base64
from psp_sim.domain.dialects.rfc9421 import content_digest, signature_base
from tests.psp_sim.domain.dialects.test_dialects import VERIFIERS, body_of, sealed, secret_for

VECTORS = json.loads(Path(__file__).with_name("signature_vectors.json").read_text("utf-8"))
BODY_BITS = 300


def called(name, secret, body, *, message_id="evt_1", at=1, url="http://sink/"):
    """Return the headers that a dialect puts on exactly this body."""
    dialect, content = DIALECTS[name], body.encode()
    # Some dialects have headers of their own, made from the event.
    message = Message(message_id, at, url, body_of())
    return dialect.seal([dialect.signature(secret, message, content)], message, content).headers


@pytest.mark.parametrize(
    ("name", "vector"),
    [("standard", each) for each in VECTORS["standardwebhooks_v1"]]
    + [("standard-v1a", each) for each in VECTORS["standardwebhooks_v1a"]],
)
def test_standard_webhooks(name, vector):
    want = vector["headers"]
    made = called(
        name,
        vector["secret"],
        vector["body"],
        message_id=want["webhook-id"],
        at=int(want["webhook-timestamp"]),
    )
    assert made.items() >= want.items()
    if "public" in vector:
        assert DIALECTS[name].shown_secret(vector["secret"]) == vector["public"]


@pytest.mark.parametrize("vector", VECTORS["stripe"])
def test_stripe(vector):
    want = vector["headers"]["Stripe-Signature"]
    at = int(want.removeprefix("t=").partition(",")[0])
    made = called("stripe", vector["secret"], vector["body"], at=at)["stripe-signature"]
    assert made.startswith(want)


@pytest.mark.parametrize("vector", VECTORS["adyen_item"])
def test_adyen_items(vector):
    [holder] = vector["notification"]["notificationItems"]
    item = holder["NotificationRequestItem"]
    made = DIALECTS["adyen"].signature(
        vector["hmac_key_hex"],
        Message("evt_1", 1, "http://sink/", ""),
        json.dumps(vector["notification"]).encode(),
    )
    assert made == item["additionalData"]["hmacSignature"]
    assert signed_fields(item).count(":") == 7 + item["merchantReference"].count(":")


@pytest.mark.parametrize("vector", VECTORS["adyen_header"])
def test_adyen_headers_are_the_same_hash_over_the_whole_body(vector):
    key = bytes.fromhex(vector["hmac_key_hex"])
    assert hmac_base64(key, vector["body"].encode()) == vector["headers"]["HmacSignature"]


@pytest.mark.parametrize("vector", VECTORS["square"])
def test_square(vector):
    url = vector["notification_url"]
    made = called("square", vector["signature_key"], vector["body"], url=url)
    assert made.items() >= vector["headers"].items()


@pytest.mark.parametrize(
    ("name", "vector"),
    [(name, each) for name in ("shopify", "github") for each in VECTORS[name]],
)
def test_shopify_and_github(name, vector):
    made = called(name, vector["secret"], vector["body"])
    assert made.items() >= {k.lower(): v for k, v in vector["headers"].items()}.items()


def test_http_message_signatures():
    # The first vector covers components that our calls do not sign; the second covers ours.
    vector = VECTORS["rfc9421_hmac"][1]
    headers, body = vector["headers"], vector["body"].encode()
    assert content_digest(body) == headers["Content-Digest"]
    message = Message("evt_1", 1618884473, vector["url"], "")
    base = signature_base(message, body, headers["Signature-Input"].removeprefix("sig1="))
    made = hmac_base64(base64.b64decode(vector["key_b64"]), base.encode())
    assert headers["Signature"] == f"sig1=:{made}:"


def test_no_vector_was_left_out():
    assert {name: len(entries) for name, entries in VECTORS.items()} == {
        "standardwebhooks_v1": 3,
        "standardwebhooks_v1a": 2,
        "stripe": 2,
        "adyen_item": 2,
        "adyen_header": 2,
        "square": 2,
        "shopify": 2,
        "github": 2,
        "rfc9421_hmac": 2,
    }


def flipped(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def signature_of(name, call):
    """Return the signature of a genuine call as it is written, and as bytes."""
    if name == "adyen":
        [holder] = json.loads(call.body)["notificationItems"]
        written = holder["NotificationRequestItem"]["additionalData"]["hmacSignature"]
    else:
        value = call.headers[DIALECTS[name].signature_header]
        strip = {"stripe": ("v1=", ","), "github": ("sha256=", " "), "rfc9421": ("sig1=:", ":")}
        start, end = strip.get(name, (",", " ") if name.startswith("standard") else ("", " "))
        written = value[value.index(start) + len(start) :].partition(end)[0]
    is_hex = name in ("stripe", "github")
    return written, bytes.fromhex(written) if is_hex else base64.b64decode(written)


def with_signature(name, call, written, changed):
    text = changed.hex() if name in ("stripe", "github") else base64.b64encode(changed).decode()
    headers = {key: value.replace(written, text) for key, value in call.headers.items()}
    return Sealed(headers, call.body.replace(written.encode(), text.encode()))


@pytest.mark.parametrize("name", DIALECTS)
def test_one_bit_of_the_signature_decides(name):
    secret = secret_for(name)
    call = sealed(DIALECTS[name], secret)
    written, signature = signature_of(name, call)
    assert VERIFIERS[name](with_signature(name, call, written, signature), secret)
    for bit in range(len(signature) * 8):
        changed = with_signature(name, call, written, flipped(signature, bit))
        assert changed != call
        assert not VERIFIERS[name](changed, secret), bit


# Adyen signs fields, not the body: test_dialects.py changes each of those.
@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "adyen"])
def test_one_bit_of_the_body_decides(name):
    secret = secret_for(name)
    call = sealed(DIALECTS[name], secret)
    for bit in random.Random(3).sample(range(len(call.body) * 8), BODY_BITS):
        assert not VERIFIERS[name](Sealed(call.headers, flipped(call.body, bit)), secret), bit
