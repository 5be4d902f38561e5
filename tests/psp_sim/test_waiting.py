"""Filters, cursors, conditional reads, long polling, the event stream and the rate limit."""

import asyncio
import json
import re

import httpx
import pytest

from psp_sim.domain.token_bucket import TokenBucket
from tests.psp_sim.processes import (
    PATIENCE_S,
    announcement,
    client_of,
    provider_process,
    until,
)
from tests.psp_sim.stand import API_KEY, PROVIDER_URL, in_world, payment_body
from tests.psp_sim.test_refusals import check_problem


async def refused(stand, path):
    check_problem(await stand.call("GET", path), 400, "invalid_request")


# -- filters and cursors ----------------------------------------------------------------------


@in_world()
async def test_payments_are_found_by_status_and_time(stand):
    made = []
    for number in range(3):
        made.append(await stand.pay(f"o{number}"))
        await asyncio.sleep(10)
    made.append(await stand.pay("declined", payment_method="card_declined"))
    await asyncio.sleep(5)
    moments = [payment["created"] for payment in made]

    async def found(query):
        rows = await stand.get_all(f"/v1/payments?{query}", limit=1)
        return [payment["reference"] for payment in rows]

    assert await found("status=failed") == ["declined"]
    assert await found("status=succeeded") == ["o0", "o1", "o2"]
    assert await found("status=expired") == []
    span = f"created_from={moments[1]}&created_before={moments[3]}"
    assert await found(span) == ["o1", "o2"]
    assert await found(f"{span}&reference=o2") == ["o2"]
    assert await found("created_from=2026-01-01T00:00:15") == ["o2", "declined"]
    for query in ("status=paid", "created_from=yesterday", "created_before=9999999999"):
        await refused(stand, f"/v1/payments?{query}")


@in_world()
async def test_cursors_survive_equal_timestamps(stand):
    await asyncio.gather(*(stand.pay(f"o{number}") for number in range(9)))
    assert len({payment["created"] for payment in await stand.get_all("/v1/payments")}) < 9
    one_by_one = await stand.get_all("/v1/payments?created_from=2026-01-01T00:00:00Z", limit=1)
    assert sorted(payment["reference"] for payment in one_by_one) == [f"o{n}" for n in range(9)]


@in_world()
async def test_events_go_on_after_the_one_that_was_seen_last(stand):
    for number in range(3):
        await stand.pay(f"o{number}")
    await asyncio.sleep(3)
    events = await stand.get_all("/v1/events")
    page = await stand.get(f"/v1/events?after={events[1]['id']}&limit=2")
    assert page["data"] == events[2:4]
    assert (await stand.get(f"/v1/events?after={page['next']}"))["data"] == events[4:]
    await refused(stand, "/v1/events?after=evt_none")
    await refused(stand, "/v1/events?after=banana")


# -- conditional reads ------------------------------------------------------------------------


@in_world()
async def test_a_payment_that_has_not_changed_is_not_sent_again(stand):
    payment = await stand.pay()
    path = f"/v1/payments/{payment['id']}"
    first = await stand.call("GET", path)
    tag = first.headers["etag"]
    for header in (tag, f'"other", W/{tag}', "*"):
        again = await stand.call("GET", path, headers={"if-none-match": header})
        assert (again.status, again.text, again.headers["etag"]) == (304, "", tag)
    await asyncio.sleep(3)
    later = await stand.call("GET", path, headers={"if-none-match": tag})
    assert (later.status, later.json["status"]) == (200, "succeeded")
    assert later.headers["etag"] != tag


# -- long polling -----------------------------------------------------------------------------


@in_world()
async def test_a_question_about_events_is_held_until_there_is_one(stand):
    began = stand.now()
    asking = asyncio.create_task(stand.call("GET", "/v1/events?wait=10"))
    await asyncio.sleep(4)
    payment = await stand.pay()
    [event] = (await asking).json["data"]
    assert event["data"] == payment
    assert stand.now() - began < 4.1
    settled = await stand.call("GET", f"/v1/events?wait=10&after={event['id']}")
    assert [each["type"] for each in settled.json["data"]] == ["payment.succeeded"]
    assert stand.now() - began < 6.1


@in_world()
async def test_a_question_without_news_is_answered_when_the_time_is_over(stand):
    await stand.pay()
    began = stand.now()
    page = await stand.get("/v1/events?wait=1.5&type=payment.failed")
    assert page == {"data": [], "next": None}
    assert 1.5 <= stand.now() - began < 1.6
    for wait in ("61", "-1", "soon", "nan"):
        await refused(stand, f"/v1/events?wait={wait}")


@in_world()
async def test_a_question_about_a_payment_is_held_until_it_moves(stand):
    payment = await stand.pay()
    path = f"/v1/payments/{payment['id']}"
    began = stand.now()
    moved = await stand.get(f"{path}?wait=30&after_sequence=1")
    assert (moved["sequence"], moved["status"]) == (2, "succeeded")
    assert 1.9 < stand.now() - began < 2.1
    at_once = await stand.get(f"{path}?wait=30&after_sequence=1")
    assert at_once == moved
    assert stand.now() - began < 2.1
    assert await stand.get(f"{path}?wait=5&after_sequence=2") == moved
    assert 6.9 < stand.now() - began < 7.2
    await refused(stand, f"{path}?after_sequence=one")


# -- the stream -------------------------------------------------------------------------------


class Listener:
    """Reads a stream of server-sent events as a browser would."""

    def __init__(self, stand, **headers):
        self.blocks, self.ended = [], None
        self._task = asyncio.create_task(self._listen(stand, headers))

    async def _listen(self, stand, headers):
        sent = {"authorization": f"Bearer {API_KEY}", **headers}
        request = httpx.Request("GET", f"{PROVIDER_URL}/v1/events/stream", headers=sent)
        response = await stand._transport.handle_async_request(request)
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        self._response = response
        rest = ""
        try:
            async for chunk in response.aiter_raw():
                *blocks, rest = (rest + chunk.decode()).split("\n\n")
                self.blocks += blocks
            self.ended = "cleanly"
        except httpx.HTTPError as problem:
            self.ended = problem

    @property
    def events(self):
        fields = [
            dict(line.split(": ", 1) for line in b.split("\n")) for b in self.blocks if b[0] != ":"
        ]
        return [(each["id"], each["event"], json.loads(each["data"])) for each in fields]

    async def leave(self):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._response.aclose()


@in_world()
async def test_the_stream_tells_events_as_they_happen(stand):
    await stand.pay("before")
    await asyncio.sleep(5)
    listener = Listener(stand)
    await asyncio.sleep(1)
    await stand.pay("after")
    await asyncio.sleep(0.1)
    assert [event_type for _, event_type, _ in listener.events] == ["payment.processing"]
    await asyncio.sleep(3)
    logged = (await stand.get_all("/v1/events"))[2:]
    assert listener.events == [(event["id"], event["type"], event) for event in logged]
    await listener.leave()


@in_world()
async def test_a_stream_that_is_taken_up_again_has_lost_and_repeats_nothing(stand):
    listener = Listener(stand)
    await asyncio.sleep(1)
    await stand.pay("first")
    await asyncio.sleep(0.1)
    await listener.leave()
    for number in range(150):
        await stand.pay(f"o{number}")
    await asyncio.sleep(3)
    second = Listener(stand, **{"last-event-id": listener.events[-1][0]})
    await asyncio.sleep(1)
    told = [event_id for event_id, _, _ in listener.events + second.events]
    assert told == [event["id"] for event in await stand.get_all("/v1/events")]
    assert len(told) == 302
    await second.leave()


@in_world()
async def test_a_quiet_stream_shows_every_quarter_minute_that_it_lives(stand):
    listener = Listener(stand)
    await asyncio.sleep(46)
    assert listener.blocks == [": connected", *[": still here"] * 3]
    await listener.leave()
    head = await stand.call("HEAD", "/v1/events/stream")
    assert (head.status, head.text) == (200, "")
    unknown = await stand.call("GET", "/v1/events/stream", headers={"last-event-id": "evt_none"})
    check_problem(unknown, 400, "invalid_request", "evt_none")


@in_world()
async def test_a_stream_ends_with_the_crash_of_the_provider_and_is_taken_up_again(stand):
    listener = Listener(stand)
    await asyncio.sleep(0.1)
    await stand.pay()
    await asyncio.sleep(0.5)
    stand.world.crash("psp", down_s=3)
    await asyncio.sleep(5)
    assert isinstance(listener.ended, httpx.RemoteProtocolError)
    second = Listener(stand, **{"last-event-id": listener.events[-1][0]})
    await asyncio.sleep(1)
    assert [event_type for _, event_type, _ in second.events] == ["payment.succeeded"]
    await second.leave()


@pytest.mark.live
async def test_stream_and_long_polls_end_at_once_when_a_real_provider_stops(tmp_path):
    options = ("--port", "0", "--settle-after", "100ms")
    async with provider_process(tmp_path, *options) as process:
        url, _ = await announcement(process)
        async with client_of(url) as http:
            lines, connected = [], asyncio.Event()

            async def listen():
                async with http.stream("GET", "/v1/events/stream") as response:
                    async for line in response.aiter_lines():
                        lines.append(line)
                        connected.set()

            listening = asyncio.create_task(listen())
            await connected.wait()
            headers = {"idempotency-key": "k"}
            await http.post("/v1/payments", json=payment_body(), headers=headers)
            await until(lambda: "event: payment.succeeded" in lines)
            last = re.findall(r"id: (evt_\w+)", "\n".join(lines))[-1]
            asked = asyncio.Event()

            async def trace(step, _):
                if step == "http11.send_request_body.complete":
                    asked.set()

            question = f"/v1/events?after={last}&wait=60"
            asking = asyncio.create_task(http.get(question, extensions={"trace": trace}))
            await asked.wait()
            await http.get("/healthz")  # so the question, which left before, has arrived
            process.terminate()
            # Whoever is not let go at once is cut off: that would be no answer.
            async with asyncio.timeout(PATIENCE_S):
                assert (await asking).json() == {"data": [], "next": None}
                await listening
                assert await process.wait() == 0


# -- the rate limit ---------------------------------------------------------------------------


@in_world(requests_per_second=2)
async def test_what_comes_too_fast_is_told_when_to_come_again(stand):
    answers = [await stand.create(payment_body(), f"k{number}") for number in range(4)]
    assert [answer.status for answer in answers] == [201, 201, 429, 429]
    check_problem(answers[2], 429, "rate_limited", "again in 1 s", definite=False)
    assert answers[2].headers["retry-after"] == "1"
    await asyncio.sleep(1)
    assert (await stand.create(payment_body(), "k2")).status == 201
    assert len(await stand.get_all("/v1/payments")) == 3


def test_a_bucket_lets_through_what_the_rate_allows_in_the_long_run():
    bucket = TokenBucket()
    taken = sum(bucket.take(5.0, now / 100) == 0 for now in range(10_000))
    assert 500 <= taken <= 506
    slow = TokenBucket()
    assert [slow.take(0.1, now) for now in (0.0, 1.0, 10.0, 10.0)] == [0, 9, 0, 10]
    assert slow.take(0.1, 5.0) == 10  # a clock that goes back
    assert all(TokenBucket().take(0, 0.0) == 0 for _ in range(100))
