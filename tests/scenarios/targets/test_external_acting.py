"""A service that says how soon it acts upon a webhook is held to it, by what customers see."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from scenarios.__main__ import main
from scenarios.evidence import Disturbance, Pace, Shipment
from scenarios.invariants import INVARIANTS
from scenarios.scenario import Scenario
from scenarios.scenario_files import select
from scenarios.targets.external_fit import judged, pace_in
from scenarios.targets.external_offer import not_judged
from tests.scenarios.evidence_of import evidence, order
from tests.scenarios.targets.test_external_fit import FULL, RICH, TARGET, scenario_of, target_of

FLASK = Path(__file__).parents[3] / "examples" / "flask"
WITHIN_2_S = Pace(2.0, 2.0, 2.0, status_is_enough=True)


@pytest.mark.parametrize(
    ("unpaid_at", "shipped_at", "is_broken"),
    [
        (1.9, None, False),
        (2.1, None, True),
        (None, None, False),
        (2.1, 1.0, False),
        (2.1, 2.2, True),
    ],
)
def test_who_is_seen_not_to_have_acted_when_it_was_time_breaks_its_word(
    unpaid_at: float | None, shipped_at: float | None, is_broken: bool
) -> None:
    one = order(1)
    one.unpaid_at = unpaid_at
    shipments = [] if shipped_at is None else [Shipment(shipped_at, "ord_1", "ful_1")]
    found = INVARIANTS["acknowledged_is_acted_on"].check(
        evidence(orders=[one], shipments=shipments, pace=WITHIN_2_S)
    )
    assert found.evaluated == 1
    assert bool(found.violations) is is_broken


def test_an_order_is_unpaid_when_it_was_asked_about_not_when_the_answer_came() -> None:
    one = order(1, "pending")
    one.saw(9.0, "pending", asked_at=4.0)
    assert one.unpaid_at == 4.0
    one.saw(11.0, "paid", asked_at=10.0)
    one.saw(13.0, "pending", asked_at=12.0)
    assert one.unpaid_at == 4.0


def test_an_answer_that_was_overtaken_by_one_to_a_later_question_takes_nothing_back() -> None:
    one = order(1, "pending")
    one.saw(11.0, "paid", asked_at=10.0)
    one.saw(12.0, "pending", asked_at=9.0)
    assert one.status == "paid"
    one.saw(14.0, "pending", asked_at=13.0)
    assert one.status == "pending"


@pytest.mark.parametrize(
    ("scenario", "is_judged"),
    [
        (scenario_of(), True),
        (scenario_of({"kind": "drop"}, {"kind": "settle_after", "by": "1m"}), True),
        (scenario_of({"kind": "error", "operation": "create_payment"}), False),
        (scenario_of({"kind": "crash"}), True),
        (scenario_of({"kind": "hold_response", "operation": "create_payment"}), True),
        (scenario_of({"kind": "hold_response", "operation": "read_payment"}), False),
        (scenario_of({"kind": "pause"}), False),
        (scenario_of({"kind": "outage", "for": "5s"}), False),
        (scenario_of(provider={"preset": "storm"}), False),
    ],
)
def test_it_is_judged_where_nothing_keeps_the_service_from_acting(
    scenario: Scenario, is_judged: bool, tmp_path: Path
) -> None:
    target = target_of(tmp_path, TARGET + RICH + "acts_within = '2s'\n")
    assert (pace_in(scenario, target) == WITHIN_2_S) is is_judged
    assert pace_in(scenario, target_of(tmp_path, TARGET + RICH)) is None


def test_a_promise_is_part_of_a_scenario_where_it_is_judged_and_nowhere_else(
    tmp_path: Path,
) -> None:
    promised = ("charged_once", "acknowledged_is_acted_on")
    lossy = replace(scenario_of({"kind": "drop"}), invariants=promised)
    says = target_of(tmp_path, TARGET + RICH + "acts_within = '2s'\n")
    assert judged(lossy, says).invariants == promised
    assert judged(lossy, target_of(tmp_path, TARGET)).invariants == ("charged_once",)
    # One of its faults is on the API, so that a service which asks first could not act.
    (asked,) = select(["one_bad_payment"])
    assert "acknowledged_is_acted_on" not in judged(asked, says).invariants


def test_a_service_that_says_nothing_of_it_is_told_what_nobody_knows(tmp_path: Path) -> None:
    acting, price = not_judged(target_of(tmp_path, TARGET + RICH))
    assert "[timing] acts_within" in acting
    assert "[place_order] amount and currency" in price
    assert list(not_judged(target_of(tmp_path, FULL))) == []


@pytest.mark.parametrize(("unpaid_at", "is_broken"), [(5.9, False), (6.1, True)])
def test_who_died_has_its_time_from_when_it_is_ready_again(
    unpaid_at: float, is_broken: bool
) -> None:
    one = order(1)
    one.unpaid_at = unpaid_at
    down = Disturbance("crash", frozenset({"shop"}), began_at=0.5, ended_at=4.0)
    found = INVARIANTS["acknowledged_survives_a_crash"].check(
        evidence(orders=[one], shipments=[], pace=WITHIN_2_S, disturbances=[down])
    )
    assert found.evaluated == 1
    assert [str(each).partition(": ")[2] for each in found.violations] == [
        "6.1 s later it was not paid yet, and 6.0 s are what its restart and [timing] "
        "acts_within allow"
    ] * is_broken


@pytest.mark.live
def test_a_webhook_that_was_answered_and_not_kept_is_missed_after_a_crash(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = (FLASK / "correct.py").read_text()
    early = code.replace(
        'learn(event["data"])  # committed',
        'threading.Timer(0.5, learn, [event["data"]]).start()  # committed',
    ).replace('order["placed_at"] > 1.5', 'order["placed_at"] > 9')
    assert early.count("Timer") == 1
    (tmp_path / "correct.py").write_text(early)
    text = (FLASK / "correct.toml").read_text().replace('= "3s"', '= "11s"')
    (tmp_path / "early.toml").write_text(text)
    assert main(["run", "crash_after_answer", "--target", str(tmp_path / "early.toml")]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "crash_after_answer: acknowledged_survives_a_crash" in said
    assert "its restart and [timing] acts_within allow" in said


@pytest.mark.live
def test_a_service_that_says_200_and_only_ever_asks_is_found_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = (FLASK / "correct.py").read_text()
    deaf = code.replace('learn(event["data"])  # committed', "pass  # committed")
    deaf = deaf.replace('order["placed_at"] > 1.5', 'order["placed_at"] > 5')
    assert deaf != code
    (tmp_path / "correct.py").write_text(deaf)
    text = (FLASK / "correct.toml").read_text().replace('= "3s"', '= "7s"')
    (tmp_path / "deaf.toml").write_text(text)
    assert main(["run", "calm", "--target", str(tmp_path / "deaf.toml")]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "calm: acknowledged_is_acted_on" in said
    assert "later it was not paid yet, and 2.0 s are what [timing] acts_within allows" in said
