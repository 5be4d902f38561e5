"""SIGTERM in the middle of deliveries and calls: what has left may finish, the rest breaks off."""

import asyncio
import signal
from urllib.parse import urlsplit

import httpx
import pytest

from tests.psp_sim.processes import (
    PATIENCE_S,
    announcement,
    client_of,
    provider_process,
    real_sink,
    until,
)
from tests.psp_sim.stand import API_KEY, Reply, payment_body

pytestmark = pytest.mark.live
OPTIONS = ("--port", "0", "--settle-after", "1h", "--retry-schedule", "1s,1s,1s,1s")


async def stop(process):
    process.send_signal(signal.SIGTERM)
    assert "Traceback" not in await last_words(process)


async def stop_at_once(process, number):
    """Ask twice, the second time while the first is still being obeyed."""
    process.send_signal(number)
    await asyncio.sleep(0.3)
    process.send_signal(number)
    # A grace time that was waited for to its end would be told of.
    assert await last_words(process) == ""


async def last_words(process):
    async with asyncio.timeout(PATIENCE_S):
        _, err = await process.communicate()
    assert process.returncode == 0
    return err.decode()


async def pay(http, sink, number):
    for index in range(number):
        headers = {"idempotency-key": f"k{index}"}
        await http.post("/v1/payments", json=payment_body(f"o{index}"), headers=headers)
    await until(lambda: len(sink.calls) == number)


async def states(http, endpoint):
    path = f"/v1/webhook_endpoints/{endpoint.json()['id']}/deliveries"
    return [one["state"] for one in (await http.get(path)).json()["data"]]


async def test_what_is_under_way_finishes_and_is_not_sent_again(tmp_path):
    async with real_sink() as sink:
        sink.reply = Reply(200, delay_s=1.0)
        async with provider_process(tmp_path, *OPTIONS, "--stop-grace", "60s") as process:
            url, _ = await announcement(process)
            async with client_of(url) as http:
                endpoint = await http.post("/v1/webhook_endpoints", json={"url": sink.url})
                await pay(http, sink, 5)
            await stop(process)
        async with provider_process(tmp_path, *OPTIONS) as process:
            url, _ = await announcement(process)
            async with client_of(url) as http:
                assert await states(http, endpoint) == ["delivered"] * 5
            await asyncio.sleep(0.5)
        assert len({call.id for call in sink.calls}) == len(sink.calls) == 5


async def test_what_does_not_finish_in_time_is_sent_again_after_the_restart(tmp_path):
    async with real_sink() as sink:
        sink.reply = lambda call: Reply(200, delay_s=3600.0 if "o0" in str(call.event) else 0.1)
        options = (*OPTIONS, "--stop-grace", "500ms")
        async with provider_process(tmp_path, *options) as process:
            url, _ = await announcement(process)
            async with client_of(url) as http:
                endpoint = await http.post("/v1/webhook_endpoints", json={"url": sink.url})
                await pay(http, sink, 3)
                async with asyncio.timeout(PATIENCE_S):
                    while (await states(http, endpoint)).count("delivered") < 2:  # noqa: ASYNC110
                        await asyncio.sleep(0.02)
            await stop(process)
        assert len(sink.calls) == 3
        sink.reply = Reply(200)
        async with provider_process(tmp_path, *options) as process:
            await announcement(process)
            await until(lambda: len(sink.calls) == 4)
            await asyncio.sleep(0.3)
        assert [call.reference for call in sink.calls[3:]] == ["o0"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_told_twice_a_provider_waits_for_no_webhook_and_sends_it_again_later(
    tmp_path, number
):
    async with real_sink() as sink:
        sink.reply = Reply(200, delay_s=3600.0)
        options = (*OPTIONS, "--stop-grace", "1h", "--attempt-timeout", "1h")
        async with provider_process(tmp_path, *options) as process:
            url, _ = await announcement(process)
            async with client_of(url) as http:
                await http.post("/v1/webhook_endpoints", json={"url": sink.url})
                await pay(http, sink, 1)
            await stop_at_once(process, number)
        async with provider_process(tmp_path, *OPTIONS, "--stop-grace", "0s") as process:
            await announcement(process)
            await until(lambda: len(sink.calls) == 2)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_told_twice_a_provider_breaks_off_calls_and_ends_its_work_first(tmp_path, number):
    async with provider_process(tmp_path, *OPTIONS) as process:
        url, _ = await announcement(process)
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        writer.write(HALF_A_CALL)
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await stop_at_once(process, number)
        assert await reader.read() == b""
        writer.close()


HALF_A_CALL = (
    b"POST /v1/payments HTTP/1.1\r\nHost: provider\r\nAuthorization: Bearer %b\r\n"
    b"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n" % API_KEY.encode()
)


async def test_a_call_that_is_held_for_longer_is_broken_off_without_an_answer(tmp_path):
    async with provider_process(tmp_path, *OPTIONS) as process:
        url, _ = await announcement(process)
        async with client_of(url) as http, asyncio.TaskGroup() as tasks:
            body = payment_body("held", metadata={"sim": "slow_response(by=60s)"})
            headers = {"idempotency-key": "k"}
            held = tasks.create_task(broken_off(http, body, headers))
            path = "/v1/payments?reference=held"
            async with asyncio.timeout(PATIENCE_S):
                while not (await http.get(path)).json()["data"]:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            await stop(process)
        assert held.result()


async def broken_off(http, body, headers):
    try:
        answer = await http.post("/v1/payments", json=body, headers=headers)
    except httpx.TransportError:
        return True
    raise AssertionError(f"{answer.status_code} {answer.text}")


async def test_a_call_whose_body_never_comes_is_broken_off_too(tmp_path):
    async with provider_process(tmp_path, *OPTIONS) as process:
        url, _ = await announcement(process)
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        writer.write(HALF_A_CALL)
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await stop(process)
        assert await reader.read() == b""
        writer.close()
