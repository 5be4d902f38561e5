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
    DatabaseUnwritable,
    TransactionConflict,
    open_database,
)
from tests.psp_sim.processes import PATIENCE_S, until
from tests.psp_sim.provider_here import SystemClock
from tests.psp_sim.stand import payment_body


class TroubledDatabase:
    """Raises ``raised`` while there is any; answers nothing until ``answering`` is set.

    With ``loses_answers`` it has stored what it is asked to, and goes away before it says so.
    """

    others = None
    trouble = None
    stays_away = False

    def __init__(self, database):
        self._database = database
        self.raised = None
        self.loses_answers = False
        self.answering = asyncio.Event()
        self.answering.set()
        self.migrate = database.migrate

    @asynccontextmanager
    async def transaction(self):
        await self.answering.wait()
        if self.raised is not None and not self.loses_answers:
            raise self.raised
        async with self._database.transaction() as transaction:
            yield transaction
        if self.raised is not None:
            raise self.raised


@asynccontextmanager
async def troubled_provider(answer=lambda _: httpx.Response(200)):
    database = await open_database("sqlite:///:memory:")
    troubled = TroubledDatabase(database)
    app = create_app(
        Settings(api_key="k", settle_after=fixed(0.01)),
        database=troubled,
        clock=SystemClock(),
        random=random.Random(1),
        transport=httpx.MockTransport(answer),
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"authorization": "Bearer k", "host": "127.0.0.1"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://psp", headers=headers) as client,
    ):
        yield troubled, client
        if not troubled.stays_away:
            troubled.raised = None
        troubled.answering.set()
    await database.close()


@pytest.mark.parametrize(
    "kind", [DatabaseBusy, DatabaseUnreachable, DatabaseUnwritable, TransactionConflict]
)
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
        database.raised = kind("no connection to secret-host")
        body = payment_body() if method == "POST" else None
        answer = await client.request(method, path, json=body, headers={"idempotency-key": "k"})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert (answer.json()["code"], answer.json()["definite"]) == ("database_unavailable", False)
        assert "secret-host" not in answer.text
    assert "secret-host" in caplog.text
    assert "Traceback" not in caplog.text


async def test_what_the_provider_itself_did_wrong_is_not_put_down_to_the_database():
    async with troubled_provider() as (database, client):
        database.raised = ConstraintBroken("a second row with the same key")
        answer = await client.get("/v1/payments")
        assert (answer.status_code, answer.json()["code"]) == (500, "unexpected")
        database.raised = None
        counted = (await client.get("/metrics")).text
    assert 'psp_requests_total{operation="list_payments",status="500"} 1' in counted


async def health_of(client):
    answer = await client.get("/healthz")
    return answer.status_code, answer.json()["status"], answer.json()["database"]


async def test_whoever_asks_how_it_is_need_not_wait_for_the_database(monkeypatch):
    monkeypatch.setattr("psp_sim.http_operations.HEALTH_WAIT_S", 0.01)
    async with troubled_provider() as (database, client):
        database.answering.clear()
        async with asyncio.timeout(60):
            assert await health_of(client) == (503, "failing", "no answer within 0.01 s")


async def test_a_provider_that_could_not_store_something_says_so_for_a_while():
    async with troubled_provider() as (database, client):
        assert await health_of(client) == (200, "ok", "ok")
        database.trouble = "the database cannot store anything: disk full in secret-folder"
        assert await health_of(client) == (503, "failing", "DatabaseUnwritable")
        database.trouble = None
        assert await health_of(client) == (200, "ok", "ok")


async def test_workers_wait_for_the_database_and_go_on_when_it_is_back(caplog, monkeypatch):
    monkeypatch.setattr("psp_sim.app.RESTART_WORKER_AFTER_S", 0.01)
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    async with troubled_provider() as (database, client):
        body, key = payment_body(), {"idempotency-key": "k"}
        payment = (await client.post("/v1/payments", json=body, headers=key)).json()
        database.raised = DatabaseUnreachable("gone away")
        await until(lambda: "settle_payments waits for the database: gone away" in caplog.text)
        database.raised = None
        path = f"/v1/payments/{payment['id']}?wait=30&after_sequence=1"
        assert (await client.get(path)).json()["status"] == "succeeded"
    assert told == []
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


@pytest.fixture
def soon_again(monkeypatch):
    for module in ("deliver_events", "put_off_records"):
        monkeypatch.setattr(f"psp_sim.{module}.AGAIN_AFTER_S", 0.01)


async def deliveries_of(client, endpoint):
    path = f"/v1/webhook_endpoints/{endpoint}/deliveries"
    return (await client.get(path)).json()["data"]


async def states_of(client, endpoint):
    return [one["state"] for one in await deliveries_of(client, endpoint)]


async def until_delivered(client, endpoint, number=1):
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if await states_of(client, endpoint) == ["delivered"] * number:
                return await deliveries_of(client, endpoint)
            await asyncio.sleep(0.01)


async def add_endpoint(client):
    body = {"url": "http://127.0.0.1:9/hooks", "events": ["payment.succeeded"]}
    return (await client.post("/v1/webhook_endpoints", json=body)).json()["id"]


async def pay(client, reference="order", **fields):
    headers, body = {"idempotency-key": reference}, payment_body(reference, **fields)
    answer = await client.post("/v1/payments", json=body, headers=headers)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("loses_answers", [False, True])
async def test_a_call_made_while_the_database_is_away_is_recorded_after_it_and_not_made_again(
    loses_answers, soon_again, caplog
):
    calls = []

    def answer(request):
        calls.append(request.headers["webhook-id"])
        if len(calls) == 1:
            database.loses_answers = loses_answers
            database.raised = DatabaseUnreachable("gone away")
        return httpx.Response(200)

    async with troubled_provider(answer) as (database, client):
        endpoint = await add_endpoint(client)
        await pay(client)
        await until(lambda: "delivery dlv_" in caplog.text)
        await until(lambda: "deliver_events waits for the database" in caplog.text)
        database.raised = None
        await until_delivered(client, endpoint)
        await pay(client, "another")
        first, other = await until_delivered(client, endpoint, 2)
    assert [one["number"] for one in first["attempts"]] == [1]
    assert calls == [first["event"], other["event"]]


async def test_a_call_that_the_database_kept_from_being_made_is_made_soon_after_it(
    soon_again, caplog
):
    async with troubled_provider() as (database, client):
        endpoint = await add_endpoint(client)
        await pay(client, metadata={"sim": "delay(by=2s)"})
        async with asyncio.timeout(PATIENCE_S):
            while await states_of(client, endpoint) != ["sending"]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        database.raised = DatabaseUnreachable("gone away")
        await until(lambda: "delivery dlv_" in caplog.text)
        database.raised = None
        await until_delivered(client, endpoint)


async def test_a_provider_can_be_stopped_while_the_database_is_away():
    async with asyncio.timeout(PATIENCE_S):
        async with troubled_provider() as (database, client):
            endpoint = await add_endpoint(client)
            await pay(client)
            await until_delivered(client, endpoint)
            database.stays_away = True
            database.raised = DatabaseUnreachable("gone away")


def test_a_group_of_failures_is_the_databases_only_if_each_of_them_is():
    away, ours = DatabaseBusy("busy"), ValueError("ours")
    assert tell_if_away("relay_rings", ExceptionGroup("", [away, ExceptionGroup("", [away])]))
    assert not tell_if_away("relay_rings", ExceptionGroup("", [away, ours]))
    assert not tell_if_away("relay_rings", ExceptionGroup("", [ours]))
