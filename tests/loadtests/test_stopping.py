"""A stop that comes at a bad moment waits for the end of it, and is heeded then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests.stopping import STOPS, Stopped, listen, stop_held_back


@pytest.fixture(autouse=True)
def handlers_as_before() -> Iterator[None]:
    before = [signal.getsignal(number) for number in STOPS]
    yield
    for number, handler in zip(STOPS, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("number", STOPS)
def test_a_signal_is_heeded_at_once(number: signal.Signals) -> None:
    listen()
    with pytest.raises(Stopped):
        signal.raise_signal(number)


@pytest.mark.parametrize("number", STOPS)
def test_it_waits_for_what_must_not_be_broken_off(number: signal.Signals) -> None:
    listen()
    done = []

    def begin() -> None:
        with stop_held_back():
            signal.raise_signal(number)
            done.append("all of it")

    with pytest.raises(Stopped):
        begin()
    assert done == ["all of it"]


def test_it_is_heeded_too_when_that_fails_since_ctrl_c_may_have_reached_it_as_well() -> None:
    listen()

    def begin() -> None:
        with stop_held_back():
            signal.raise_signal(signal.SIGINT)
            raise AssertionError("it was interrupted as well")

    with pytest.raises(Stopped):
        begin()


def test_a_second_signal_does_not_break_off_the_tidying_up() -> None:
    listen()
    with pytest.raises(Stopped):
        signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGINT)


def test_who_starts_us_with_nohup_means_that() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    listen()
    signal.raise_signal(signal.SIGHUP)


def test_without_a_stop_nothing_is_raised() -> None:
    listen()
    with stop_held_back():
        pass


# A module that Python runs by its name dies of SIGINT, whatever its status is, if the last code
# that came as text, as that of a dataclass does, was left by a plain KeyboardInterrupt.
_STOPPED_IN_A_TEXT = """
import signal, sys
from loadtests.command import exit_status

def run():
    exec("signal.raise_signal(signal.NUMBER)")

sys.exit(exit_status("it", run))
"""


@pytest.mark.parametrize("number", STOPS)
def test_the_exit_status_is_ours_wherever_a_stop_comes(
    number: signal.Signals, tmp_path: Path
) -> None:
    (tmp_path / "stopped.py").write_text(_STOPPED_IN_A_TEXT.replace("NUMBER", number.name))
    search = f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}"
    done = subprocess.run(
        [sys.executable, "-m", "stopped"],
        env=os.environ | {"PYTHONPATH": search},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (130, "")
