"""Health, metrics and log lines: what whoever operates the provider sees, and never sees."""

import asyncio
import json
import logging
import random
import re
from pathlib import Path

import httpx
import pytest

import psp_sim.deliver_events as module
from psp_sim.__main__ import SystemClock
from psp_sim.app import create_app
from psp_sim.log_lines import JsonLines, TextLines
from psp_sim.settings import Settings
from sqlport import open_database
from tests.psp_sim.stand import API_KEY, Reply, in_world, play


async def metrics(stand):
    reader = pytest.importorskip("prometheus_client.parser", reason="it reads what we write")
    answer = await stand.call("GET", "/metrics", headers={"authorization": None})
    assert answer.status == 200
    families = reader.text_string_to_metric_families(answer.text)
    samples = [sample for family in families for sample in family.samples]
    return {(sample.name, *sample.labels.values()): sample.value for sample in samples}


@in_world()
async def test_metrics_tell_what_has_happened(stand):
    stand.sink.script = [Reply(500)]
    await stand.add_endpoint()
    await stand.install("duplicate", copies=2, event="payment.succeeded")
    await stand.pay()
    await stand.pay("order-2", payment_method="card_declined")
    await stand.call("GET", "/v1/payments/none")
    await asyncio.sleep(60)
    seen = await metrics(stand)
    assert seen["psp_payments", "succeeded"] == seen["psp_payments", "failed"] == 1
    assert seen["psp_events_total", "payment.processing"] == 2
    assert seen["psp_deliveries", "delivered"] == 4
    assert (seen["psp_attempts_total", "2xx"], seen["psp_attempts_total", "5xx"]) == (5, 1)
    assert seen["psp_attempt_duration_seconds_count",] == 6
    assert seen["psp_attempt_duration_seconds_bucket", "+Inf"] == 6
    assert 0 < seen["psp_attempt_duration_seconds_sum",] < 1
    assert seen["psp_faults_fired_total", "duplicate"] == 1
    assert seen["psp_requests_total", "create_payment", "201"] == 2
    assert seen["psp_requests_total", "read_payment", "404"] == 1
    assert seen["psp_backlog_deliveries",] == 0


ROUTES_PAGE = Path(__file__).parents[2] / "docs" / "routes.md"


@in_world()
async def test_each_metric_and_the_docs_say_whether_it_is_of_the_process_or_the_database(stand):
    answer = await stand.call("GET", "/metrics")
    told = dict(re.findall(r"# HELP (\w+) .*\((max|sum)\)\.\n", answer.text))
    assert list(told) == re.findall(r"# TYPE (\w+) ", answer.text)
    page = ROUTES_PAGE.read_text(encoding="utf-8")
    assert told == dict(re.findall(r"^\| `(psp_\w+)` \|.*\| `(max|sum) by", page, re.MULTILINE))


@in_world()
async def test_the_backlog_shows_how_late_it_is(stand):
    await stand.add_endpoint()
    await stand.install("outage", **{"for": "100s"})
    await stand.lift()
    stand.sink.reply = Reply(500)
    await stand.pay()
    await asyncio.sleep(3)
    await stand.install("outage", **{"for": "1h"})
    await asyncio.sleep(600)
    seen = await metrics(stand)
    assert seen["psp_backlog_deliveries",] == 2
    assert 500 < seen["psp_backlog_oldest_due_age_seconds",] <= 600
    health = (await stand.call("GET", "/healthz")).json
    assert health["backlog"]["deliveries"] == 2
    assert health["backlog"]["oldest_due_age_s"] > 500


async def test_a_provider_without_its_workers_says_so(monkeypatch):
    def explode(*_):
        raise RuntimeError("a planted bug")

    monkeypatch.setattr(module, "next_due_by_endpoint", explode)
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    database = await open_database("sqlite:///:memory:")
    clock = SystemClock()
    quiet = httpx.MockTransport(lambda _: httpx.Response(200))
    app = create_app(
        Settings(api_key="k"),
        database=database,
        clock=clock,
        random=random.Random(1),
        transport=quiet,
    )
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with (
            httpx.AsyncClient(transport=transport, base_url="http://psp") as http,
            asyncio.timeout(60),
        ):
            while (sick := await http.get("/healthz")).status_code == 200:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await database.close()
            broken = await http.get("/healthz")
    assert (sick.status_code, sick.json()["workers"]["deliver_events"]) == (503, "dead")
    assert sick.json()["workers"]["settle_payments"] == "alive"
    assert (broken.status_code, broken.json()["database"]) == (503, "ProgrammingError")


class Kept(logging.Handler):
    """Keeps the records of a test."""

    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)


def logged(test):
    """Run a story with the provider's log on; return the records and the story's result."""
    logger, kept = logging.getLogger("psp_sim"), Kept()
    logger.addHandler(kept)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        result = play(test)
    finally:
        logger.setLevel(level)
        logger.removeHandler(kept)
    return kept.records, result


async def _story(stand):
    stand.sink.script = [Reply(500, body=b"busy")]
    endpoint = await stand.add_endpoint()
    await stand.install("stale_timestamp", event="payment.processing", attempt=1)
    payment = await stand.pay()
    await asyncio.sleep(60)
    return endpoint, payment, stand.sink.calls


def test_each_call_leaves_a_pair_of_lines():
    records, (_, payment, calls) = logged(_story)
    lines = [TextLines(is_coloured=False).format(record) for record in records]
    event = calls[0].id
    assert lines[0][14:] == f"--> payment.processing [{event}] attempt 1"
    assert lines[1][14:].startswith(f"<-- [500] POST http://sink:9000/hooks [{event}] ")
    assert lines[1].endswith(" ms (faults: stale_timestamp)")
    assert len(lines) == 2 * len(calls) == 6
    documents = [json.loads(JsonLines().format(record)) for record in records]
    assert {document["payment"] for document in documents} == {payment["id"]}
    assert documents[1]["status"] == 500
    assert documents[1]["time"].startswith("20")
    assert documents[1]["delivery"].startswith("dlv_")


def test_no_line_holds_a_key_a_secret_or_a_signature():
    records, (endpoint, _, calls) = logged(_story)
    assert records
    secrets = {endpoint["secret"], API_KEY, *(c.headers["webhook-signature"] for c in calls)}
    for form in (JsonLines(), TextLines(is_coloured=True)):
        text = "\n".join(map(form.format, records))
        assert not [secret for secret in secrets if secret in text]


def test_what_an_endpoint_says_cannot_write_to_the_terminal():
    record = logging.makeLogRecord({"msg": "bad\x1b[2J\nline", "levelno": logging.INFO})
    assert TextLines(is_coloured=False).format(record).endswith("  bad?[2J?line")
