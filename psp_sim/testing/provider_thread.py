"""An event loop in a thread of its own, on which one provider after another runs.

A test may block, or run an event loop itself: the provider goes on beside it either way. This is
where the real world begins, so that clock, randomness and thread are made here.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple, TypeVar

import uvicorn

from psp_sim.app import create_app
from psp_sim.server import (
    KEEP_ALIVE_S,
    AbortableProtocol,
    BreakOffWhenStopped,
    bind,
    real_transport,
    url_of,
)
from psp_sim.settings import Settings
from sqlport import open_database

SEED = 1
STOP_AFTER_S = 1

T = TypeVar("T")


class _Clock:
    def now(self) -> float:
        return time.time()


class _Server(uvicorn.Server):
    """A server that leaves signals alone, which are the test runner's."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[Any] | None = None) -> None:
        await super().startup(sockets)
        self.is_ready.set()


class Running(NamedTuple):
    """A provider that answers. ``signing_secret`` is that of the endpoint of its settings."""

    url: str
    signing_secret: str | None


class ProviderThread:
    """Use it as a context: the thread ends with it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="psp-sim")

    def __enter__(self) -> ProviderThread:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @contextmanager
    def provider(self, settings: Settings) -> Iterator[Running]:
        """Run a provider on a free port, with an empty database."""
        running = _running(settings)
        provider = self._do(running.__aenter__())
        try:
            yield provider
        finally:
            self._do(running.__aexit__(None, None, None))

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


@asynccontextmanager
async def _running(settings: Settings) -> AsyncIterator[Running]:
    database = await open_database("sqlite:///:memory:")
    transport = real_transport(settings.connect_timeout_s)
    app = create_app(
        settings,
        database=database,
        clock=_Clock(),
        random=random.Random(SEED if settings.seed is None else settings.seed),
        transport=transport,
    )
    config = uvicorn.Config(
        BreakOffWhenStopped(app),
        http=AbortableProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_AFTER_S,
    )
    server = _Server(config)
    with bind("127.0.0.1", 0) as bound:
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        try:
            await server.is_ready.wait()
            endpoint = app.state.endpoint
            yield Running(url_of(bound), endpoint.secret if endpoint else None)
        finally:
            app.state.stop_waiting()
            server.should_exit = True
            await serving
            await transport.aclose()
            await database.close()
