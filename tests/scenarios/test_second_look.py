"""A share of the runs is played twice; a run that comes out otherwise proves nothing."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import pytest

from scenarios.__main__ import main
from scenarios.run_suite import _compared
from scenarios.second_look import SHOWN_CHARACTERS_MAX, chosen, difference
from scenarios.verdict import RunResult
from scenarios.world import World

RUNS = [(f"scenario_{n}", seed) for n in range(20) for seed in (1, 2, 3)]


@pytest.mark.parametrize(("runs", "count"), [(0, 0), (1, 1), (2, 1), (40, 2), (60, 3)])
def test_five_percent_of_the_runs_are_chosen_and_at_least_one(runs: int, count: int) -> None:
    assert len(chosen(RUNS[:runs])) == count


def test_the_choice_follows_from_the_seed() -> None:
    assert chosen(RUNS) == chosen(RUNS)
    others = {tuple(chosen([(name, seed) for name, _ in RUNS[:20]])) for seed in range(10)}
    assert len(others) > 3


def test_equal_traces_do_not_differ() -> None:
    assert difference(["a", "b"], ["a", "b"]) is None


def test_the_first_line_that_differs_is_shown_around_the_place_where_it_does() -> None:
    same = "x" * 500
    told = difference(["same", f"{same}1{same}"], ["same", f"{same}2{same}"])
    assert told is not None
    assert "line 2 of the trace was …" in told
    assert "x1x" in told
    assert "x2x" in told
    assert len(told) < 2 * SHOWN_CHARACTERS_MAX + 200


def test_a_trace_that_ends_early_differs_where_it_ends() -> None:
    assert "line 2 of the trace was its end and then b" in (difference(["a"], ["a", "b"]) or "")


def test_a_world_that_comes_out_otherwise_leaves_the_run_unproven(capsys, monkeypatch) -> None:
    """Mutate the world: each new one is a microsecond off, as an unseeded draw would have it."""
    worlds = itertools.count()
    original = World.__init__

    def off(self: World, *arguments: object, **options: object) -> None:
        original(self, *arguments, **options)
        self.trace.record("healed", off=next(worlds))

    monkeypatch.setattr(World, "__init__", off)
    assert main(["run", "calm", "--jobs", "1", "--json", "-"]) == 3
    captured = capsys.readouterr()
    (scenario,) = json.loads(captured.out)["scenarios"]
    assert scenario["verdict"] == "unproven"
    assert '"off":0' in scenario["played_twice"][0]["difference"]
    assert "the same seed gave another run when it was played again: line 1" in captured.err
    assert "Played twice: 1 of 1 runs, 1 of them with another trace" in captured.err


def test_a_step_that_nobody_could_do_is_told_once_and_is_no_other_trace(capsys, tmp_path) -> None:
    path = tmp_path / "mine.toml"
    step = '[[steps]]\ndo = "approve_payment"\nat = "1s"\n'
    path.write_text(f'summary = "A promise."\norders = 1\n{step}', encoding="utf-8")
    assert main(["run", str(path), "--jobs", "1", "--json", "-"]) == 3
    captured = capsys.readouterr()
    assert captured.err.count("nobody could approve_payment") == 1
    assert "Played twice: 1 of 1 runs, each with the same trace" in captured.err
    (scenario,) = json.loads(captured.out)["scenarios"]
    assert scenario["played_twice"] == [{"difference": None}]


def test_a_run_that_ends_only_when_it_is_looked_at_closely_has_another_trace() -> None:
    whole = RunResult("calm", 1, (), {}, None, 1.0, 0.1, "abc", trace=("a",))
    cut_off = replace(whole, digest=None, trace=(), trouble="it asked for the real time")
    look = _compared(whole, cut_off).second_look
    assert look is not None
    assert look.difference == "it asked for the real time"
    assert _compared(cut_off, cut_off).second_look is None


def test_a_run_says_how_many_were_played_twice(capsys) -> None:
    assert main(["run", "calm", "--seeds", "1..3", "--jobs", "2", "--json", "-"]) == 0
    captured = capsys.readouterr()
    assert "Played twice: 1 of 3 runs, each with the same trace" in captured.err
    (scenario,) = json.loads(captured.out)["scenarios"]
    assert scenario["played_twice"] == [{"difference": None}]
