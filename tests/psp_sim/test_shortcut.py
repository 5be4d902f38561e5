"""The way past the framework: who goes it, and that a bug is told of there as anywhere."""

import json
import random

import httpx
import pytest

from psp_sim import http_payments
from psp_sim.app import create_app
from psp_sim.settings import Settings
from sqlport import open_database


class StoppedClock:
    def now(self):
        return 1_767_225_600.0


@pytest.fixture
async def app():
    database = await open_database("sqlite:///:memory:")
    app = create_app(
        Settings(api_key="key"),
        database=database,
        clock=StoppedClock(),
        random=random.Random(1),
        transport=httpx.MockTransport(lambda _: httpx.Response(200)),
    )
    async with app.router.lifespan_context(app):
        yield app
    await database.close()


async def call(app, method, path):
    """Return status and body; the exception that reached the server, too."""
    sent = []
    headers = [(b"authorization", b"Bearer key"), (b"idempotency-key", b"k"), (b"host", b"psp")]
    body = json.dumps({"amount": 1, "currency": "EUR", "reference": "o"}).encode()
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "query_string": b""}
    scope |= {"headers": headers, "scheme": "http", "server": ("psp", 80), "client": ("::1", 1)}

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    problem = None
    try:
        await app(scope, receive, send)
    except Exception as raised:
        problem = raised
    return sent[0]["status"], json.loads(sent[1]["body"]), problem


async def test_an_operation_on_a_path_of_its_own_does_without_the_framework(app, monkeypatch):
    monkeypatch.setattr(app, "middleware_stack", None)
    monkeypatch.setattr(app, "build_middleware_stack", None)
    status, payment, _ = await call(app, "POST", "/v1/payments")
    assert (status, payment["reference"]) == (201, "o")


@pytest.mark.parametrize("path", ["/v1/payments", "/v1/payments/pay_1/capture"])
async def test_a_bug_is_answered_once_and_reaches_the_log(app, monkeypatch, path):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(http_payments, "decode", broken)
    status, problem, raised = await call(app, "POST", path)
    assert (status, problem["code"], problem["definite"]) == (500, "unexpected", False)
    assert isinstance(raised, ZeroDivisionError)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("PUT", "/v1/payments", 405), ("POST", "/v1/payments/", 404), ("GET", "/v1/nothing", 404)],
)
async def test_everything_else_goes_through_the_framework(app, method, path, status):
    assert (await call(app, method, path))[0] == status
