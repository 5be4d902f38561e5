"""A provider in this process on a database of either engine, and a client that calls it."""

import random
import time
from contextlib import asynccontextmanager

import httpx

from psp_sim.app import create_app
from psp_sim.domain.distribution import fixed
from psp_sim.settings import Settings
from sqlport import open_database


class SystemClock:
    def now(self):
        return time.time()


@asynccontextmanager
async def provider_here(database_url, answer=httpx.Response, **settings):
    """Give out a client; ``answer`` makes what every endpoint says, from a status."""
    database = await open_database(database_url)
    app = create_app(
        Settings(api_key="k", settle_after=fixed(60.0), **settings),
        database=database,
        clock=SystemClock(),
        random=random.Random(1),
        transport=httpx.MockTransport(lambda _: answer(200)),
    )
    try:
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app, raise_app_exceptions=False),
                base_url="http://psp",
                headers={"authorization": "Bearer k", "host": "127.0.0.1"},
            ) as client,
        ):
            yield client
    finally:
        await database.close()
