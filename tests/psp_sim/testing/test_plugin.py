"""The fixture ``psp`` in plain and asynchronous tests: clean, quick, and clear when it fails."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from psp_sim.pytest_plugin import API_KEY, settings_for_a_test, wanted_by
from psp_sim.testing import NotDelivered, Psp, Refused
from psp_sim.testing.provider_thread import ProviderThread

# The fixture's own patience is a person's, who waits for a test; a busy machine needs more.
PATIENCE_S = 60.0


class Taker(BaseHTTPRequestHandler):
    """Answers each call with the next status of its server's script, else with 200."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        script: list[int] = self.server.script  # type: ignore[attr-defined]
        self.send_response(script.pop(0) if script else 200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_) -> None:
        """Say nothing."""


@pytest.fixture
def script(psp: Psp) -> Iterator[list[int]]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Taker) as server:
        server.script = []  # type: ignore[attr-defined]
        psp.register(f"http://127.0.0.1:{server.server_port}/")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.script  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("turn", ["the first", "the second"])
def test_each_test_meets_an_empty_provider(psp: Psp, turn: str) -> None:
    assert psp.payments() == []
    assert psp.events() == []
    assert psp.request("GET", "/_control/faults")["data"] == []
    psp.pay(reference=turn)
    assert [each["reference"] for each in psp.payments()] == [turn]


def test_news_that_is_refused_comes_again(psp: Psp, script: list[int]) -> None:
    script += [500, 503]
    psp.pay(reference="order-1")
    [*_, last] = psp.wait_until_delivered(PATIENCE_S)
    assert last["state"] == "delivered"
    tried = [each["status"] for one in psp.deliveries() for each in one["attempts"]]
    assert sorted(tried)[-2:] == [500, 503]


@pytest.mark.psp(settle_after="1m")  # one second
async def test_an_asynchronous_test_goes_on_working_while_it_waits(
    psp: Psp, script: list[int]
) -> None:
    psp.pay(reference="order-1")
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.001)

    ticking = asyncio.create_task(tick())
    await psp.until_delivered(PATIENCE_S)
    ticking.cancel()
    assert ticks > 1


def test_a_fault_is_in_force_inside_its_block_and_counts(psp: Psp, script: list[int]) -> None:
    with psp.fault("duplicate", copies=3, event="payment.succeeded") as fault:
        assert fault.fired == 0
        psp.pay(reference="order-1")
        psp.wait_until_delivered(PATIENCE_S)
        assert fault.fired == 1
    psp.pay(reference="order-2")
    psp.wait_until_delivered(PATIENCE_S)
    assert fault.fired == 1
    succeeded = psp.deliveries("payment.succeeded")
    assert [len(delivery["attempts"]) for delivery in succeeded] == [3, 1]


@pytest.mark.psp(retry_schedule="none")
def test_news_that_is_given_up_is_told_with_what_each_attempt_got(
    psp: Psp, script: list[int]
) -> None:
    script += [500] * 2
    psp.pay(reference="order-1")
    with pytest.raises(NotDelivered, match=r"given up: payment\.\w+ is exhausted \(500\)"):
        psp.wait_until_delivered(PATIENCE_S)


def test_waiting_has_an_end_and_says_what_it_waited_for(psp: Psp) -> None:
    with pytest.raises(NotDelivered, match="no payment was made"):
        psp.wait_until_delivered(timeout_s=0)
    psp.pay(reference="order-1", metadata={"sim": "never_settle"})
    with pytest.raises(NotDelivered, match="order-1 have no outcome yet"):
        psp.wait_until_delivered(timeout_s=0)


def test_what_the_provider_does_not_take_is_told(psp: Psp) -> None:
    with pytest.raises(Refused, match=r"psp\.register"):
        _ = psp.signing_secret
    with pytest.raises(Refused, match="is not a fault"), psp.fault("explode"):
        pass
    with pytest.raises(Refused, match="POST /v1/payments"):
        psp.pay(-1, reference="order-1")
    with pytest.raises(Refused, match=r"'payment\.succeded' is none of payment\.\w+, "):
        psp.deliveries("payment.succeded")


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"colour": "red"}, "'colour' is no setting: use "),
        ({"port": 80}, "'port' is no setting: use "),
        ({"role": "api"}, "'role' is no setting: use "),
        ({"settle_after": "soon"}, "settle_after: "),
        ({"webhook_url": "nowhere"}, "webhook_url: .* must be like "),
    ],
    ids=str,
)
def test_a_marker_with_a_setting_that_there_is_not_is_told(wanted: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        settings_for_a_test(wanted)


# Nobody listens there.
HOOK = "http://127.0.0.1:9/hooks"


@pytest.mark.psp(webhook_url=HOOK)
def test_an_endpoint_of_the_settings_has_its_secret_at_hand(psp: Psp) -> None:
    [endpoint] = psp.request("GET", "/v1/webhook_endpoints")["data"]
    assert endpoint["url"] == HOOK
    assert psp.signing_secret.startswith("whsec_")
    of_settings = psp.signing_secret
    assert psp.register("http://127.0.0.1:9/others")["secret"] == psp.signing_secret != of_settings


def test_a_marker_with_a_setting_that_has_no_name_is_told() -> None:
    with pytest.raises(ValueError, match="by its name, like settle_after='10m', not '10m'"):
        wanted_by([pytest.mark.psp("10m").mark])


def test_of_several_markers_the_nearest_counts() -> None:
    nearest, module = pytest.mark.psp(seed=2), pytest.mark.psp(seed=1, time_scale=5)
    assert wanted_by([nearest.mark, module.mark]) == {"seed": 2, "time_scale": 5}


def test_a_provider_that_stops_with_a_call_under_way_logs_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with ProviderThread() as thread, ThreadPoolExecutor(1) as pool:
        with thread.provider(settings_for_a_test({})) as running:
            psp = Psp(running.url, API_KEY)
            psp.request("POST", "/_control/faults", {"kind": "slow_response", "by": "1h"})
            paying = pool.submit(psp.pay, reference="order-1")
            while psp.request("GET", "/_control/faults")["data"][0]["fired"] == 0:
                time.sleep(0.01)
        assert isinstance(paying.exception(PATIENCE_S), httpx.HTTPError)
        psp.client.close()
    assert [record for record in caplog.records if record.exc_info] == []
