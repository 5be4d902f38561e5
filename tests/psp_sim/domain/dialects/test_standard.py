import base64
import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from psp_sim.domain.dialects.dialect import Message, altered
from psp_sim.domain.dialects.standard import Standard

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

# Published by the specification's libraries, and computed with them: id, timestamp, body, header.
VECTORS = [
    (
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        '{"test": 2432232314}',
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
    (
        "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
        1674087231,
        '{"type":"contact.created","timestamp":"2022-11-03T20:26:10.344522Z",'
        '"data":{"id":"1f81eb52-5198-4599-803e-771906343485"}}',
        "v1,ARw42xaAApl/nxRo+iPGYwSaMQaOwMo2eyH5JBRA+bQ=",
    ),
    (
        "msg_unicode_1",
        1767225600,
        '{"name":"Zoë – €5","n":1}',
        "v1,xT+PsvT9jxtD1W2ox6R+lRLW4lSBFgYm8Z615LNvqDE=",
    ),
]


STANDARD = Standard()


def new_secret(source):
    return STANDARD.new_secret(source)


def sign(secrets, message_id, timestamp_s, body, change=lambda signature: signature):
    message = Message(message_id, timestamp_s, "http://sink", "")
    signatures = [change(each) for each in STANDARD.signatures(secrets, message, body)]
    return STANDARD.seal(signatures, message, body).headers["webhook-signature"]


def by_the_library(secret, message_id, timestamp_s, body):
    return Webhook(secret).sign(message_id, datetime.fromtimestamp(timestamp_s, UTC), body)


@pytest.mark.parametrize(("message_id", "timestamp_s", "body", "header"), VECTORS)
def test_signatures_are_those_of_the_published_vectors(message_id, timestamp_s, body, header):
    assert sign([SECRET], message_id, timestamp_s, body.encode()) == header


@given(st.integers(0, 4_000_000_000), st.text(), st.integers())
def test_the_reference_library_makes_the_same_signature(timestamp_s, body, seed):
    secret = new_secret(random.Random(seed))
    ours = sign([secret], "evt_1", timestamp_s, body.encode(errors="replace"))
    theirs = by_the_library(secret, "evt_1", timestamp_s, body.encode(errors="replace").decode())
    assert ours == theirs


def test_two_secrets_make_two_signatures_newest_first():
    both = sign([OTHER, SECRET], "evt_1", 1, b"{}")
    assert both.split(" ") == [sign([OTHER], "evt_1", 1, b"{}"), sign([SECRET], "evt_1", 1, b"{}")]


@given(st.integers(0, 4_000_000_000), st.binary(), st.integers(1, 2))
def test_a_corrupt_header_is_well_formed_and_never_valid(timestamp_s, body, secrets):
    good = sign([SECRET, OTHER][:secrets], "evt_1", timestamp_s, body)
    bad = sign([SECRET, OTHER][:secrets], "evt_1", timestamp_s, body, altered)
    assert len(bad.split(" ")) == secrets
    for part in bad.split(" "):
        version, encoded = part.split(",")
        assert version == "v1"
        assert len(base64.b64decode(encoded, validate=True)) == 32
        assert part not in good.split(" ")


def test_a_new_secret_has_the_form_and_length_that_the_specification_asks_for():
    secret = new_secret(random.Random(1))
    assert secret.startswith("whsec_")
    assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64
    assert secret != new_secret(random.Random(2))
