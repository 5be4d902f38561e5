"""SIGTERM in the middle of deliveries: what has left may finish, the rest is due again."""

import asyncio
import signal

import pytest

from tests.psp_sim.processes import (
    PATIENCE_S,
    announcement,
    client_of,
    provider_process,
    real_sink,
    until,
)
from tests.psp_sim.stand import Reply, payment_body

pytestmark = pytest.mark.live
OPTIONS = ("--port", "0", "--settle-after", "1h", "--retry-schedule", "1s,1s,1s,1s")


async def stop(process):
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(PATIENCE_S):
        _, err = await process.communicate()
    assert process.returncode == 0
    assert "Traceback" not in err.decode()


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
