"""A service of one's own whose file says how its staff gives money back is put to refunds too."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.scenario_files import load_catalogue, select
from scenarios.targets.external_fit import why_not_external
from scenarios.targets.target_file import load_target
from tests.scenarios.targets.test_external import ORDERS, REGISTERS_ITSELF, verdicts

WORDS = """
partially_refunded = ["partially_refunded"]
refunded = ["refunded"]
corrected = ["disputed", "reversed"]
"""
REFUNDS = """
[refund_order]
path = "/orders/{order_id}/refunds"
headers = { idempotency-key = "{key}" }
json = { amount = "{amount}" }
"""
REFUNDING = REGISTERS_ITSELF + ORDERS.replace("[timing]", WORDS + "[timing]") + REFUNDS
WITH_REFUNDS = [
    one.name for one in load_catalogue() if any(step.do == "refund" for step in one.steps)
]


def refunding(folder: Path, text: str = REFUNDING) -> Path:
    target = folder / "target.toml"
    target.write_text(text)
    return target


@pytest.mark.live
def test_who_gives_back_exactly_what_was_asked_for_holds(tmp_path: Path) -> None:
    held = verdicts(refunding(tmp_path), "partial_refunds", "refund_answer_lost")
    assert held == {"partial_refunds": "held", "refund_answer_lost": "held"}


@pytest.mark.live
@pytest.mark.parametrize(
    ("shop", "scenario"),
    [
        ("refund_with_new_key", "refund_answer_lost"),
        ("partial_refund_is_full", "partial_refunds"),
    ],
)
def test_who_gives_back_another_amount_or_says_so_is_found_out(
    shop: str, scenario: str, tmp_path: Path
) -> None:
    broken = REFUNDING.replace('"-m", "shop",', f'"-m", "scenarios.mutants", "{shop}",')
    assert verdicts(refunding(tmp_path, broken), scenario) == {scenario: "broken"}


def test_it_is_put_to_all_refunds_but_those_that_need_to_see_inside(tmp_path: Path) -> None:
    target = load_target(refunding(tmp_path))
    left_out = [one.name for one in select(WITH_REFUNDS) if why_not_external(one, target)]
    assert left_out == ["refund_wish_unanswered"]


@pytest.mark.parametrize(
    ("left_out", "reason"),
    [
        (REFUNDS, "say how its staff does so in [refund_order]"),
        ('amount = "amount"\ncurrency = "currency"\n', "say where the answer has them in [place_o"),
        (WORDS, "in [read_order] partially_refunded and refunded, or in corrected"),
    ],
)
def test_what_the_file_has_to_say_first_is_told(left_out: str, reason: str, tmp_path: Path) -> None:
    assert left_out in REFUNDING
    target = load_target(refunding(tmp_path, REFUNDING.replace(left_out, "")))
    (scenario,) = select(["partial_refunds"])
    assert reason in str(why_not_external(scenario, target))


def test_one_word_for_all_that_became_of_money_later_is_enough(tmp_path: Path) -> None:
    one_word = REFUNDING.replace(WORDS, 'corrected = ["partially_refunded", "refunded"]\n')
    (scenario,) = select(["partial_refunds"])
    assert why_not_external(scenario, load_target(refunding(tmp_path, one_word))) is None
