"""Every scenario that a service cannot be put to is left out with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.scenario import STEPS_OF_PAYERS, Scenario, Step
from scenarios.scenario_files import load_catalogue, select
from scenarios.targets.external_fit import (
    TIME_SCALE,
    judged,
    paced,
    why_not_external,
    with_goods_gone,
    with_late_copies,
)
from scenarios.targets.target_file import Target, load_target
from scenarios.vocabulary import parse_planned_fault

TARGET = """
name = "mine"
base_url = "http://127.0.0.1:{port}"
start = ["./serve"]
[place_order]
path = "/orders"
[read_order]
path = "/orders/{order_id}"
paid = ["paid"]
"""
RICH = (
    "corrected = ['refunded']\n[timing]\nreconciles_within = '1s'\nchecks_endpoint_within = '10s'\n"
)
# Says all of itself that there is to say.
FULL = (
    TARGET.replace(
        "[read_order]",
        "amount = 'amount'\ncurrency = 'currency'\ncurrencies = ['EUR', 'JPY']\n"
        "[webhook]\nper_second = 10\n[read_order]",
    )
    + "failed = ['failed']\n"
    + RICH
    + "acts_within = '1s'\n"
)
NOT_STARTED = TARGET.replace('start = ["./serve"]', "").replace("{port}", "3000") + RICH


def target_of(folder: Path, text: str) -> Target:
    path = folder / "target.toml"
    path.write_text(text)
    return load_target(path)


def scenario_of(*faults: dict, **changes) -> Scenario:
    planned = tuple(parse_planned_fault(fault) for fault in faults)
    return Scenario("one", "A promise.", (), ("charged_once",), faults=planned, **changes)


@pytest.mark.parametrize(
    ("scenario", "reason"),
    [
        (scenario_of(shop={"tracking": "polling"}), "asks for outcomes"),
        (scenario_of(chaos_s=1e6), "it takes days"),
        (scenario_of({"kind": "crash", "at": {"site": "commit"}}), "a commit happens inside"),
        (
            scenario_of({"kind": "crash", "at": {"site": "response", "path": "/orders"}}),
            "aimed at webhooks only",
        ),
        (
            scenario_of(
                {
                    "kind": "crash",
                    "at": {"site": "request", "when": "after", "path": "/webhooks"},
                }
            ),
            "inside the service",
        ),
        (scenario_of({"kind": "pause", "host": "psp"}), "only a simulated world can pause the psp"),
        (
            scenario_of({"kind": "latency", "between": ["psp", "shop"]}),
            "only the warehouse can be made slow",
        ),
        (
            scenario_of({"kind": "partition", "between": ["shop", "warehouse"]}),
            "only the line between provider and service",
        ),
        (
            scenario_of({"kind": "error", "operation": "create_refund"}),
            "a service that calls create_refund",
        ),
        (scenario_of(steps=(Step("dance", 1.0),)), "cannot dance"),
        (scenario_of(steps=(Step("refund", 1.0),)), "a service that gives money back"),
    ],
)
def test_what_no_service_can_be_put_to_is_left_out(
    scenario: Scenario, reason: str, tmp_path: Path
) -> None:
    said = why_not_external(scenario, target_of(tmp_path, TARGET + RICH))
    assert said is not None
    assert reason in said


def test_what_the_file_does_not_say_leaves_scenarios_out_until_it_does(tmp_path: Path) -> None:
    asked = select(["lost_webhooks", "disputed_payment", "disabled_endpoint"])
    bare = [why_not_external(each, target_of(tmp_path, TARGET)) for each in asked]
    assert "[timing] reconciles_within" in str(bare[0])
    assert "[read_order] corrected" in str(bare[1])
    assert "[timing] checks_endpoint_within" in str(bare[2])
    assert not any(why_not_external(each, target_of(tmp_path, TARGET + RICH)) for each in asked)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("many_currencies", "[place_order] currencies"),
        ("flood_of_webhooks", "[webhook] per_second"),
        ("declined_payment", "[read_order] failed"),
        ("forged_events", "[read_order] failed"),
    ],
)
def test_where_the_file_offers_nothing_to_be_at_stake_the_scenario_is_left_out_with_the_key(
    name: str, key: str, tmp_path: Path
) -> None:
    (scenario,) = select([name])
    assert key in str(why_not_external(scenario, target_of(tmp_path, TARGET + RICH)))
    assert why_not_external(scenario, target_of(tmp_path, FULL)) is None


def test_money_that_is_given_back_at_the_console_needs_a_status_of_its_own(tmp_path: Path) -> None:
    (scenario,) = select(["refunded_at_console"])
    assert "[read_order] corrected" in str(why_not_external(scenario, target_of(tmp_path, TARGET)))
    assert why_not_external(scenario, target_of(tmp_path, TARGET + RICH)) is None


def test_currencies_are_worth_nothing_without_prices_or_with_the_same_decimals(
    tmp_path: Path,
) -> None:
    (scenario,) = select(["many_currencies"])
    alike = TARGET.replace("[read", "currencies = ['EUR', 'USD']\n[read")
    assert "different numbers of decimals" in str(
        why_not_external(scenario, target_of(tmp_path, alike))
    )
    unpriced = alike.replace("USD", "JPY")
    assert "amount and currency" in str(why_not_external(scenario, target_of(tmp_path, unpriced)))


def test_a_limit_that_no_flood_reaches_leaves_it_out(tmp_path: Path) -> None:
    (scenario,) = select(["flood_of_webhooks"])
    high = TARGET + "[webhook]\nper_second = 500\n"
    assert "does not reach [webhook] per_second = 500" in str(
        why_not_external(scenario, target_of(tmp_path, high))
    )


@pytest.mark.parametrize("name", ["webhooks_alone", "crash_after_answer", "same_second"])
def test_webhooks_that_could_be_for_nothing_prove_nothing_until_it_is_said_how_soon_they_act(
    name: str, tmp_path: Path
) -> None:
    (scenario,) = select([name])
    asks = target_of(tmp_path, TARGET + RICH)
    assert "[timing] acts_within" in str(why_not_external(scenario, asks))
    acts = TARGET + RICH + "acts_within = '1s'\n"
    assert why_not_external(scenario, target_of(tmp_path, acts)) is None
    # Who never asks has nothing but its webhooks.
    assert why_not_external(scenario, target_of(tmp_path, TARGET)) is None


def test_somebody_buys_after_the_service_has_to_have_mended_its_endpoint(tmp_path: Path) -> None:
    (scenario,) = select(["disabled_endpoint"])
    played = paced(scenario, target_of(tmp_path, TARGET + RICH))
    assert played.order_gap_s * (played.orders - 1) / TIME_SCALE > 10
    assert played.chaos_s >= scenario.chaos_s
    slow = target_of(tmp_path, TARGET + RICH.replace("10s", "10m"))
    assert "checks_endpoint_within or answers_within is" in str(why_not_external(scenario, slow))


@pytest.mark.parametrize("answers_within_s", [1, 3, 9])
def test_nobody_buys_while_the_webhooks_that_disable_the_endpoint_are_failing(
    answers_within_s: int, tmp_path: Path
) -> None:
    (scenario,) = select(["disabled_endpoint"])
    target = target_of(tmp_path, TARGET + RICH + f"answers_within = '{answers_within_s}s'\n")
    played = paced(scenario, target)
    assert played.order_gap_s / TIME_SCALE > answers_within_s + 0.5
    assert why_not_external(scenario, target) is None


def test_a_service_that_takes_too_long_to_answer_cannot_be_shown_a_disabled_endpoint(
    tmp_path: Path,
) -> None:
    (scenario,) = select(["disabled_endpoint"])
    slow = target_of(tmp_path, TARGET + RICH + "answers_within = '1m'\n")
    assert "answers_within is too long to wait for" in str(why_not_external(scenario, slow))


def test_a_copy_that_is_to_find_the_service_up_again_waits_until_it_has_started() -> None:
    copy = {"kind": "duplicate", "spacing": "20s"}
    killed = with_late_copies(scenario_of(copy, {"kind": "crash"}), 1.5)
    assert killed.faults[0].document["spacing"] == "100000ms"
    assert killed.chaos_s == scenario_of(copy).chaos_s + 80
    at_once = scenario_of({"kind": "duplicate", "spacing": 0}, {"kind": "crash"})
    assert with_late_copies(at_once, 1.5) == at_once
    assert with_late_copies(scenario_of(copy), 1.5) == scenario_of(copy)


def test_money_goes_back_only_when_the_service_has_had_the_time_to_send_the_goods(
    tmp_path: Path,
) -> None:
    (disputed,) = select(["disputed_payment"])
    times = RICH + "retries_within = '2s'\nacts_within = '1s'\n"
    fitted = with_goods_gone(disputed, target_of(tmp_path, TARGET + times))
    assert fitted.faults[0].document["by"] == "90000ms"
    assert fitted.chaos_s == disputed.chaos_s + 60
    (told_first,) = select(["late_failure_told_first"])
    later = with_goods_gone(told_first, target_of(tmp_path, TARGET + times))
    delayed_s, gone_s = (fault.document["by"] for fault in later.faults)
    assert (delayed_s, gone_s) == ("180000ms", "80000ms"), "the success is told last all the same"
    (calm,) = select(["calm"])
    assert with_goods_gone(calm, target_of(tmp_path, TARGET + times)) == calm


def test_questions_fail_only_when_a_first_payment_has_been_made(tmp_path: Path) -> None:
    (scenario,) = select(["provider_cannot_be_asked"])
    target = target_of(tmp_path, TARGET + RICH + "retries_within = '2s'\n")
    assert paced(scenario, target).faults[0].start_s == scenario.faults[0].start_s + 40
    assert paced(scenario, target).chaos_s == scenario.chaos_s + 40


def test_where_a_person_deals_with_one_payment_they_are_made_in_the_order_of_buying(
    tmp_path: Path,
) -> None:
    target = target_of(tmp_path, TARGET + RICH + "retries_within = '1s'\n")
    for scenario in select(["payer_approves_late", "no_outcome_ever"]):
        assert paced(scenario, target).order_gap_s == TIME_SCALE
        slow = target_of(tmp_path, TARGET + RICH + "retries_within = '2s'\n")
        assert paced(scenario, slow).order_gap_s == 2 * TIME_SCALE
    (calm,) = select(["calm"])
    assert paced(calm, target) == calm


def test_only_a_service_that_is_started_here_can_crash_or_pause(tmp_path: Path) -> None:
    for name in ("crash_before_answer", "paused_shop"):
        (scenario,) = select([name])
        assert why_not_external(scenario, target_of(tmp_path, TARGET)) is None
        assert "give start" in str(why_not_external(scenario, target_of(tmp_path, NOT_STARTED)))


@pytest.mark.parametrize("name", ["secret_after_overlap", "secret_ended"])
def test_a_service_that_is_told_its_secret_at_its_start_is_not_asked_for_the_next(
    name: str, tmp_path: Path
) -> None:
    (ends,), (lasts,) = select([name]), select(["rotation_answered_late"])
    target = target_of(tmp_path, TARGET + RICH)
    assert "nobody can tell this service the new one" in str(why_not_external(ends, target))
    assert why_not_external(lasts, target) is None


def test_a_service_that_says_all_of_itself_is_put_to_most_of_the_catalogue(tmp_path: Path) -> None:
    target = target_of(tmp_path, FULL)
    left_out = [s.name for s in load_catalogue() if why_not_external(s, target) is not None]
    assert len(left_out) < len(load_catalogue()) / 2


@pytest.mark.parametrize("name", ["slow_warehouse", "stuck_warehouse"])
def test_a_warehouse_of_ours_can_be_slow_or_stand_still_for_who_tells_it(
    name: str, tmp_path: Path
) -> None:
    (scenario,) = select([name])
    assert why_not_external(scenario, target_of(tmp_path, NOT_STARTED)) is None
    counts = TARGET + "fulfilments = 'length(shipments)'\n"
    assert "counts by itself" in str(why_not_external(scenario, target_of(tmp_path, counts)))


def test_books_that_cannot_be_seen_are_no_part_of_the_promise(tmp_path: Path) -> None:
    (storm,) = select(["storm"])
    assert "money_balances" in storm.invariants
    assert "money_balances" not in judged(storm, target_of(tmp_path, TARGET)).invariants
    hidden = Scenario("one", "A promise.", (), ("money_balances",))
    assert "cannot be seen" in str(why_not_external(hidden, target_of(tmp_path, TARGET)))


@pytest.mark.parametrize("step", STEPS_OF_PAYERS)
def test_what_payers_do_at_the_provider_fits_every_service(step: str, tmp_path: Path) -> None:
    assert (
        why_not_external(scenario_of(steps=(Step(step, 1.0),)), target_of(tmp_path, TARGET)) is None
    )


def test_no_webhook_comes_before_a_retry_that_is_to_charge_nobody_twice() -> None:
    caught = [each for each in load_catalogue() if "new_key_per_retry" in each.catches]
    assert caught
    assert all(each.provider.get("settle_after") == "1m" for each in caught)
