"""The examples keep what they say: the correct consumers hold, the broken ones are found out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.__main__ import main
from scenarios.scenario_files import select
from scenarios.search.plan import plan_of
from scenarios.search.replay import Replay, read_replay, write_replay

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"
LINES_MAX = 150

# What each correct consumer is put to here: one of every kind of scenario.
# CATALOGUE=1 puts it to all of them.
HANDFULS = {
    "node": [
        "crash_after_answer",
        "duplicated_webhooks",
        "forged_events",
        "network_partition",
        "payer_approves_late",
        "secret_rotation",
        "storm",
    ],
    "flask": ["crash_before_answer", "lost_answers", "lost_webhooks", "paused_shop"],
}
CATALOGUE = bool(os.environ.get("CATALOGUE"))

# What each broken consumer has to be found out by, with the words that tell its bug.
NODE_BUGS = {
    "duplicated_webhooks": ("fulfilled_at_most_once", "was fulfilled 3 times"),
    "reordered_webhooks": ("status_never_goes_back", "went back from"),
    "crash_after_answer": ("every_capture_is_fulfilled", "was paid for and is lost"),
    "webhooks_from_the_future": ("forgeries_are_refused", "future_timestamp"),
}
FLASK_BUGS = {
    "lost_answers": ("charged_once", "was charged 2 times"),
    "crash_after_answer": ("every_capture_is_fulfilled", "was paid for and is pending"),
    "lost_webhooks": ("every_capture_is_fulfilled", "was paid for and is pending"),
    "replayed_webhooks": ("forgeries_are_refused", "stale_timestamp"),
}


def run(name: str, scenarios: list[str], report: Path) -> tuple[int, dict, str]:
    """Run scenarios as a person does, from a folder that is not the checkout."""
    if name.startswith("node") and shutil.which("node") is None:
        pytest.skip("node is not installed on this machine")
    command = [sys.executable, "-m", "scenarios", "run", *scenarios, "--json", str(report)]
    done = subprocess.run(
        [*command, "--target", str(EXAMPLES / f"{name}.toml")],
        cwd=report.parent,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert report.exists(), done.stderr
    return done.returncode, json.loads(report.read_text()), done.stdout + done.stderr


@pytest.mark.parametrize("language", ["node", "flask"])
def test_a_correct_consumer_holds_whatever_it_is_put_to(language: str, tmp_path: Path) -> None:
    asked = [] if CATALOGUE else HANDFULS[language]
    status, document, said = run(f"{language}/correct", asked, tmp_path / "report.json")
    verdicts = {each["name"]: each["verdict"] for each in document["scenarios"]}
    assert set(verdicts.values()) == {"held"}, said
    assert verdicts.keys() >= set(asked)
    assert len(verdicts) == len(asked) or len(verdicts) > 40
    assert status == 0


@pytest.mark.parametrize(
    ("language", "bugs"), [("node", NODE_BUGS), ("flask", FLASK_BUGS)], ids=["node", "flask"]
)
def test_a_broken_consumer_is_found_out_with_the_promise_that_it_breaks(
    language: str, bugs: dict[str, tuple[str, str]], tmp_path: Path
) -> None:
    status, document, said = run(f"{language}/broken", [*bugs], tmp_path / "report.json")
    assert status == 1, said
    assert {each["name"] for each in document["scenarios"]} == bugs.keys()
    for scenario in document["scenarios"]:
        invariant, words = bugs[scenario["name"]]
        broken = {
            each["name"]: each["message"]
            for each in scenario["invariants"]
            if each["verdict"] == "broken"
        }
        assert words in broken.get(invariant, ""), said
        assert f"again: psp-scenarios replay {scenario['replay']}" in said
        replay = read_replay(tmp_path / scenario["replay"])
        assert replay.invariant in broken
        assert replay.target == str(EXAMPLES / language / "broken.toml")


def test_a_failure_comes_back_from_its_file_and_the_correct_consumer_does_not_have_it(
    tmp_path: Path, capsys
) -> None:
    plan = plan_of(select(["replayed_webhooks"])[0], 1)
    broken, correct = (str(EXAMPLES / "flask" / f"{name}.toml") for name in ("broken", "correct"))
    found = Replay("old", "correct", plan, "forgeries_are_refused", target=broken)
    path = str(write_replay(found, tmp_path))
    assert main(["replay", path]) == 1
    said = capsys.readouterr().out
    assert said.startswith("reproduced: forgeries_are_refused on the service flask-broken"), said
    assert main(["replay", path, "--target", correct]) == 0
    said = capsys.readouterr().out
    assert said.startswith("not reproduced: forgeries_are_refused on the service flask-c"), said


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.[jp][sy]")), ids=lambda path: path.name)
def test_an_example_is_short_enough_to_be_read(path: Path) -> None:
    assert len(path.read_text().splitlines()) < LINES_MAX
