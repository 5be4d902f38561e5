"""A shop that reaches out of virtual time ends its run, and the line that did it is named."""

from __future__ import annotations

import _thread
import asyncio
import logging
import os
import random
import secrets
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from random import choice
from time import time as taken_hold_of_before

import pytest

from scenarios.__main__ import main
from scenarios.mutants import MUTANTS, Mutant
from scenarios.scenario import Scenario
from scenarios.scenario_files import select
from scenarios.targets.simulated import simulate
from scenarios.world import (
    Escape,
    RandomnessForbidden,
    RealClockForbidden,
    RealNetworkForbidden,
    ThreadForbidden,
)
from shop.parts import Parts
from shop.receive_webhook import receive_webhook


def _bind() -> None:
    with socket.socket() as plain:
        plain.bind(("127.0.0.1", 0))


CLOCKS = {
    "time": lambda: time.time(),
    "time_ns": lambda: time.time_ns(),
    "monotonic": lambda: time.monotonic(),
    "perf_counter": lambda: time.perf_counter(),
    "localtime": lambda: time.localtime(),
    "strftime": lambda: time.strftime("%H:%M"),
    "date.today": lambda: date.today(),  # noqa: DTZ011 (what a careless shop does)
}
CHANCE = {
    "random.random": lambda: random.random(),
    "random.choice": lambda: random.choice([1, 2]),
    "choice, by a name of its own": lambda: choice([1, 2]),
    "random.shuffle": lambda: random.shuffle([1, 2]),
    "Random without a seed": lambda: random.Random().random(),
    "SystemRandom": lambda: random.SystemRandom().random(),
    "os.urandom": lambda: os.urandom(4),
    "uuid4": lambda: uuid.uuid4(),
    "uuid1": lambda: uuid.uuid1(),
    "secrets": lambda: secrets.token_hex(),
}
THREADS = {
    "Thread": lambda: threading.Thread(target=print).start(),
    "start_new_thread": lambda: _thread.start_new_thread(print, ()),
    "run_in_executor": lambda: asyncio.get_running_loop().run_in_executor(None, print),
    "sleep": lambda: time.sleep(0.001),
    "subprocess": lambda: subprocess.run([sys.executable, "--version"], check=False),
    "os.system": lambda: os.system("true"),
    "os.fork": lambda: os.fork() or os._exit(0),
}
NETWORK = {
    "connect": lambda: socket.create_connection(("127.0.0.1", 9), timeout=0.1),
    "getaddrinfo": lambda: socket.getaddrinfo("localhost", 80),
    "bind": _bind,
}
KINDS = {
    RealClockForbidden: CLOCKS,
    RandomnessForbidden: CHANCE,
    ThreadForbidden: THREADS,
    RealNetworkForbidden: NETWORK,
}
# What no name in a module leads to: only the runs that are played twice see these.
SEEN_BY_EVERY_CALL = {
    "datetime.now": lambda: datetime.now(UTC),
    "datetime.utcnow": lambda: getattr(datetime, "utcnow")(),  # noqa: B009 (deprecated, and used)
    "time, by a name of its own": lambda: taken_hold_of_before(),
}


@pytest.fixture
def shop_that(monkeypatch) -> Callable[[Callable[[], object]], str]:
    """Give a broken shop that does something whenever a webhook comes; return its name."""

    def make(reaches_out: Callable[[], object], *, swallows: bool = False) -> str:
        async def receive(*arguments: object) -> object:
            try:
                reaches_out()
            except Exception:
                if not swallows:
                    raise
            return await receive_webhook(*arguments)

        parts = replace(Parts(), receive_webhook=receive)
        monkeypatch.setitem(MUTANTS, "escaping", Mutant("escaping", "M00", "reaches out", parts))
        return "escaping"

    return make


@pytest.fixture
def calm() -> Scenario:
    return replace(select(["calm"])[0], orders=1)


@pytest.mark.parametrize(
    ("kind", "reaches_out"),
    [
        pytest.param(kind, reaches_out, id=name)
        for kind, ways in KINDS.items()
        for name, reaches_out in ways.items()
    ],
)
def test_a_way_out_ends_the_run_and_names_who_took_it(kind, reaches_out, shop_that, calm) -> None:
    with pytest.raises(kind, match=r"was called by scenarios/test_escapes\.py:\d+ .* in 'shop: "):
        simulate(calm, 1, shop_that(reaches_out))


@pytest.mark.parametrize("name", SEEN_BY_EVERY_CALL)
def test_what_hides_from_names_is_seen_by_watching_every_call(name, shop_that, calm) -> None:
    shop = shop_that(SEEN_BY_EVERY_CALL[name])
    simulate(calm, 1, shop)
    with pytest.raises(RealClockForbidden, match=r"was called by scenarios/test_escapes\.py:\d+"):
        simulate(calm, 1, shop, every_call=True)


def test_an_escape_that_is_swallowed_ends_the_run_all_the_same(shop_that, calm) -> None:
    with pytest.raises(Escape):
        simulate(calm, 1, shop_that(lambda: random.random(), swallows=True))


def _harmless() -> None:
    logging.getLogger("a shop").warning("a line with a stamp")
    time.localtime(0)
    time.strftime("%H", time.gmtime(0))
    datetime.fromtimestamp(0, UTC)
    random.Random(7).random()
    later = random.Random()
    later.seed(7)
    later.shuffle([1, 2])


@pytest.mark.parametrize("every_call", [False, True])
def test_what_leaves_no_trace_and_what_has_a_seed_is_allowed(every_call, shop_that, calm) -> None:
    simulate(calm, 1, shop_that(_harmless), every_call=every_call)


def test_watching_every_call_changes_nothing_else(calm) -> None:
    digests = {
        simulate(calm, 1, "correct", every_call=each).world.trace.digest() for each in (False, True)
    }
    assert len(digests) == 1


def test_after_a_run_every_function_is_what_it_was(calm) -> None:
    def all_of_them() -> list[object]:
        return [
            *(getattr(time, name) for name in ("time", "sleep", "monotonic", "strftime")),
            *(random.random, random.Random.seed, os.urandom, threading.Thread.start),
            *(_thread.start_new_thread, dict(random._inst.__dict__), sys.getprofile()),
        ]

    before = all_of_them()
    simulate(calm, 1, "correct", every_call=True)
    assert all_of_them() == before
    assert isinstance(random.choice([1]) + random.random() + time.time(), float)


def test_another_thread_may_do_all_that_while_a_run_lasts(calm, shop_that) -> None:
    asked, answered = threading.Event(), threading.Event()
    drawn: list[object] = []

    def beside() -> None:
        asked.wait(5.0)
        drawn.extend((time.time(), random.random(), uuid.uuid4()))
        answered.set()

    thread = threading.Thread(target=beside)
    thread.start()

    def let_it() -> None:
        asked.set()
        answered.wait(5.0)

    simulate(calm, 1, shop_that(let_it))
    thread.join()
    assert len(drawn) == 3


def test_a_run_that_left_virtual_time_proves_nothing_and_says_who_left(capsys, shop_that) -> None:
    shop = shop_that(lambda: time.time())
    assert main(["run", "calm", "--shop", shop, "--jobs", "1"]) == 3
    said = " ".join(capsys.readouterr().out.split())
    assert "? calm: time.time was called by scenarios/test_escapes.py:" in said
    assert "take the time from the clock that was passed in" in said


def test_the_second_look_finds_what_the_first_cannot_see(capsys, shop_that) -> None:
    shop = shop_that(lambda: datetime.now(UTC))
    assert main(["run", "calm", "--shop", shop, "--jobs", "1"]) == 3
    said = " ".join(capsys.readouterr().out.split())
    assert "? calm: datetime.now was called by scenarios/test_escapes.py:" in said
