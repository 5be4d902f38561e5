"""Each invariant holds on good evidence, breaks on bad, and says when it had nothing to judge."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from scenarios.endpoints import NOBODY
from scenarios.evidence import STRAY, Disturbance, Evidence, Shipment
from scenarios.invariants import INVARIANTS, Violation
from tests.scenarios.evidence_of import PACE, delivery, evidence, order, payment


@pytest.mark.parametrize("invariant", INVARIANTS.values(), ids=lambda each: each.name)
def test_an_invariant_finds_nothing_wrong_with_a_run_in_which_all_went_well(invariant) -> None:
    assert not invariant.check(evidence()).violations


STRAY_PAYMENT = payment(2, reference="ord_1", metadata={STRAY: "pay_too_little"}, amount=1)


@pytest.mark.parametrize("invariant", INVARIANTS.values(), ids=lambda each: each.name)
def test_a_payment_that_somebody_made_past_the_shop_is_nobodys_order(invariant) -> None:
    assert not invariant.check(evidence(payments=[payment(1), STRAY_PAYMENT])).violations


def test_an_order_without_an_outcome_has_to_stay_open_where_that_is_what_the_scenario_wants() -> (
    None
):
    waiting = [payment(status="processing")]
    open_order, kept_open, shipped = order(1, "pending"), order(1, "pending"), order(1, "fulfilled")
    kept_open.never_settles = shipped.never_settles = True
    check = INVARIANTS["shop_agrees_with_provider"].check
    assert check(evidence(orders=[open_order], payments=waiting, shipments=[])).violations
    assert not check(evidence(orders=[kept_open], payments=waiting, shipments=[])).violations
    assert check(evidence(orders=[shipped], payments=waiting)).violations


EMPTY = evidence(orders=[], payments=[], deliveries=[], shipments=[], ledger=None)


@pytest.mark.parametrize("invariant", INVARIANTS.values(), ids=lambda each: each.name)
def test_an_invariant_without_a_case_to_judge_counts_none(invariant) -> None:
    assert invariant.check(EMPTY).evaluated == 0


GIVEN_UP = delivery((None, []))
GIVEN_UP["attempts"][0]["error"] = "no answer within 15 s"


def paused(host: str, began_at: float, ended_at: float) -> Disturbance:
    return Disturbance("pause", frozenset({host}), began_at, ended_at)


def cut(one: str, other: str) -> Disturbance:
    return Disturbance("partition", frozenset({one, other}), 0.0, 60.0, is_on_the_line=True)


def endpoint(status: str = "enabled", url: str = "http://shop:8081/webhooks") -> dict[str, str]:
    return {"id": "we_1", "status": status, "url": url}


TWICE = [Shipment(1.0, "ord_1", "ful_1"), Shipment(2.0, "ord_1", "ful_2")]
NAMELESS_TWICE = [Shipment(1.0, "ord_1", None), Shipment(2.0, "ord_1", None)]

TOO_LITTLE = {"provider": {"EUR": 1}, "sales": {"EUR": -1}}
LOPSIDED = {"provider": {"EUR": 1000}, "sales": {"EUR": -1}}
FORGED = ["corrupt_signature"]

# Invariant → what is wrong in each of the runs that must break it.
BROKEN: dict[str, dict[str, Evidence]] = {
    "fulfilled_at_most_once": {
        "two ids": evidence(shipments=TWICE),
        "two calls without ids": evidence(shipments=NAMELESS_TWICE),
    },
    "every_capture_is_fulfilled": {
        "still pending": evidence(orders=[order(1, "pending")]),
        "never at the warehouse": evidence(shipments=[]),
        "not known to the shop": evidence(
            payments=[payment(1), payment(2)], unknown_orders=["ord_2"]
        ),
    },
    "fulfilled_only_if_captured": {
        "declined": evidence(payments=[payment(1, "failed")]),
        "too little": evidence(payments=[payment(amount=1)]),
        "before the money came": evidence(captured_at={"pay_1": 2.0}),
        "other currency": evidence(payments=[payment(currency="JPY")]),
        "shipped unpaid": evidence(orders=[order(1, "failed")], payments=[]),
    },
    "status_never_goes_back": {
        "paid, then pending": evidence(orders=[order(1, "paid", "pending")]),
        "paid, then failed": evidence(orders=[order(1, "paid", "failed")]),
    },
    "shop_agrees_with_provider": {
        "failed although paid": evidence(orders=[order(1, "failed")]),
        "paid although failed": evidence(payments=[payment(1, "failed")]),
        "no payment at all": evidence(payments=[]),
    },
    "charged_once": {"two payments": evidence(payments=[payment(1), payment(1, id="pay_2")])},
    "money_balances": {
        "too little booked": evidence(ledger=TOO_LITTLE),
        "sides differ": evidence(ledger=LOPSIDED),
    },
    "forgeries_are_refused": {
        "accepted": evidence(deliveries=[delivery((200, FORGED))]),
        "fallen over": evidence(deliveries=[delivery((500, ["stale_timestamp"]))]),
    },
    "answered_in_time": {
        "the provider gave up": evidence(deliveries=[GIVEN_UP]),
        "disturbed before": evidence(
            deliveries=[GIVEN_UP], disturbances=[paused("shop", -9.0, -1.0)]
        ),
        "another line": evidence(deliveries=[GIVEN_UP], disturbances=[cut("shop", "warehouse")]),
    },
    "acknowledged_is_acted_on": {
        "too late": evidence(pace=PACE, shipments=[Shipment(20.0, "ord_1", "ful_1")]),
        "never": evidence(pace=PACE, shipments=[]),
        "long after a pause": evidence(
            pace=PACE,
            shipments=[Shipment(40.0, "ord_1", "ful_1")],
            disturbances=[paused("warehouse", 1.0, 5.0)],
        ),
        "the provider was away": evidence(
            pace=PACE,
            shipments=[Shipment(20.0, "ord_1", "ful_1")],
            disturbances=[paused("psp", 1.0, 15.0)],
        ),
    },
    "endpoint_is_mended": {
        "still disabled": evidence(endpoint_troubles=1, endpoints=[endpoint("disabled")]),
        "still misdirected": evidence(endpoint_troubles=1, endpoints=[endpoint(url=NOBODY)]),
        "removed": evidence(endpoint_troubles=1),
    },
    "acknowledged_survives_a_crash": {
        "too late": evidence(
            pace=PACE,
            shipments=[Shipment(60.0, "ord_1", "ful_1")],
            disturbances=[replace(paused("shop", 1.0, 5.0), kind="crash")],
        ),
        "never": evidence(
            pace=PACE,
            shipments=[],
            disturbances=[replace(paused("shop", 1.0, 5.0), kind="power_loss")],
        ),
    },
    "genuine_webhooks_are_accepted": {
        "refused at first": evidence(deliveries=[delivery((401, []), (200, []))]),
        "sent elsewhere": evidence(deliveries=[delivery((308, []), (200, []))]),
        "never taken": evidence(
            deliveries=[delivery((500, []), (500, []), (500, [])) | {"state": "exhausted"}]
        ),
        "another event was taken": evidence(
            deliveries=[
                delivery((500, []), (200, ["unknown_event_type"]), (500, []), (500, []))
                | {"state": "exhausted"}
            ]
        ),
    },
}
CASES = [(name, case) for name, cases in BROKEN.items() for case in cases]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_an_invariant_breaks_on_what_it_forbids(name: str, case: str) -> None:
    assert INVARIANTS[name].check(BROKEN[name][case]).violations


def test_every_invariant_has_been_seen_to_break() -> None:
    assert set(BROKEN) == set(INVARIANTS)


def test_a_repeat_of_one_fulfilment_id_counts_once() -> None:
    repeated = [Shipment(1.0, "ord_1", "ful_1"), Shipment(2.0, "ord_1", "ful_1")]
    finding = INVARIANTS["fulfilled_at_most_once"].check(evidence(shipments=repeated))
    assert not finding.violations
    assert finding.evaluated == 1


@pytest.mark.parametrize(
    ("state", "statuses", "is_broken"),
    [
        ("exhausted", (500, 500, 503), True),
        ("exhausted", (500, 500), False),
        ("exhausted", (500, 503, 429), False),
        ("delivered", (500, 500, 500, 200), False),
        ("waiting", (500, 500, 500), False),
    ],
)
def test_a_webhook_to_which_nothing_but_errors_is_answered_was_refused(
    state, statuses, is_broken
) -> None:
    seen = delivery(*((status, []) for status in statuses)) | {"state": state}
    found = INVARIANTS["genuine_webhooks_are_accepted"].check(evidence(deliveries=[seen]))
    assert bool(found.violations) is is_broken


def test_what_went_back_is_told_beside_what_the_shop_believes() -> None:
    lost = payment(disputes=[{"id": "dp_1", "status": "lost"}])
    check = INVARIANTS["shop_agrees_with_provider"].check
    (violation,) = check(evidence(payments=[lost])).violations
    assert violation.endswith("but its payment succeeded, and then a dispute was lost")


def test_a_sender_that_is_put_off_has_not_been_refused() -> None:
    later = evidence(deliveries=[delivery((429, []), (503, []), (200, []))])
    assert not INVARIANTS["genuine_webhooks_are_accepted"].check(later).violations


def test_a_forgery_that_never_arrived_is_no_case() -> None:
    lost = evidence(deliveries=[delivery((None, ["corrupt_signature", "drop"]))])
    assert INVARIANTS["forgeries_are_refused"].check(lost).evaluated == 0


FORGING = [
    "corrupt_signature", "wrong_secret", "missing_signature", "malformed_signature",
    "stale_timestamp", "future_timestamp", "tamper_body", "forge", "truncate_body",
]  # fmt: skip


@pytest.mark.parametrize("kind", FORGING)
@pytest.mark.parametrize(("status", "is_broken"), [(200, True), (401, False), (500, True)])
def test_every_forging_fault_has_to_be_answered_with_4xx(kind, status, is_broken) -> None:
    seen = evidence(deliveries=[delivery((status, [kind]), (200, []))])
    found = INVARIANTS["forgeries_are_refused"].check(seen)
    assert (found.evaluated, bool(found.violations)) == (1, is_broken)
    assert not INVARIANTS["genuine_webhooks_are_accepted"].check(seen).violations


@pytest.mark.parametrize(
    ("status", "kind", "is_broken"),
    [
        (413, "oversize_body", False),
        (400, "oversize_body", True),
        (413, "unknown_fields", True),
        (400, "unknown_event_type", True),
        (408, "slow_body", False),
    ],
)
def test_only_a_limit_that_is_really_passed_may_turn_a_genuine_webhook_away(
    status, kind, is_broken
) -> None:
    seen = evidence(deliveries=[delivery((status, [kind]), (200, []))])
    found = INVARIANTS["genuine_webhooks_are_accepted"].check(seen)
    assert bool(found.violations) is is_broken


@pytest.mark.parametrize(("shift_s", "is_broken"), [(1, False), (-290, False), (600, True)])
def test_a_call_whose_time_is_shifted_within_the_window_may_be_taken(shift_s, is_broken) -> None:
    seen = delivery((200, ["future_timestamp"]))
    seen["attempts"][0] |= {
        "started": "2026-01-01T00:00:00.000Z",
        "webhook_timestamp": 1767225600 + shift_s,
    }
    found = INVARIANTS["forgeries_are_refused"].check(evidence(deliveries=[seen]))
    assert bool(found.violations) is is_broken


@pytest.mark.parametrize(
    "why",
    [
        paused("shop", 0.0, 60.0),
        paused("psp", 0.0, 60.0),
        cut("psp", "shop"),
    ],
    ids=["the shop stood still", "the provider stood still", "the line was cut"],
)
def test_a_call_that_the_world_kept_from_its_answer_is_no_case(why: Disturbance) -> None:
    found = INVARIANTS["answered_in_time"].check(
        evidence(deliveries=[GIVEN_UP], disturbances=[why])
    )
    assert found.evaluated == 0
    assert not found.violations


@pytest.mark.parametrize("kind", ["drop", "delay", "slow_body"])
def test_a_call_that_is_late_by_itself_is_no_case(kind: str) -> None:
    late = delivery((None, [kind]))
    late["attempts"][0]["error"] = "no answer within 15 s"
    assert not INVARIANTS["answered_in_time"].check(evidence(deliveries=[late])).violations


@pytest.mark.parametrize(
    ("shipped_at", "why"),
    [
        (20.0, paused("warehouse", 5.0, 9.0)),
        (17.0, paused("shop", 1.0, 6.0)),
        (30.0, cut("shop", "warehouse")),
    ],
)
def test_what_kept_the_shop_or_the_warehouse_from_its_work_gives_more_time(
    shipped_at: float, why: Disturbance
) -> None:
    seen = evidence(
        pace=PACE, shipments=[Shipment(shipped_at, "ord_1", "ful_1")], disturbances=[why]
    )
    found = INVARIANTS["acknowledged_is_acted_on"].check(seen)
    assert found.evaluated == 1
    assert not found.violations


def test_what_went_with_the_power_was_not_promised() -> None:
    dark = Disturbance("power_loss", frozenset({"shop"}), 1.0, 5.0, forgets=True)
    seen = evidence(pace=PACE, shipments=[], disturbances=[dark])
    for name in ("acknowledged_survives_a_crash", "acknowledged_is_acted_on"):
        assert INVARIANTS[name].check(seen).evaluated == 0


@pytest.mark.parametrize(
    ("host", "forgets", "began_at", "is_broken"),
    [
        ("shop", True, 0.5, False),
        ("shop", False, 0.5, True),
        ("psp", True, 0.5, True),
        ("shop", True, 1.5, True),
    ],
)
def test_only_a_shop_whose_disk_forgot_in_between_may_go_back(
    host: str, forgets: bool, began_at: float, is_broken: bool
) -> None:
    dark = Disturbance("power_loss", frozenset({host}), began_at, began_at + 0.25, forgets=forgets)
    back = evidence(orders=[order(1, "paid", "pending")], disturbances=[dark])
    assert bool(INVARIANTS["status_never_goes_back"].check(back).violations) is is_broken


def test_a_death_after_the_goods_have_left_is_no_case() -> None:
    late = replace(paused("shop", 5.0, 9.0), kind="crash")
    seen = evidence(pace=PACE, disturbances=[late])
    assert INVARIANTS["acknowledged_survives_a_crash"].check(seen).evaluated == 0
    assert INVARIANTS["acknowledged_is_acted_on"].check(seen).evaluated == 1


def test_the_first_bad_step_comes_first_with_its_moment() -> None:
    back = [order(1, "pending", "paid", "failed"), order(2, "paid", "pending")]
    found = INVARIANTS["status_never_goes_back"].check(evidence(orders=back))
    assert [violation.at for violation in found.in_order_of_time] == [1.0, 2.0]
    assert "ord_2" in found.in_order_of_time[0]


def test_a_dated_violation_stays_dated_on_its_way_between_processes() -> None:
    violation = pickle.loads(pickle.dumps(Violation("order 1 was charged twice", 7.0)))
    assert (violation, violation.at) == ("order 1 was charged twice", 7.0)
