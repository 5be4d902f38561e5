"""Whoever stops a command has stopped all of it: no process is left, and none complains."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from scenarios.stop_requests import noted_stop
from tests.scenarios.process_groups import ROOT, in_group, wait_until
from tests.scenarios.targets.test_external import ORDERS, REGISTERS_ITSELF

# Each would go on for hours.
IN_VIRTUAL_TIME = {
    "explore": ["explore", "--runs", "10000000"],
    "run": ["run", "--seeds", "1..10000"],
    "matrix": ["matrix"],
    "compare": ["compare", "--payments", "100000"],
}
LIVE = {
    "run": ["run", "calm", "--seeds", "1..100", "--target", "live"],
    "matrix": ["matrix", "--target", "live"],
    "compare": ["compare", "--payments", "10", "--target", "live"],
}
# The command, two processes, and two of Python's own that look after these.
ALL_AT_WORK = 5


def _started(words: Sequence[str], **options) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "scenarios", *words]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=ROOT, start_new_session=True, **streams, **options)


def _expect_the_end(process: subprocess.Popen[str], status: int = 130) -> None:
    # Whoever is left would hold the other ends of these.
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (status, "", "")
    wait_until(lambda: not in_group(process.pid))


def _expect_a_report(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (130, "")
    assert "stopped before its end" in out
    wait_until(lambda: not in_group(process.pid))
    return out


@pytest.mark.parametrize("name", [name for name in IN_VIRTUAL_TIME if name != "explore"])
def test_a_command_that_computes_ends_with_its_processes(name: str) -> None:
    process = _started([*IN_VIRTUAL_TIME[name], "--jobs", "2"])
    wait_until(lambda: len(in_group(process.pid)) == ALL_AT_WORK)
    os.kill(process.pid, signal.SIGTERM)
    _expect_the_end(process)


@pytest.mark.parametrize(
    ("tells", "number"),
    [
        (os.kill, signal.SIGINT),
        (os.kill, signal.SIGTERM),
        (os.killpg, signal.SIGINT),
        (os.killpg, signal.SIGTERM),
    ],
)
def test_a_search_that_is_stopped_tells_what_it_did_and_leaves_no_process(tells, number) -> None:
    process = _started([*IN_VIRTUAL_TIME["explore"], "--jobs", "2"])
    wait_until(lambda: len(in_group(process.pid)) == ALL_AT_WORK)
    tells(process.pid, number)
    assert "no fault: " in _expect_a_report(process)


def test_what_a_stopped_search_has_found_can_be_replayed(tmp_path: Path) -> None:
    search = [*IN_VIRTUAL_TIME["explore"], "--shop", "no_dedupe", "--out", str(tmp_path)]
    process = _started([*search, "--jobs", "1"])
    wait_until(lambda: _processor_time(process.pid) > 600)
    os.kill(process.pid, signal.SIGTERM)
    assert "not fully shrunk, since the search was stopped" in _expect_a_report(process)
    for replay in tmp_path.glob("*.replay.json"):
        again = _started(["replay", str(replay)])
        assert again.communicate(timeout=120)[1] == ""
        assert again.returncode == 1
    assert list(tmp_path.glob("*.replay.json"))


def test_the_first_stop_is_noted_and_the_second_breaks_off() -> None:
    with noted_stop() as is_to_stop:
        assert not is_to_stop()
        signal.raise_signal(signal.SIGINT)
        assert is_to_stop()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_search_that_is_killed_leaves_no_process() -> None:
    process = _started([*IN_VIRTUAL_TIME["explore"], "--jobs", "2"])
    wait_until(lambda: len(in_group(process.pid)) == ALL_AT_WORK)
    os.kill(process.pid, signal.SIGKILL)
    _expect_the_end(process, -signal.SIGKILL)


def test_sigterm_counts_where_a_shell_has_ctrl_c_ignored() -> None:
    ignored = partial(signal.signal, signal.SIGINT, signal.SIG_IGN)
    process = _started([*IN_VIRTUAL_TIME["explore"], "--jobs", "2"], preexec_fn=ignored)
    wait_until(lambda: len(in_group(process.pid)) == ALL_AT_WORK)
    os.kill(process.pid, signal.SIGINT)
    os.kill(process.pid, signal.SIGTERM)
    _expect_a_report(process)


def test_a_command_on_one_process_ends_in_the_middle_of_a_run() -> None:
    process = _started([*IN_VIRTUAL_TIME["run"], "--jobs", "1", "--json", "-"])
    wait_until(lambda: _processor_time(process.pid) > 300)
    os.kill(process.pid, signal.SIGTERM)
    _expect_the_end(process)


def _processor_time(process: int) -> int:
    """Return how long a process has computed, in hundredths of a second on most machines."""
    stat = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(stat[11]) + int(stat[12])


# Its command kills itself, and loses what is raised in it the first time.
#
# A module that Python runs by its name would die of SIGINT at Python's own end, whatever its
# status is: so it is where code that came as text, as that of a dataclass does, is broken off.
_BROKEN_OFF = """
import argparse, os, signal
import scenarios.__main__ as it

async def work(): ...

def command(_):
    nobody_awaits_it = work()
    try:
        exec("os.kill(os.getpid(), signal.NUMBER); signal.pause()")
    except KeyboardInterrupt:
        pass
    while True:
        pass

options = argparse.Namespace(work=command)
it._parser = lambda: argparse.Namespace(parse_args=lambda _: options)
it.run_as_process()
"""


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_who_is_stopped_heeds_it_in_the_end_and_complains_of_nothing(
    number: str, tmp_path: Path
) -> None:
    (tmp_path / "broken_off.py").write_text(_BROKEN_OFF.replace("NUMBER", number))
    command = [sys.executable, "-m", "broken_off"]
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "")


@pytest.mark.live
@pytest.mark.parametrize(
    ("name", "number"),
    [(name, signal.SIGTERM) for name in LIVE] + [("run", signal.SIGINT)],
)
def test_a_command_on_real_services_ends_with_them(
    name: str, number: signal.Signals, tmp_path: Path
) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    process = _started([*LIVE[name], "--jobs", "2"], env=environment)
    wait_until(lambda: any("-m shop serve" in words for words in in_group(process.pid)))
    os.kill(process.pid, number)
    _expect_the_end(process)
    assert not list(tmp_path.glob("psp-*"))


@pytest.mark.live
def test_a_command_that_is_killed_leaves_none_of_our_services() -> None:
    process = _started([*LIVE["run"], "--jobs", "2"])
    wait_until(lambda: any("-m shop serve" in words for words in in_group(process.pid)))
    os.kill(process.pid, signal.SIGKILL)
    _expect_the_end(process, -signal.SIGKILL)


@pytest.mark.live
def test_a_command_that_is_killed_leaves_no_service_of_anybody_else(tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    target.write_text(REGISTERS_ITSELF + ORDERS)
    words = ["run", "calm", "--seeds", "1..100", "--target", str(target)]
    process = _started(words, env=os.environ | {"TMPDIR": str(tmp_path)})
    # It works: so long ago it was started, that whoever ends it has heard of it.
    wait_until(lambda: list(tmp_path.glob("*/data/shop.sqlite3")))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=120)
    wait_until(lambda: not _commands_with(f"sqlite:///{tmp_path}"))


def _commands_with(words: str) -> list[str]:
    """Return the command lines of this machine's processes that contain these words."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(file.read_text(errors="replace").replace("\0", " "))
    return [line for line in found if words in line]


@pytest.mark.parametrize("words", [["list"], ["list", "--json", "-"], ["run", "calm"]])
def test_a_reader_who_has_seen_enough_is_no_trouble(words: Sequence[str]) -> None:
    with _started(words) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 130
