"""The command behind ``make topology``: what it refuses, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from loadtests import verify
from loadtests.read_books import Services
from tests import topology
from tests.loadtests.test_run_load import processes_of, wait_until
from tests.topology_cost import cost_lines


@pytest.fixture(autouse=True)
def handlers_as_before() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


class Up:
    psp_url = shop_url = "http://127.0.0.1:1"


@contextmanager
def nothing_started(*_: Any) -> Iterator[Up]:
    yield Up()


def stopped(*_: Any) -> int:
    raise KeyboardInterrupt


def test_who_stops_it_before_the_books_are_compared_is_not_told_that_they_balance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(topology, "open_topology", nothing_started)
    monkeypatch.setattr(topology, "load_and_verify", stopped)
    assert topology.main([]) == 130


def test_who_stops_it_while_it_starts_is_not_told_that_it_stood(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(topology, "open_topology", stopped)
    assert topology.main(["--stay"]) == 130


def test_a_stay_ends_well_when_it_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topology, "open_topology", nothing_started)
    monkeypatch.setattr(time, "sleep", stopped)
    assert topology.main(["--stay"]) == 0


@pytest.mark.live
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 130), (signal.SIGHUP, 130), (signal.SIGKILL, -9)]
)
def test_whatever_ends_it_ends_its_processes_and_leaves_nothing_behind(
    number: signal.Signals, status: int
) -> None:
    # A short path, since it holds that of a socket, which anybody may go through.
    with tempfile.TemporaryDirectory(prefix="top") as temporary:
        Path(temporary).chmod(0o755)
        with subprocess.Popen(
            (sys.executable, "-m", "tests.topology", "--time", "60", "--users", "1"),
            cwd=topology.ROOT,
            env=os.environ | {"TMPDIR": temporary, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("provider and dashboard")
            assert len(processes_of(Path(temporary))) >= 12
            process.send_signal(number)
            assert process.wait(60) == status
        wait_until(lambda: not processes_of(Path(temporary)))
        assert list(Path(temporary).iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--users", "0"],
        ["--users", "-3"],
        ["--time", "0"],
        ["--time", "soon"],
        ["--preset", "nope"],
        ["--scale", "shop=0"],
        ["--kill", "postgres"],
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_starts(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(topology, "open_topology", pytest.fail)
    with pytest.raises(SystemExit) as ended:
        topology.main(arguments)
    assert ended.value.code == 2
    assert f"error: argument {arguments[0]}" in capsys.readouterr().err.replace(
        "error: --scale", "error: argument --scale"
    )


def test_a_service_that_does_not_answer_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_answer(*_: Any) -> int:
        raise httpx.ReadTimeout("timed out")

    monkeypatch.setattr(topology, "open_topology", nothing_started)
    monkeypatch.setattr(topology, "load_and_verify", no_answer)
    assert topology.main([]) == 1
    assert capsys.readouterr().err.startswith("topology: a service no longer answers")


def test_a_program_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def without_nginx(*_: Any) -> None:
        pytest.skip("nginx is not there")

    monkeypatch.setattr(topology, "open_topology", without_nginx)
    assert topology.main([]) == 3
    assert capsys.readouterr().err == "topology: nginx is not there\n"


BOOKS = Services("http://psp", "key", "http://shop", "http://warehouse")


@pytest.mark.parametrize(
    ("preset", "fired", "balance", "status"),
    [
        ("storm", {"drop": 3}, 0, 0),
        ("storm", {}, 0, 3),
        ("storm", {}, 1, 1),
        ("calm", {}, 0, 0),
    ],
)
def test_the_books_are_compared_once_the_faults_are_lifted(
    preset: str, fired: dict[str, int], balance: int, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def lift(url: str) -> dict[str, int]:
        done.append(f"lift at {url}")
        return fired

    def compare(services: Services) -> int:
        done.append(f"compare {services.shop_url}")
        return balance

    monkeypatch.setattr(verify, "lift_faults", lift)
    monkeypatch.setattr(verify, "verify_books", compare)
    assert verify.lift_and_verify(BOOKS, preset) == status
    assert done == ["lift at http://psp", "compare http://shop"]


def test_what_a_killed_process_used_is_not_forgotten(tmp_path: Path) -> None:
    topology_here = topology.Topology(tmp_path, {}, {}, os.getpid(), iter(range(99)).__next__)
    burning = subprocess.Popen((sys.executable, "-c", "while True: pass"))
    topology_here.processes["shop"] = [burning]
    try:
        wait_until(lambda: topology_here.cpu_s()["shop"] > 0.05)
        before_s = topology_here.cpu_s()["shop"]
    finally:
        topology_here.kill("shop")
        burning.wait()
    assert topology_here.cpu_s()["shop"] >= before_s


def test_a_cost_is_told_by_order_and_beyond_what_idling_uses() -> None:
    lines = cost_lines({"shop": 2.0, "front": 5.0}, {"shop": 0.05, "front": 0.0}, 20.0, 100)
    assert [line.split() for line in lines[1:]] == [
        ["front", "50.0", "ms", "0.0", "ms"],
        ["shop", "10.0", "ms", "50.0", "ms"],
        ["in", "all", "60.0", "ms", "50.0", "ms"],
    ]


@pytest.mark.parametrize("used_s", [0.0, 0.5, 1.0, 1.05])
def test_no_cost_is_told_where_what_idling_uses_hides_it(used_s: float) -> None:
    lines = cost_lines({"front": 5.0, "shop": used_s}, {"front": 0.0, "shop": 0.05}, 20.0, 100)
    [told] = [line for line in lines if "shop" in line]
    assert told.split() == ["shop", "within", "noise", "50.0", "ms"]
