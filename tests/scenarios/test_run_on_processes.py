"""Jobs on processes: results in the jobs' order, and no process outlives who asked for them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from scenarios.errors import Unreachable, WrongUsage
from scenarios.run_on_processes import on_processes
from tests.scenarios.process_groups import ROOT, in_group, wait_until


def _squared(number: int) -> tuple[int, int]:
    return os.getpid(), number * number


def _wrong(number: int) -> int:
    if number == 2:
        raise WrongUsage("2 is not a number")
    return number


def _killed(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def _itself(job: object) -> object:
    return job


def test_the_results_keep_the_order_of_the_jobs_and_come_from_as_many_processes_as_asked() -> None:
    with on_processes(_squared, 2) as run_all:
        results = list(run_all(range(40)))
    assert [square for _, square in results] == [number * number for number in range(40)]
    assert os.getpid() not in {process for process, _ in results}
    assert len({process for process, _ in results}) == 2


def test_no_more_processes_are_started_than_there_are_jobs() -> None:
    with on_processes(_squared, 7) as run_all:
        (result,) = run_all([3])
        assert result[1] == 9
        assert list(run_all([])) == []


def test_one_process_is_this_one() -> None:
    with on_processes(_squared, 1) as run_all:
        assert list(run_all([3])) == [(os.getpid(), 9)]


def test_jobs_are_drawn_as_far_ahead_of_the_results_as_asked_and_no_further() -> None:
    drawn: list[int] = []

    def endless() -> Iterator[int]:
        for number in count():
            drawn.append(number)
            yield number

    with on_processes(_squared, 2, ahead=4) as run_all:
        results = run_all(endless())
        seen = [(next(results)[1], len(drawn)) for _ in range(5)]
    assert seen == [(0, 4), (1, 5), (4, 6), (9, 7), (16, 8)]


def _noted(job: tuple[Path, int]) -> int:
    told, number = job
    with (told / str(os.getpid())).open("a") as lines:
        lines.write(f"{number}\n")
    return number


def test_the_longest_begin_first_and_the_results_keep_their_order(tmp_path: Path) -> None:
    numbers = [number * 7 % 40 for number in range(40)]
    with on_processes(_noted, 2, length=lambda job: job[1]) as run_all:
        assert list(run_all([(tmp_path, number) for number in numbers])) == numbers
    for told in tmp_path.iterdir():
        begun = [int(line) for line in told.read_text().split()]
        assert begun == sorted(begun, reverse=True)


def test_what_a_job_raised_is_raised_in_its_turn_and_says_where_it_was() -> None:
    with on_processes(_wrong, 2) as run_all:
        results = run_all([1, 2, 3])
        assert next(results) == 1
        with pytest.raises(WrongUsage) as caught:
            next(results)
    assert str(caught.value) == "2 is not a number"
    assert "in _wrong" in "".join(caught.value.__notes__)


def test_a_process_that_dies_is_said_in_one_line() -> None:
    with (
        on_processes(_killed, 2) as run_all,
        pytest.raises(Unreachable, match=r"one of our own processes ended in its work: -9"),
    ):
        list(run_all([1]))


def test_jobs_and_results_that_are_larger_than_a_pipe_get_through() -> None:
    large = b"x" * 3_000_000
    with on_processes(_itself, 2) as run_all:
        assert list(run_all([large] * 4)) == [large] * 4


# A shell has Ctrl-C ignored by what it starts in the background; a terminal tells the whole group.
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("tells", [os.kill, os.killpg])
def test_who_is_stopped_leaves_no_process_even_if_they_compute(
    number: signal.Signals, tells, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tests.scenarios.busy_processes", str(tmp_path)]
    process = subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
    tells(process.pid, number)
    # Whoever is left would hold the other end of standard error.
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == (130 if number == signal.SIGINT else -signal.SIGKILL)
    wait_until(lambda: not in_group(process.pid))
