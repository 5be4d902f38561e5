"""What the network held, or a wrong clock explains, is judged by exactly that much more mildly."""

from __future__ import annotations

import pytest

from scenarios.evidence import Disturbance, Shipment
from scenarios.invariants import INVARIANTS
from tests.scenarios.evidence_of import PACE, delivery, evidence


@pytest.mark.parametrize(("held_s", "is_broken"), [(290, True), (360, False)])
def test_a_call_that_the_network_held_for_longer_than_the_window_may_be_refused(
    held_s, is_broken
) -> None:
    seen = delivery((401, ["delay"]), (200, []))
    seen["attempts"][0] |= {
        "started": "2026-01-01T00:00:00.000Z",
        "duration_ms": held_s * 1000,
        "webhook_timestamp": 1767225600,
    }
    found = INVARIANTS["genuine_webhooks_are_accepted"].check(evidence(deliveries=[seen]))
    assert bool(found.violations) is is_broken


@pytest.mark.parametrize(
    ("host", "off_s", "is_broken"),
    [("shop", 240.0, False), ("shop", 120.0, True), ("shop", -240.0, True), ("psp", 240.0, True)],
)
def test_a_clock_that_is_ahead_finds_a_held_call_older(
    host: str, off_s: float, is_broken: bool
) -> None:
    seen = delivery((401, ["delay"]), (200, []))
    seen["attempts"][0] |= {"duration_ms": 120_000, "webhook_timestamp": 0}
    wrong = Disturbance("skew", frozenset({host}), 60.0, 130.0, clock_off_s=off_s)
    found = INVARIANTS["genuine_webhooks_are_accepted"].check(
        evidence(deliveries=[seen], disturbances=[wrong])
    )
    assert bool(found.violations) is is_broken


@pytest.mark.parametrize(("off_s", "is_broken"), [(240.0, False), (230.0, True), (-240.0, True)])
def test_what_a_clock_that_was_ahead_wrote_down_is_late_by_as_much(
    off_s: float, is_broken: bool
) -> None:
    wrong = Disturbance("skew", frozenset({"shop"}), 0.0, 5.0, clock_off_s=off_s)
    late = [Shipment(5.0 + PACE.after_own_absence_s + 235.0, "ord_1", "ful_1")]
    seen = evidence(pace=PACE, shipments=late, disturbances=[wrong])
    assert bool(INVARIANTS["acknowledged_is_acted_on"].check(seen).violations) is is_broken


@pytest.mark.parametrize(("right_again_at", "is_broken"), [(0.005, False), (-0.001, True)])
def test_a_clock_that_is_put_right_while_a_webhook_is_taken_counts_to_its_beginning(
    right_again_at: float, is_broken: bool
) -> None:
    wrong = Disturbance("skew", frozenset({"shop"}), -15.0, right_again_at, clock_off_s=240.0)
    late = [Shipment(PACE.after_own_absence_s + 235.0, "ord_1", "ful_1")]
    seen = evidence(pace=PACE, shipments=late, disturbances=[wrong])
    assert bool(INVARIANTS["acknowledged_is_acted_on"].check(seen).violations) is is_broken
