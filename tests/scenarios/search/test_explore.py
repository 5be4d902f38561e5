"""The search finds what is broken, says what it covered, and is the same whoever plays."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest

from scenarios.__main__ import main
from scenarios.search.addresses import addresses_of
from scenarios.search.explore import Budget, Search, search
from scenarios.search.grounds import GROUNDS
from scenarios.search.plan import Plan
from scenarios.search.portfolio import Portfolio, Tier
from scenarios.search.space import ABSENCE_S, singles
from scenarios.search.swarm import swarm_plan
from scenarios.search.workers import players
from scenarios.vocabulary import ALL_FAULTS


def _search(shop: str, runs: int, jobs: int = 1, *, first: bool = False) -> Search:
    return search(shop, 1, Budget(runs=runs, first=first), jobs, None, lambda _: None)


def test_addresses_are_what_happens_in_a_run_without_faults() -> None:
    at = addresses_of(Plan(1, {"orders": 2}))
    assert set(at.webhooks) == {
        (event, order) for event in ("payment.processing", "payment.succeeded") for order in (1, 2)
    }
    assert ("create_payment", 1, 1) in at.calls
    assert all(passages > 0 for _, passages in at.sites)


@pytest.mark.parametrize("name", GROUNDS)
def test_every_single_fault_is_a_valid_plan(name: str) -> None:
    ground = GROUNDS[name].plan(1)
    faults = list(singles(addresses_of(ground), GROUNDS[name]))
    assert len(faults) >= 5 * len(GROUNDS[name].aims)
    for fault in faults:
        assert ground.with_more_faults([fault]).scenario.faults


def test_swarms_are_valid_repeatable_and_reach_every_sort_of_fault() -> None:
    plans = [swarm_plan(1, number) for number in range(600)]
    assert [plan.key for plan in plans[:20]] == [swarm_plan(1, n).key for n in range(20)]
    kinds = {str(fault["kind"]) for plan in plans for fault in plan.faults}
    for plan in plans:
        assert plan.scenario.faults
    on = {ALL_FAULTS[kind].on for kind in kinds}
    assert on == {"webhook", "api", "provider", "payment", "host", "network", "clock"}
    assert kinds == set(ALL_FAULTS) - {"hold_response"}


def test_every_kind_of_fault_is_tried_by_itself() -> None:
    kinds = {
        fault["kind"]
        for ground in GROUNDS.values()
        for fault in singles(addresses_of(ground.plan(1)), ground)
    }
    assert kinds == set(ALL_FAULTS)


def test_swarms_reach_what_people_do_and_absences_of_hours() -> None:
    plans = [swarm_plan(1, number) for number in range(600)]
    steps = {step.do for plan in plans for step in plan.scenario.steps}
    assert steps > {"rotate_secret", "refund", "pay_too_little"}
    longest_s = max(plan.scenario.chaos_s for plan in plans)
    assert longest_s > ABSENCE_S
    assert any(fault.get("for") == ABSENCE_S for plan in plans for fault in plan.faults)


def test_a_shop_that_never_asks_is_not_away_for_longer_than_webhooks_are_sent_again() -> None:
    plans = [swarm_plan(1, number) for number in range(3000)]
    away = [
        plan
        for plan in plans
        if plan.scenario.chaos_s > ABSENCE_S and plan.scenario.shop.get("tracking") == "webhooks"
    ]
    assert away
    assert not [plan for plan in away if "retry_schedule" in plan.scenario.provider]


def test_the_same_seed_makes_the_same_plans_in_the_same_order() -> None:
    def keys(seed: int) -> list[str]:
        portfolio = Portfolio(seed)
        portfolio.prepare()
        return [plan.key for _, plan in islice(portfolio.plans(30), 30)]

    assert keys(1) == keys(1)
    assert keys(1) != keys(2)


def test_what_was_covered_claims_no_more_than_was_done() -> None:
    assert Tier("singles", 10, 10).covered == "all 10"
    assert Tier("singles", 10, 9).covered == "9 of 10"
    assert Tier("pairs", 10, 10, drawn=True).covered == "10 drawn at random from 10"
    assert Tier("swarms", None, 7).covered == "7 at random"


def test_two_processes_find_what_one_finds() -> None:
    one, two = _search("no_reconciliation", 40), _search("no_reconciliation", 40, jobs=2)
    told = [
        [(f.invariant, f.run, f.plans, f.shrunk.plan.key if f.shrunk else "") for f in s.failures]
        for s in (one, two)
    ]
    assert told[0] == told[1]
    assert one.fired == two.fired
    assert one.simulated_s == two.simulated_s


def test_the_search_stops_at_the_first_failure_if_asked() -> None:
    found = _search("no_dedupe", 500, first=True)
    assert found.failures
    assert found.runs < 20


def test_a_cluster_plays_the_same_plans() -> None:
    distributed = pytest.importorskip("distributed")
    plans = [swarm_plan(1, number) for number in range(20)]
    with (
        players("correct", 1) as here,
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True
        ) as cluster,
        players("correct", 1, cluster.scheduler_address) as there,
    ):
        assert list(there(plans)) == list(here(plans))


def test_explore_writes_the_contracts_keys_and_everything_about_a_failure(
    tmp_path: Path, capsys
) -> None:
    words = ["--shop", "dedupe_by_payment", "--runs", "9", "--jobs", "1", "--out", str(tmp_path)]
    assert main(["explore", *words, "--json", "-"]) == 1
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["runs"] == 9
    assert document["runs_per_second"] > 0
    assert document["simulated_years_per_second"] > 0
    assert [tier["name"] for tier in document["tiers"]][:2] == ["no fault", "single faults"]
    failure = document["failures"][0]
    assert failure["faults_after"] <= failure["faults_before"]
    assert "customer buys at the shop `dedupe_by_payment`" in failure["story"]
    stem = f"dedupe_by_payment-{failure['invariant']}"
    written = {path.name for path in tmp_path.iterdir()}
    assert {f"{stem}.replay.json", f"{stem}.svg", f"{stem}.md", f"test_{stem}.py"} <= {
        name.replace("test_dedupe_by_payment_", "test_dedupe_by_payment-") for name in written
    }
    assert f"psp-scenarios replay {failure['replay']}" in captured.err.replace("\n", "")


def test_explore_ends_with_0_when_nothing_broke_and_says_what_that_means(
    tmp_path: Path, capsys
) -> None:
    runs = str(len(GROUNDS) + 4)
    assert main(["explore", "--runs", runs, "--jobs", "1", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "no plan of these broke a promise; others may" in out
    assert f"no fault: all {len(GROUNDS)}" in out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--runs", "0"], "--runs 0 is not 1 or more"),
        (["--for", "soon"], "--for: 'soon' is not a duration"),
        (["--shrink-for", "ever"], "--shrink-for: 'ever' is not a duration"),
        (["--jobs", "0"], "--jobs 0 is not 1 or more"),
        (["--shop", "brokn"], "--shop brokn is not known"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_status_2(arguments, said, capsys) -> None:
    assert main(["explore", *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_a_cluster_that_is_not_there_is_said_in_one_line_and_exit_status_3(
    capsys, monkeypatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("scenarios.search.workers.CONNECT_TIMEOUT_S", 0.5)
    assert main(["explore", "--runs", "1", "--cluster", "tcp://127.0.0.1:1"]) == 3
    assert "no Dask scheduler answers at tcp://127.0.0.1:1" in capsys.readouterr().err
