"""Scenario files: what is read, and the one line that tells what is wrong with a bad one."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.errors import WrongUsage
from scenarios.invariants import INVARIANTS
from scenarios.mutants import MUTANTS
from scenarios.scenario_files import (
    CATALOGUE,
    load_catalogue,
    load_scenario,
    read_scenario,
    select,
)
from scenarios.targets.live import why_not_live
from scenarios.vocabulary import ALL_FAULTS, parse_planned_fault

GOOD = """
summary = "It works."
tags = ["smoke"]
invariants = ["charged_once"]
catches = ["no_dedupe"]
orders = 3
order_gap = "500ms"
chaos = "1h30m"

[provider]
retry_schedule = "5s,1m"

[shop]
tracking = "webhooks"
reconcile_after = "10m"

[[faults]]
kind = "drop"
event = "payment.succeeded"
attempt = "1..3"
start = "10s"

[[faults]]
kind = "crash"
host = "shop"
at = { site = "commit", nth = 3, when = "after" }

[[steps]]
do = "rotate_secret"
at = "20s"
"""


def _load(tmp_path: Path, text: str):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return load_scenario(path)


def test_a_file_becomes_a_scenario_named_after_it(tmp_path: Path) -> None:
    scenario = _load(tmp_path, GOOD)
    assert scenario.name == "mine"
    assert scenario.order_gap_s == 0.5
    assert scenario.chaos_s == 5400.0
    assert scenario.shop == {"tracking": "webhooks", "reconcile_after_s": 600.0}
    assert scenario.fault_kinds == ["drop", "crash"]
    assert scenario.faults[0].start_s == 10.0
    assert scenario.faults[0].document["attempt"] == "1..3"
    assert scenario.needs_a_world
    assert scenario.steps[0].at_s == 20.0


BAD = [
    ('kind = "drop"', 'kind = "dorp"', ["faults, number 1", "'dorp' is not a fault", "duplicate"]),
    ('attempt = "1..3"', 'attempt = "3..1"', ["attempt of drop", "1..3"]),
    ('attempt = "1..3"', "atempt = 1", ["'atempt' is not a field of drop", "attempt"]),
    ('start = "10s"', 'start = "soon"', ["start", "not a duration"]),
    ("nth = 3", "nth = 0", ["faults, number 2", "nth"]),
    ("nth = 3", "nth = true", ["faults, number 2", "nth = True is not a whole number"]),
    ("nth = 3", "path = 5", ["faults, number 2", "path = 5 is not a path"]),
    ('site = "commit"', "site = [1]", ["at is a table with a site"]),
    ('site = "commit"', 'site = "lunch"', ["site", "commit"]),
    ('host = "shop"', 'host = "moon"', ["'moon' is not a host", "warehouse"]),
    ("orders = 3", "orders = 0", ["orders = 0", "1 to 10000"]),
    ('"charged_once"', '"charged_twice"', ["'charged_twice' in invariants", "charged_once"]),
    ('"no_dedupe"', '"no_dedup"', ["'no_dedup' in catches", "no_dedupe"]),
    ('chaos = "1h30m"', "chaos = true", ["chaos", "not a duration"]),
    ('chaos = "1h30m"', 'choas = "1h"', ["'choas' is not a key", "chaos"]),
    ('retry_schedule = "5s,1m"', 'retry_schedule = "often"', ["[provider]", "often", "standard"]),
    ('retry_schedule = "5s,1m"', "port = 1", ["'port' is not a key of [provider]"]),
    ('tracking = "webhooks"', 'tracking = "magic"', ["[shop] tracking", "webhooks"]),
    ('reconcile_after = "10m"', 'reconcil = "10m"', ["'reconcil' is not a key of [shop]"]),
    ('do = "rotate_secret"', 'do = "dance"', ["'dance' is no step", "rotate_secret"]),
    ('at = "20s"', 'at = "20s"\nwhen = 1', ["do and at", "order and share"]),
    ('at = "20s"', 'at = "20s"\nshare = 2', ["share = 2", "up to 1"]),
    ('at = "20s"', 'at = "20s"\norder = 0', ["order = 0"]),
    ('at = "20s"', 'at = "20s"\norder = 4', ["steps, number 1", "order = 4 is beyond orders = 3"]),
    ('summary = "It works."', "", ["summary is missing"]),
    ('tags = ["smoke"]', 'tags = "smoke"', ["tags must be a list"]),
    ("[shop]", "[shop", ["line"]),
]


@pytest.mark.parametrize(("good", "bad", "said"), BAD, ids=[bad or good for good, bad, _ in BAD])
def test_a_mistake_is_told_in_one_line_with_the_file_the_key_and_what_is_allowed(
    tmp_path: Path, good: str, bad: str, said: list[str]
) -> None:
    assert good in GOOD
    with pytest.raises(WrongUsage) as caught:
        _load(tmp_path, GOOD.replace(good, bad))
    message = str(caught.value)
    assert "\n" not in message
    assert "mine.toml" in message
    for part in said:
        assert part in message


def test_a_file_that_is_missing_or_no_text_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match=r"none\.toml"):
        load_scenario(tmp_path / "none.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(WrongUsage, match=r"binary\.toml"):
        load_scenario(binary)


@pytest.mark.parametrize(
    "line",
    [
        f"orders = {'9' * 5000}",
        f"orders = 0x{'f' * 5000}",
        f"chaos = 0x{'f' * 5000}",
        f"x = {'[' * 5000}{']' * 5000}",
    ],
    ids=["a number", "a number for a count", "a number for a time", "a depth"],
)
def test_what_is_too_large_to_read_is_told_in_one_line(tmp_path: Path, line: str) -> None:
    with pytest.raises(WrongUsage, match=r"mine\.toml: ") as caught:
        _load(tmp_path, f'{line}\nsummary = "It works."\n')
    assert len(str(caught.value).replace(str(tmp_path), "")) < 200


def test_every_scenario_of_the_catalogue_says_what_it_proves() -> None:
    catalogue = load_catalogue()
    assert len(catalogue) >= 48
    for scenario in catalogue:
        assert scenario.summary.endswith("."), scenario.name
        assert scenario.tags, scenario.name
        assert scenario.invariants, scenario.name


def test_every_kind_of_fault_is_fired_by_a_scenario() -> None:
    """That each fault of a scenario really fires is asked of every run of it."""
    assert {kind for scenario in load_catalogue() for kind in scenario.fault_kinds} == set(
        ALL_FAULTS
    )


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"kind": "power_loss", "commits_lost": 1}, "commits_lost needs at"),
        ({"kind": "power_loss", "commits_lost": -1}, "0 to 100"),
        ({"kind": "skew", "by": "-soon"}, "not a duration"),
        ({"kind": "turn_away", "host": "shop"}, "'shop' is not the warehouse"),
        ({"kind": "latency", "between": ["shop"]}, "pair of hosts"),
    ],
)
def test_a_mistake_in_a_fault_of_the_world_is_told(fault: dict[str, object], said: str) -> None:
    with pytest.raises(WrongUsage, match=said):
        parse_planned_fault(fault)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"chaos": "100d"}, "chaos comes to 100d: a scenario has less than 90d"),
        ({"steps": [{"do": "refund", "at": "91d"}]}, "steps, number 1: at comes to 91d"),
        ({"order_gap": "100d"}, "order_gap after the one before, comes to 100d"),
        ({"orders": 50, "order_gap": "2d"}, "comes to 98d"),
        ({"faults": [{"kind": "drop", "start": "100d"}]}, "faults, number 1: start comes to 100d"),
        ({"provider": {"settle_after": "100d"}}, "becomes of a payment comes to 100d"),
        ({"faults": [{"kind": "settle_after", "by": "1000d"}]}, "becomes of a payment"),
        ({"faults": [{"kind": "dispute", "by": "50d", "decided_after": "40d"}]}, "comes to 90d"),
    ],
)  # fmt: skip
def test_what_a_world_has_no_time_for_is_told(words: dict[str, object], said: str) -> None:
    with pytest.raises(WrongUsage, match=said):
        read_scenario("far", {"summary": "It takes long."} | words)


def test_a_delay_that_is_drawn_is_left_out_of_a_real_clock_by_what_it_may_come_to() -> None:
    def left_out(**delay: object) -> bool:
        words = {"summary": "Some take long.", "provider": {"settle_after": delay}}
        return why_not_live(read_scenario("long", words)) is not None

    assert left_out(distribution="exponential", mean="1d")
    assert left_out(distribution="lognormal", median="1m", sigma=3.0)
    assert left_out(distribution="pareto", minimum="1h", alpha=1.0)
    assert left_out(distribution="normal", mean="1m", deviation="1h")
    assert left_out(distribution="uniform", minimum="1s", maximum="4d")
    assert not left_out(distribution="exponential", mean="10s")


def test_a_clock_may_be_behind() -> None:
    assert parse_planned_fault({"kind": "skew", "by": "-4m"}).fields["by"] == -240.0
    assert parse_planned_fault({"kind": "skew", "by": -3}).fields["by"] == -3.0


def test_every_mutant_is_named_by_a_scenario_and_every_invariant_is_required_by_one() -> None:
    catalogue = load_catalogue()
    assert {name for scenario in catalogue for name in scenario.catches} == set(MUTANTS)
    assert {name for scenario in catalogue for name in scenario.invariants} == set(INVARIANTS)


def test_scenarios_are_chosen_by_name_tag_or_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert [scenario.name for scenario in select(["calm"])] == ["calm"]
    assert "forged_signatures" in [scenario.name for scenario in select(["security"])]
    assert [scenario.name for scenario in select([str(path), "calm"])] == ["mine", "calm"]
    assert len(select(["calm", "smoke"])) == len(select(["smoke"]))


def test_two_files_of_one_name_are_refused_and_one_file_named_twice_is_played_once(
    tmp_path: Path,
) -> None:
    for folder, name in (("a", "mine"), ("b", "mine"), ("c", "calm")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.toml").write_text(GOOD, encoding="utf-8")
    here, there, ours = (
        str(tmp_path / path) for path in ("a/mine.toml", "b/mine.toml", "c/calm.toml")
    )
    for words in ([here, there], ["calm", ours], [ours, "smoke"]):
        with pytest.raises(WrongUsage, match=r"are both called '(mine|calm)': rename one"):
            select(words)
    again = str(tmp_path / "b" / ".." / "a" / "mine.toml")
    assert [scenario.name for scenario in select([here, again])] == ["mine"]
    assert [scenario.name for scenario in select([str(CATALOGUE / "calm.toml"), "calm"])] == [
        "calm"
    ]


def test_a_word_that_chooses_nothing_is_told() -> None:
    with pytest.raises(WrongUsage, match="'calmer' is no scenario, tag or"):
        select(["calmer"])
