"""The simulator does not lie: real processes over real HTTP come to the same verdicts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from scenarios.run_suite import LIVE, Task, run_task
from scenarios.scenario import Scenario
from scenarios.scenario_files import load_catalogue, select
from scenarios.targets.live import why_not_live
from scenarios.verdict import Verdict, combine

pytestmark = pytest.mark.live

# Broken shops whose bug shows within seconds over real HTTP, each with a scenario that must see it.
MUTANTS = [
    ("no_dedupe", "duplicated_webhooks"),
    ("check_then_act_dedupe", "concurrent_duplicates"),
    ("no_signature_check", "forged_signatures"),
]
# Those that have to be waited for.
SLOW_MUTANTS = [
    ("out_of_order_overwrite", "reordered_webhooks"),
    ("timeout_is_failure", "lost_answers"),
    ("no_reconciliation", "lost_webhooks"),
]
PLAYS_ALL = bool(os.environ.get("CATALOGUE"))


def _kinds(scenario: Scenario) -> set[str]:
    """What is special about a scenario: its faults, and how its shop learns of outcomes."""
    return {fault.kind for fault in scenario.faults} | {str(scenario.shop.get("tracking"))}


def _one_of_every_kind(scenarios: Sequence[Scenario]) -> list[str]:
    """Few scenarios that have among them all that is special about any; the richest first."""
    chosen, seen = [], set()
    for scenario in sorted(scenarios, key=lambda each: -len(_kinds(each))):
        if not _kinds(scenario) <= seen:
            chosen.append(scenario.name)
            seen |= _kinds(scenario)
    return chosen


def test_scenarios_of_every_kind_come_to_the_same_verdict_live(tmp_path: Path) -> None:
    """All of them with CATALOGUE=1, which takes minutes."""
    playable = [scenario for scenario in load_catalogue() if why_not_live(scenario) is None]
    names = [scenario.name for scenario in playable]
    asked = names if PLAYS_ALL else _one_of_every_kind(playable)
    report = tmp_path / "live.json"
    command = [sys.executable, "-m", "scenarios", "run", *asked, "--target", "live"]
    done = subprocess.run(
        [*command, "--json", str(report), "--jobs", "4"],
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    verdicts = {
        each["name"]: each["verdict"] for each in json.loads(report.read_text())["scenarios"]
    }
    assert verdicts == dict.fromkeys(asked, "held")
    assert len(asked) >= 10


@pytest.mark.parametrize(("mutant", "name"), MUTANTS + SLOW_MUTANTS * PLAYS_ALL)
def test_a_broken_shop_is_caught_over_real_http_too(mutant: str, name: str) -> None:
    (scenario,) = select([name])
    live = combine(scenario, [run_task(Task(scenario, 1, LIVE, mutant))], None)
    simulated = combine(scenario, [run_task(Task(scenario, 1, "sim", mutant))], None)
    assert live.verdict is Verdict.BROKEN
    assert simulated.verdict is Verdict.BROKEN


def test_nothing_is_left_running_or_on_disk(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    command = [sys.executable, "-m", "scenarios", "run", "calm", "--target", "live"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not list(tmp_path.glob("psp-scenarios-*"))
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        assert str(tmp_path) not in process.read_bytes().decode(errors="replace")
