"""Start every process of the demo, show it or record it, and end every process again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from psp_sim.server import bind, real_transport
from scenarios.demo.http_page import create_page
from scenarios.demo.lane import STUCK_AFTER_S, Lane
from scenarios.demo.pace import LIVE, Pace
from scenarios.demo.presenter import Presenter
from scenarios.demo.recording import recording_page
from scenarios.demo.services import KINDS, Kind, Services
from scenarios.demo.tour import SETTLING_S, TOUR, TOUR_S, pace_of_a_tour
from scenarios.errors import Unreachable, WrongUsage
from scenarios.targets.processes import Started, serving

HOST = "127.0.0.1"
PATIENCE_S = 60.0
LOOK_EVERY_S = 0.1
OnStart = Callable[[Started], None]


async def show(port: int, announce: Callable[[str], None], on_start: OnStart) -> None:
    """Serve the page until a signal cancels this task. Raises WrongUsage or Unreachable."""
    try:
        bound = bind(HOST, port)
    except OSError as problem:
        raise WrongUsage(f"cannot listen on port {port}: {problem.strerror}") from problem
    with bound:
        async with (
            _on_stage(on_start) as presenter,
            serving(create_page(presenter), bound) as url,
        ):
            announce(url)
            try:
                await asyncio.Event().wait()
            finally:
                # A server that stops waits for what it still has to say.
                presenter.end()


async def record(seconds: float, on_start: OnStart) -> str:
    """Take the tour without a browser; return it as one page. Raises Unreachable.

    ``seconds`` is shared among the steps, from the moment when every shop has shipped something.
    """
    messages: list[tuple[float, Any]] = []
    pace = pace_of_a_tour(seconds)
    async with _on_stage(on_start, pace) as presenter:
        await _until(lambda: all(each.lane.counts["shipped"] for each in presenter.services))
        queue = presenter.listen()
        began_at = time.time()
        walking = asyncio.create_task(_walk(presenter, seconds))
        while not walking.done():
            text = await next_message(queue)
            if text is not None:
                messages.append((round(time.time() - began_at, 2), json.loads(text)))
        await walking
        # Else a machine that stood still during the last step would have nothing of it to show.
        passed_s = round(time.time() - began_at, 2)
        messages.append((passed_s, {"numbers": presenter.numbers()}))
    return recording_page(messages, pace)


async def next_message(queue: asyncio.Queue[str], within_s: float = 0.5) -> str | None:
    """Return what comes within so many seconds, or None."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            return await queue.get()
    return None


async def _walk(presenter: Presenter, seconds: float) -> None:
    for number, step in enumerate(TOUR):
        await presenter.go_to(number)
        await asyncio.sleep(step.lasts_s * seconds / TOUR_S)
    await presenter.turn({"customers_per_minute": 0.0})
    await asyncio.sleep(SETTLING_S * seconds / TOUR_S)
    await _until(lambda: all(each.lane.is_at_rest for each in presenter.services))


async def _until(is_so: Callable[[], bool]) -> None:
    """Wait for it; what has not come about in a while is recorded as it is."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():  # noqa: ASYNC110
                await asyncio.sleep(LOOK_EVERY_S)


@asynccontextmanager
async def _on_stage(on_start: OnStart, pace: Pace = LIVE) -> AsyncIterator[Presenter]:
    """Yield a presenter whose processes all run. Whatever ends the body ends every process."""
    is_to_stop = _end_on_signals()
    transport = real_transport()
    presenter = Presenter(time.time, random.Random(), pace)
    try:
        with tempfile.TemporaryDirectory(prefix="psp-demo-") as folder:
            presenter.services = [
                _services(kind, Path(folder), presenter, transport, on_start, pace)
                for kind in KINDS
            ]
            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(each.run(presenter.knobs.polling_interval_s))
                    for each in presenter.services
                ]
                try:
                    for each in presenter.services:
                        await each.ready.wait()
                    await presenter.turn({})
                    running += _goings_on(presenter, tasks)
                    yield presenter
                finally:
                    for task in running:
                        task.cancel()
    except* Unreachable as trouble:
        if is_to_stop():
            # Whoever stops us may have stopped our processes too: that is no trouble.
            raise asyncio.CancelledError from None
        raise trouble.exceptions[0] from None
    finally:
        await transport.aclose()


def _goings_on(presenter: Presenter, tasks: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
    work = [presenter.customers(), presenter.broadcast()]
    work += [presenter.follow_provider(each) for each in presenter.services]
    return [tasks.create_task(one) for one in work]


def _services(
    kind: Kind,
    folder: Path,
    presenter: Presenter,
    transport: Any,
    on_start: OnStart,
    pace: Pace,
) -> Services:
    own = folder / kind.name
    own.mkdir()
    lane = Lane(kind.name, kind.title, pace.of(STUCK_AFTER_S))
    return Services(kind, lane, transport, presenter.tell, time.time, own, pace, on_start=on_start)


def _end_on_signals() -> Callable[[], bool]:
    """Ctrl-C, a terminal that closes and a polite kill end the processes too.

    Return what tells whether one of them came.
    """
    loop, main = asyncio.get_running_loop(), asyncio.current_task()
    assert main is not None
    stop = asyncio.Event()

    def end() -> None:
        stop.set()
        main.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end)
    return stop.is_set
