import json

from psp_sim.domain.course import Course
from psp_sim.domain.event import EVENT_TYPES, event_of, iso_timestamp, render_payment, with_new_id
from psp_sim.domain.money import Money
from psp_sim.domain.payment import Payment, Status
from psp_sim.json_text import json_text


def payment(**changes):
    usual = {
        "id": "pay_1",
        "reference": "Zoë – 5 €",
        "order_number": 1,
        "money": Money(1099, "EUR"),
        "payment_method": "card",
        "metadata": {"a": "b"},
        "status": Status.PROCESSING,
        "sequence": 1,
        "created_at": 1767225600.5,
        "course": Course(),
    }
    return Payment(**usual | changes)


def processing(of, now):
    shown = json_text(render_payment(of))
    return event_of("evt_1", "payment.processing", of, now, shown)


def test_an_event_carries_the_payment_as_it_is():
    event = processing(payment(), 1767225601.0)
    assert (event.type, event.sequence, event.payment_id) == ("payment.processing", 1, "pay_1")
    assert json.loads(event.body) == {
        "id": "evt_1",
        "type": "payment.processing",
        "timestamp": "2026-01-01T00:00:01.000Z",
        "sequence": 1,
        "data": {
            "id": "pay_1",
            "object": "payment",
            "status": "processing",
            "amount": 1099,
            "currency": "EUR",
            "reference": "Zoë – 5 €",
            "payment_method": "card",
            "capture_method": "automatic",
            "amount_captured": 0,
            "amount_capturable": 0,
            "amount_refunded": 0,
            "refunds": [],
            "disputes": [],
            "next_action": None,
            "expires_at": None,
            "metadata": {"a": "b"},
            "failure": None,
            "sequence": 1,
            "created": "2026-01-01T00:00:00.500Z",
        },
    }


def test_a_coming_decline_does_not_show_before_it_happens():
    declining = payment(course=Course(decline_code="expired_card"))
    body = processing(declining, 0.0).body
    assert json.loads(body)["data"]["failure"] is None
    assert "expired" not in body.replace("expires_at", "")


def test_the_same_fact_under_a_new_id_differs_in_nothing_else():
    body = processing(payment(), 0.0).body
    copied = with_new_id(body, "evt_1c1")
    assert json.loads(copied) == json.loads(body) | {"id": "evt_1c1"}
    assert copied == body.replace('"evt_1"', '"evt_1c1"')


def test_there_is_an_event_type_for_every_state_of_everything():
    assert EVENT_TYPES == (
        "payment.requires_action",
        "payment.processing",
        "payment.authorized",
        "payment.succeeded",
        "payment.failed",
        "payment.canceled",
        "payment.expired",
        "refund.pending",
        "refund.succeeded",
        "refund.failed",
        "dispute.opened",
        "dispute.won",
        "dispute.lost",
    )


def test_timestamps_are_utc_with_milliseconds():
    assert iso_timestamp(0.0015) == "1970-01-01T00:00:00.001Z"
    assert iso_timestamp(1767225600) == "2026-01-01T00:00:00.000Z"
