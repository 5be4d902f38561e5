"""Replay files: a failure comes back, or it is said why it does not; and those that we keep."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from scenarios.__main__ import main
from scenarios.mutants import CORRECT
from scenarios.search.judge_plan import play_plan
from scenarios.search.plan import Plan
from scenarios.search.replay import (
    NO_LONGER_FIRES,
    NOT_REPRODUCED,
    NOTHING_PROVEN,
    SCHEMA,
    Replay,
    read_replay,
    seen_again,
    write_replay,
)
from scenarios.search.write_failure import recorded, write_failure
from scenarios.verdict import InvariantResult, RunResult, Verdict

CORPUS = sorted((Path(__file__).parents[3] / "scenarios" / "corpus").glob("*.replay.json"))
PLAN = Plan(
    1,
    {"orders": 1, "shop": {"tracking": "webhooks"}},
    ({"kind": "duplicate", "event": "payment.succeeded", "copies": 2, "spacing": "5s"},),
)
INVARIANT = "fulfilled_at_most_once"


@pytest.fixture
def replay_file(tmp_path: Path) -> Path:
    return write_replay(recorded(PLAN, INVARIANT, "no_dedupe", "twice"), tmp_path)


def test_the_corpus_is_not_empty() -> None:
    assert CORPUS


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name.removesuffix(".replay.json"))
def test_what_was_once_found_breaks_its_shop_and_holds_on_the_correct_one(path: Path) -> None:
    replay = read_replay(path)
    outcome = play_plan(replay.plan, replay.shop)
    assert all(outcome.fired), "a fault of it no longer fires"
    if replay.shop != CORRECT:
        assert replay.invariant in outcome.broken
        outcome = play_plan(replay.plan, CORRECT)
    assert not outcome.broken


def test_a_failure_is_reproduced_with_the_same_trace(replay_file: Path, capsys) -> None:
    assert main(["replay", str(replay_file), "--json", "-"]) == 1
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert (document["said"], document["same_trace"]) == ("reproduced", True)
    assert INVARIANT in document["broken"]
    assert captured.err.startswith("reproduced: fulfilled_at_most_once on the shop no_dedupe")


def test_a_failure_that_was_mended_is_not_reproduced(replay_file: Path, capsys) -> None:
    assert main(["replay", str(replay_file), "--shop", "correct"]) == 0
    assert capsys.readouterr().out.startswith("not reproduced")


def test_a_fault_that_no_longer_fires_is_told_from_one_that_does_no_harm(
    replay_file: Path, capsys
) -> None:
    gone = PLAN.with_faults([{**PLAN.faults[0], "attempt": 7}])
    path = write_replay(replace(read_replay(replay_file), plan=gone), replay_file.parent)
    assert main(["replay", str(path), "--shop", "correct"]) == 3
    out = capsys.readouterr().out
    assert out.startswith("the fault no longer fires")
    assert "the fault duplicate never fired" in out


def test_another_trace_is_told(replay_file: Path, capsys) -> None:
    path = write_replay(replace(read_replay(replay_file), digest="0" * 32), replay_file.parent)
    assert main(["replay", str(path)]) == 1
    assert "its trace differs from the file's" in capsys.readouterr().out


@pytest.mark.live
def test_a_failure_of_virtual_time_is_reproduced_over_real_http(replay_file: Path, capsys) -> None:
    assert main(["replay", str(replay_file), "--target", "live"]) == 1
    assert capsys.readouterr().out.startswith("reproduced")


TARGET_FILE = """
name = "mine"
base_url = "http://127.0.0.1:{port}"
start = ["./serve"]
[place_order]
path = "/orders"
[read_order]
path = "/orders/{order_id}"
paid = ["paid"]
"""
CRASH_AT_A_COMMIT = {"kind": "crash", "at": {"site": "commit"}, "for": "5s"}
PAUSE = {"kind": "pause", "for": "5s"}


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (
            "live",
            [
                "fault 2, crash (before commit 1, for 5s): "
                "only a simulated world can crash at will",
                "fault 3, pause (for 5s): only a simulated world can pause at will",
            ],
        ),
        (
            "mine.toml",
            [
                "fault 2, crash (before commit 1, for 5s): a commit happens inside the service, "
                "where the harness cannot see it"
            ],
        ),
    ],
)
def test_each_fault_that_does_not_fit_a_target_is_named_and_nothing_is_played(
    target: str, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(TARGET_FILE)
    plan = PLAN.with_faults([*PLAN.faults, CRASH_AT_A_COMMIT, PAUSE])
    path = write_replay(Replay("three", CORRECT, plan, INVARIANT), tmp_path)
    assert main(["replay", str(path), "--target", target, "--json", "-"]) == 3
    document = json.loads(capsys.readouterr().out)
    assert document["said"] == "does not fit this target"
    assert document["does_not_fit"] == said


def test_what_only_virtual_time_shows_does_not_fit_elsewhere(tmp_path: Path, capsys) -> None:
    path = write_replay(Replay("broke", CORRECT, PLAN, "no_exception"), tmp_path)
    assert main(["replay", str(path), "--target", "live"]) == 3
    assert "is seen in virtual time only" in capsys.readouterr().out


def test_a_file_is_played_where_its_failure_was_found(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    found = Replay("found", CORRECT, PLAN, INVARIANT, target="mine.toml")
    path = write_replay(found, tmp_path)
    assert read_replay(path) == replace(found, versions=read_replay(path).versions)
    assert main(["replay", str(path)]) == 2
    assert "cannot read the target mine.toml" in capsys.readouterr().err


def run_of(**changes: Any) -> RunResult:
    held = InvariantResult(INVARIANT, Verdict.HELD, evaluated=2)
    defaults = {
        "invariants": [held],
        "faults_fired": {"duplicate": 1},
        "did_not_converge": None,
        "digest": None,
    }
    return RunResult("one", 1, simulated_s=1.0, wall_s=1.0, **(defaults | changes))


OTHER = InvariantResult("charged_once", Verdict.BROKEN, 1, "twice", ["twice"])


@pytest.mark.parametrize(
    ("run", "said", "verdict"),
    [
        (run_of(), NOT_REPRODUCED, Verdict.HELD),
        (run_of(trouble="the service ended by itself"), NOTHING_PROVEN, Verdict.UNPROVEN),
        (
            run_of(invariants=[InvariantResult(INVARIANT, Verdict.UNPROVEN, evaluated=0)]),
            NOTHING_PROVEN,
            Verdict.UNPROVEN,
        ),
        (run_of(invariants=[OTHER]), NOT_REPRODUCED, Verdict.BROKEN),
        (run_of(did_not_converge="o1 is pending"), NOT_REPRODUCED, Verdict.BROKEN),
        (run_of(faults_fired={}), NO_LONGER_FIRES, Verdict.UNPROVEN),
    ],
    ids=["held", "trouble", "never put to the test", "another broke", "no rest", "no fault"],
)
def test_what_a_new_run_says_about_the_old_failure(
    run: RunResult, said: str, verdict: Verdict
) -> None:
    replay = Replay("one", CORRECT, PLAN, INVARIANT)
    again = seen_again(replay, run)
    assert (again.said(replay), again.verdict(replay)) == (said, verdict)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        ("{}", f'"schema" is not "{SCHEMA}"'),
        (json.dumps({"schema": SCHEMA}), "'name' is missing"),
    ],
)
def test_a_file_that_is_no_replay_is_refused_in_one_line(text, said, tmp_path, capsys) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    assert main(["replay", str(path)]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"shop": []}, "shop [] is no text"),
        ({"shop": {}}, "shop {} is no text"),
        ({"name": None}, "name None is no text"),
        ({"story": 5}, "story 5 is no list"),
        ({"story": None}, "story None is no list"),
        ({"versions": [1]}, "versions [1] is no object"),
        ({"versions": "abc"}, "versions 'abc' is no object"),
        ({"target": 5}, "target 5 is no text"),
        ({"expect": []}, "expect [] is no object"),
        ({"expect": {}}, "invariant None is no text"),
        ({"expect": {"invariant": INVARIANT, "digest": 7}}, "digest 7 is no text"),
        ({"expect": {"invariant": "[/bold]"}}, "expect.invariant '[/bold]' is not known"),
        (
            {"expect": {"invariant": "fulfilled_at_most_onces"}},
            "expect.invariant 'fulfilled_at_most_onces' is not known: use fulfilled_at_most_once,",
        ),
    ],
    ids=str,
)
def test_what_somebody_wrote_wrongly_into_a_file_is_named_and_nothing_is_played(
    changes: dict[str, object], said: str, replay_file: Path, capsys
) -> None:
    replay_file.write_text(json.dumps(json.loads(replay_file.read_text()) | changes))
    assert main(["replay", str(replay_file)]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("depth", [900, 100_000])
def test_a_file_of_endless_brackets_is_refused(depth: int, replay_file: Path, capsys) -> None:
    text = replay_file.read_text()
    text = text.replace('"orders": 1', f'"orders": {"[" * depth}{"]" * depth}')
    replay_file.write_text(text)
    assert main(["replay", str(replay_file)]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_file_that_is_not_there_is_said_in_one_line(capsys) -> None:
    assert main(["replay", "/nowhere/at/all.json"]) == 2
    assert "cannot read /nowhere/at/all.json" in capsys.readouterr().err


def test_the_story_names_the_fault_the_promise_and_the_first_difference(tmp_path: Path) -> None:
    written = write_failure(PLAN, INVARIANT, "no_dedupe", tmp_path)
    text = written.story.text
    assert "One customer buys at the shop `no_dedupe` (tracking webhooks), with one fault." in text
    assert "Fault 1: duplicate (event payment.succeeded, copies 2, spacing 5s)" in text
    assert "was fulfilled 2 times" in text
    assert "Without fault 1 the promise holds. The first difference: here at " in text
    assert written.story.steps[-1].mark == "broken"


def test_the_test_to_paste_fails_on_the_broken_shop_and_runs_by_itself(tmp_path: Path) -> None:
    write_failure(PLAN, INVARIANT, "no_dedupe", tmp_path)
    (pasted,) = tmp_path.glob("test_*.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(pasted)]
    run = partial(
        subprocess.run,
        command,
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    done = run()
    assert done.returncode == 1, done.stdout
    assert "was fulfilled 2 times" in done.stdout
    pasted.write_text(pasted.read_text().replace("'no_dedupe'", "'correct'"))
    assert run().returncode == 0
