"""The flood's signatures, made without a line of ours, convince the providers' own libraries."""

import json
import random
import time

import pytest

from loadtests.invented_events import event_body
from loadtests.signing import DIALECTS, Letter, sign
from psp_sim.domain.dialects.dialect import Sealed
from tests.psp_sim.domain.dialects.test_dialects import URL, VERIFIERS, secret_for


def letter():
    event = json.loads(body := event_body())
    return Letter(event["id"], event["type"], int(time.time()), URL, body)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_webhook_of_the_flood_is_genuine(dialect):
    secret = secret_for(dialect)
    call = Sealed(*sign(dialect, secret, letter()))
    assert VERIFIERS[dialect](call, secret)
    assert not VERIFIERS[dialect](call, secret_for(dialect, 2))


def test_each_event_is_another_one():
    bodies = [json.loads(event_body()) for _ in range(random.Random(1).randint(5, 9))]
    assert len({event["id"] for event in bodies}) == len(bodies)
