import json

import pytest

from psp_sim.domain.distribution import fixed
from psp_sim.domain.errors import InvalidFault
from psp_sim.domain.faults import SELECTORS_ON, VOCABULARY, Moment, parse_fault

# Kind → its fields as they are when none is given. A new kind has to be added here.
DEFAULTS = {
    "drop": {},
    "delay": {"by": fixed(30.0), "where": "provider"},
    "duplicate": {"copies": 2, "ids": "same", "spacing": 0.0},
    "reorder": {"window": 60.0, "after": None},
    "corrupt_signature": {},
    "stale_timestamp": {"by": 600.0},
    "future_timestamp": {"by": 600.0},
    "wrong_secret": {"secret": "unknown"},
    "missing_signature": {},
    "malformed_signature": {},
    "tamper_body": {"field": "amount"},
    "forge": {"event": "payment.succeeded"},
    "slow_body": {"by": 5.0},
    "truncate_body": {},
    "oversize_body": {"bytes": 2_097_152},
    "unknown_event_type": {},
    "unknown_fields": {},
    "lose_request": {},
    "lose_response": {},
    "error": {"status": 503, "when": "before"},
    "slow_response": {"by": fixed(3.0)},
    "hold_response": {"until": "payment.succeeded", "by": 60.0},
    "rate_limit": {"retry_after": 5.0},
    "outage": {"for": 60.0},
    "decline": {"code": "card_declined"},
    "require_action": {},
    "settle_after": {"by": fixed(3600.0)},
    "never_settle": {},
    "fail_late": {"by": fixed(60.0)},
    "refund_fails": {"by": fixed(60.0)},
    "dispute": {"by": fixed(60.0), "decided_after": fixed(60.0), "outcome": "lost"},
}


def test_every_kind_is_tested_here():
    assert list(DEFAULTS) == list(VOCABULARY)


@pytest.mark.parametrize("kind", VOCABULARY)
def test_a_kind_alone_is_a_fault_with_its_defaults(kind):
    fault = parse_fault({"kind": kind})
    assert fault.kind == kind
    assert fault.fields == DEFAULTS[kind]
    assert (fault.probability, fault.times, fault.attempt, fault.order) == (1.0, None, None, None)


@pytest.mark.parametrize("kind", VOCABULARY)
def test_every_kind_says_in_a_line_what_the_victim_sees(kind):
    assert 10 < len(VOCABULARY[kind].sees) < 100
    assert VOCABULARY[kind].on in SELECTORS_ON


@pytest.mark.parametrize(
    ("document", "field", "value"),
    [
        ({"kind": "delay", "by": "5s"}, "by", fixed(5.0)),
        ({"kind": "delay", "where": "network"}, "where", "network"),
        ({"kind": "duplicate", "copies": 3}, "copies", 3),
        ({"kind": "duplicate", "ids": "new"}, "ids", "new"),
        ({"kind": "duplicate", "spacing": "20s"}, "spacing", 20.0),
        ({"kind": "reorder", "window": "2m"}, "window", 120.0),
        ({"kind": "reorder", "after": "payment.succeeded"}, "after", "payment.succeeded"),
        ({"kind": "stale_timestamp", "by": "1h"}, "by", 3600.0),
        ({"kind": "future_timestamp", "by": "1h"}, "by", 3600.0),
        ({"kind": "error", "status": 500}, "status", 500),
        ({"kind": "error", "when": "after"}, "when", "after"),
        ({"kind": "outage", "for": "5m"}, "for", 300.0),
        ({"kind": "decline", "code": "expired_card"}, "code", "expired_card"),
    ],
)
def test_a_field_is_read(document, field, value):
    assert parse_fault(document).fields[field] == value


def test_selectors_chance_and_limit_are_read():
    fault = parse_fault(
        {
            "kind": "drop",
            "event": "payment.succeeded",
            "order": 3,
            "attempt": "1..3",
            "probability": 0.5,
            "times": 4,
        }
    )
    assert (fault.event, fault.order, fault.attempt) == ("payment.succeeded", 3, (1, 3))
    assert (fault.probability, fault.times) == (0.5, 4)
    assert parse_fault({"kind": "error", "operation": "create_payment"}).operation
    assert parse_fault({"kind": "decline", "order": "ord_1"}).order == "ord_1"
    assert parse_fault({"kind": "drop", "attempt": 2}).attempt == (2, 2)


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        (None, 'a fault is an object like {"kind": "drop"'),
        (["drop"], 'a fault is an object like {"kind": "drop"'),
        ({}, "kind None is not a fault: use one of drop, delay, duplicate"),
        ({"kind": "explode"}, "kind 'explode' is not a fault: use one of drop, delay"),
        ({"kind": ["drop"]}, "is not a fault: use one of drop"),
        (
            {"kind": "drop", "by": 1},
            "'by' is not a field of drop: use event, order, attempt, probability, times",
        ),
        ({"kind": "drop", "operation": "create_payment"}, "'operation' is not a field of drop"),
        ({"kind": "error", "event": "payment.succeeded"}, "'event' is not a field of error"),
        ({"kind": "decline", "attempt": 1}, "'attempt' is not a field of decline: use order"),
        ({"kind": "outage", "order": 1}, "'order' is not a field of outage: use for"),
        ({"kind": "outage", "probability": 0.5}, "'probability' is not a field of outage: use for"),
        ({"kind": "outage", "times": 2}, "'times' is not a field of outage: use for"),
        (
            {"kind": "drop", "attempt": 0},
            'attempt of drop: 0 is not an attempt: write 2, or "1..3"',
        ),
        ({"kind": "drop", "attempt": "3..1"}, "'3..1' is not an attempt"),
        ({"kind": "drop", "attempt": "1-3"}, "'1-3' is not an attempt"),
        ({"kind": "drop", "attempt": "9" * 5000 + ".." + "9" * 5000}, "is not an attempt"),
        ({"kind": "drop", "attempt": True}, "True is not an attempt"),
        ({"kind": "drop", "order": 0}, "order of drop: 0 is not an order: write 1 for the first"),
        ({"kind": "drop", "order": ""}, "'' is not an order"),
        (
            {"kind": "drop", "event": "payment.paid"},
            "'payment.paid' is not one of payment.requires",
        ),
        ({"kind": "drop", "event": 7}, "event of drop: 7 is not one of payment.requires_action"),
        ({"kind": "error", "operation": "pay"}, "'pay' is not one of create_payment"),
        ({"kind": "reorder", "after": "later"}, "after of reorder: 'later' is not one of payment"),
        ({"kind": "drop", "probability": 1.1}, "1.1 is not a probability from 0 to 1"),
        ({"kind": "drop", "probability": "half"}, "'half' is not a probability"),
        ({"kind": "drop", "probability": True}, "True is not a probability"),
        ({"kind": "drop", "probability": float("nan")}, "nan is not a probability"),
        ({"kind": "drop", "times": 0}, "times of drop: 0 is not a whole number from 1 to 1000000"),
        ({"kind": "drop", "times": 1.5}, "1.5 is not a whole number"),
        ({"kind": "duplicate", "copies": 1}, "copies of duplicate: 1 is not a whole number from 2"),
        ({"kind": "duplicate", "ids": "other"}, "'other' is not one of same, new"),
        ({"kind": "error", "status": 200}, "200 is not a whole number from 400 to 599"),
        ({"kind": "error", "when": "during"}, "'during' is not one of before, after"),
        ({"kind": "delay", "by": "soon"}, "by of delay: 'soon' is not a duration"),
        ({"kind": "delay", "by": {"distribution": "zipf"}}, "'zipf' is not a distribution"),
        ({"kind": "decline", "code": "no"}, "'no' is not one of card_declined, insufficient_funds"),
    ],
)
def test_a_fault_that_is_not_understood_is_refused_with_what_is_allowed(document, complaint):
    with pytest.raises(InvalidFault) as refused:
        parse_fault(document)
    assert complaint in str(refused.value)


WEBHOOK = Moment(event="payment.succeeded", order=3, reference="ord_3", attempt=2)


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ({}, True),
        ({"event": "payment.succeeded"}, True),
        ({"event": "payment.failed"}, False),
        ({"order": 3}, True),
        ({"order": 4}, False),
        ({"order": "ord_3"}, True),
        ({"order": "3"}, False),
        ({"attempt": 2}, True),
        ({"attempt": 1}, False),
        ({"attempt": "1..2"}, True),
        ({"attempt": "3..9"}, False),
        ({"event": "payment.succeeded", "order": 3, "attempt": 2}, True),
        ({"event": "payment.succeeded", "order": 3, "attempt": 1}, False),
    ],
)
def test_a_selector_covers_a_moment_if_every_part_of_it_does(selector, matches):
    assert parse_fault({"kind": "drop", **selector}).matches(WEBHOOK) is matches


def test_an_operation_is_selected_by_its_name():
    fault = parse_fault({"kind": "lose_response", "operation": "create_payment"})
    assert fault.matches(Moment(operation="create_payment"))
    assert not fault.matches(Moment(operation="read_payment"))


def test_a_part_that_is_not_known_is_not_covered_by_a_selector_for_it():
    unknown = Moment(operation="list_payments")
    assert not parse_fault({"kind": "error", "order": 1}).matches(unknown)
    assert not parse_fault({"kind": "error", "attempt": "1..9"}).matches(unknown)


def test_an_event_never_waits_for_its_own_kind():
    fault = parse_fault({"kind": "reorder", "after": "payment.succeeded"})
    assert not fault.matches(WEBHOOK)
    assert fault.matches(Moment(event="payment.processing", order=3, attempt=1))


def test_a_fault_is_written_in_plain_json():
    document = {"kind": "delay", "by": {"distribution": "exponential", "mean": "1s"}, "order": 1}
    assert parse_fault(json.loads(json.dumps(document))) == parse_fault(document)
