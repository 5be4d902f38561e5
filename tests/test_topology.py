"""The command behind ``make topology``: what it refuses, and how it ends."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests import topology


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
