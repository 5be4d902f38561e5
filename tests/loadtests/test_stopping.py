"""A stop that comes at a bad moment waits for the end of it, and is heeded then."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from loadtests.stopping import STOPS, listen, stop_held_back


@pytest.fixture(autouse=True)
def handlers_as_before() -> Iterator[None]:
    before = [signal.getsignal(number) for number in STOPS]
    yield
    for number, handler in zip(STOPS, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("number", STOPS)
def test_a_signal_is_heeded_at_once(number: signal.Signals) -> None:
    listen()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


@pytest.mark.parametrize("number", STOPS)
def test_it_waits_for_what_must_not_be_broken_off(number: signal.Signals) -> None:
    listen()
    done = []

    def begin() -> None:
        with stop_held_back():
            signal.raise_signal(number)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        begin()
    assert done == ["all of it"]


def test_it_is_heeded_too_when_that_fails_since_ctrl_c_may_have_reached_it_as_well() -> None:
    listen()

    def begin() -> None:
        with stop_held_back():
            signal.raise_signal(signal.SIGINT)
            raise AssertionError("it was interrupted as well")

    with pytest.raises(KeyboardInterrupt):
        begin()


def test_a_second_signal_does_not_break_off_the_tidying_up() -> None:
    listen()
    with pytest.raises(KeyboardInterrupt):
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
