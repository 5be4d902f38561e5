"""While the database is away callers are put off, one line for each, and work goes on after it."""

import asyncio
import logging
import random
from contextlib import asynccontextmanager

import httpx
import pytest

from psp_sim.app import create_app
from psp_sim.database_away import tell_if_away
from psp_sim.domain.distribution import fixed
from psp_sim.settings import Settings
from sqlport import (
    ConstraintBroken,
    DatabaseBusy,
    DatabaseUnreachable,
    TransactionConflict,
    open_database,
)
from tests.psp_sim.processes import until
from tests.psp_sim.provider_here import SystemClock
from tests.psp_sim.stand import payment_body


class TroubledDatabase:
    """Raises ``trouble`` while there is any."""

    others = None

    def __init__(self, database):
        self._database = database
        self.trouble = None
        self.migrate = database.migrate

    @asynccontextmanager
    async def transaction(self):
        if self.trouble is not None:
            raise self.trouble
        async with self._database.transaction() as transaction:
            yield transaction


@asynccontextmanager
async def troubled_provider():
    database = await open_database("sqlite:///:memory:")
    troubled = TroubledDatabase(database)
    app = create_app(
        Settings(api_key="k", settle_after=fixed(0.01)),
        database=troubled,
        clock=SystemClock(),
        random=random.Random(1),
        transport=httpx.MockTransport(lambda _: httpx.Response(200)),
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"authorization": "Bearer k", "host": "127.0.0.1"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://psp", headers=headers) as client,
    ):
        yield troubled, client
        troubled.trouble = None
    await database.close()


@pytest.mark.parametrize("kind", [DatabaseBusy, DatabaseUnreachable, TransactionConflict])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/payments"),
        ("GET", "/v1/payments/pay_1"),
        ("GET", "/v1/events/stream"),
        ("GET", "/_dashboard/payments"),
        ("GET", "/authenticate/pay_1"),
        ("GET", "/metrics"),
    ],
)
async def test_while_the_database_is_away_calls_are_put_off(kind, method, path, caplog):
    async with troubled_provider() as (database, client):
        database.trouble = kind("no connection to secret-host")
        body = payment_body() if method == "POST" else None
        answer = await client.request(method, path, json=body, headers={"idempotency-key": "k"})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert (answer.json()["code"], answer.json()["definite"]) == ("database_unavailable", False)
        assert "secret-host" not in answer.text
    assert "secret-host" in caplog.text
    assert "Traceback" not in caplog.text


async def test_what_the_provider_itself_did_wrong_is_not_put_down_to_the_database():
    async with troubled_provider() as (database, client):
        database.trouble = ConstraintBroken("a second row with the same key")
        answer = await client.get("/v1/payments")
        assert (answer.status_code, answer.json()["code"]) == (500, "unexpected")


async def test_workers_wait_for_the_database_and_go_on_when_it_is_back(caplog, monkeypatch):
    monkeypatch.setattr("psp_sim.app.RESTART_WORKER_AFTER_S", 0.01)
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    async with troubled_provider() as (database, client):
        body, key = payment_body(), {"idempotency-key": "k"}
        payment = (await client.post("/v1/payments", json=body, headers=key)).json()
        database.trouble = DatabaseUnreachable("gone away")
        await until(lambda: "settle_payments waits for the database: gone away" in caplog.text)
        database.trouble = None
        path = f"/v1/payments/{payment['id']}?wait=30&after_sequence=1"
        assert (await client.get(path)).json()["status"] == "succeeded"
    assert told == []
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


def test_a_group_of_failures_is_the_databases_only_if_each_of_them_is():
    away, ours = DatabaseBusy("busy"), ValueError("ours")
    assert tell_if_away("relay_rings", ExceptionGroup("", [away, ExceptionGroup("", [away])]))
    assert not tell_if_away("relay_rings", ExceptionGroup("", [away, ours]))
    assert not tell_if_away("relay_rings", ExceptionGroup("", [ours]))
