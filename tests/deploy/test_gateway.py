"""The gateway as it is shipped, in a real nginx, in front of a shop that listens on a real port."""

import asyncio
import json
import os
import random
import re
import socket
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import Template

import httpx
import pytest
import uvicorn
import yaml

from psp_sim.settings import Settings
from scenarios.targets.service_process import free_port
from shop.app import create_app
from sqlport import open_database
from tests.programs import program
from tests.shop.fakes import (
    PATIENCE_S,
    QUICK,
    SECRET,
    FakeClock,
    FakeWorld,
    signed_headers,
    until,
)

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PATH = "/webhooks/psp"
PROVIDER, STRANGER, GATEWAY = "127.0.0.3", "127.0.0.2", "127.0.0.1"
pytestmark = pytest.mark.live


@dataclass
class Watched:
    """An application, and what has reached it: (path, body, forwarded address).

    While ``goes_on`` is not set, calls are waiting in front of it.
    """

    app: object
    seen: list = field(default_factory=list)
    waiting: int = 0
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self):
        self.goes_on.set()

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.waiting += 1
        await self.goes_on.wait()
        self.waiting -= 1
        chunks = []

        async def listen():
            message = await receive()
            chunks.append(message.get("body", b""))
            return message

        headers = dict(scope["headers"])
        try:
            await self.app(scope, listen, send)
        finally:
            forwarded = headers.get(b"x-forwarded-for", b"").decode()
            self.seen.append((scope["raw_path"].decode(), b"".join(chunks), forwarded))


@dataclass
class Site:
    """A shop on a port of its own, and the gateway before it."""

    shop_port: int
    gateway_port: int
    app: Watched
    clock: FakeClock

    @property
    def seen(self):
        return self.app.seen

    async def call(self, content=b"{}", method="POST", path=PATH, **options):
        """Call from an address of this machine, by default through the gateway."""
        source = options.pop("source", PROVIDER)
        port = options.pop("port", self.gateway_port)
        transport = httpx.AsyncHTTPTransport(local_address=source)
        async with httpx.AsyncClient(
            transport=transport, trust_env=False, timeout=PATIENCE_S
        ) as http:
            url = httpx.URL(f"http://{GATEWAY}:{port}").copy_with(raw_path=path.encode())
            return await http.request(method, url, content=content, **options)

    async def deliver(self, body, **options):
        """Call with a genuine signature of this body."""
        headers = signed_headers("evt_1", body, self.clock.now(), SECRET)
        extra = options.pop("headers", {})
        return await self.call(options.pop("content", body), headers=headers | extra, **options)


@asynccontextmanager
async def open_shop_on_a_port(settings):
    database, world, clock = await open_database("sqlite:///:memory:"), FakeWorld(), FakeClock()
    app = Watched(
        create_app(
            settings, database=database, clock=clock, random=random.Random(1), transport=world
        )
    )
    config = uvicorn.Config(app, log_level="warning", proxy_headers=False, ws="none")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None
    with socket.create_server((GATEWAY, 0)) as listener:
        listener.setblocking(False)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await until(lambda: bool(world.calls("POST", "/v1/webhook_endpoints")))
            yield listener.getsockname()[1], app, clock
        finally:
            server.should_exit = True
            await serving
            await database.close()


def shipped_connections():
    """Return how many calls of one address at a time the compose file lets through."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    written = services["gateway"]["environment"]["GATEWAY_CONNECTIONS"]
    return written.removeprefix("${GATEWAY_CONNECTIONS:-").removesuffix("}")


def configured(folder, port, shop_port, allowed, rate="1000r/s", burst="1000", connections="512"):
    """Write the shipped configuration, filled in, and the list of addresses beside it."""
    values = {
        "GATEWAY_LISTEN": f"{GATEWAY}:{port}",
        "GATEWAY_SHOP": f"{GATEWAY}:{shop_port}",
        "GATEWAY_RATE": rate,
        "GATEWAY_BURST": burst,
        "GATEWAY_CONNECTIONS": connections,
        "GATEWAY_TEMP": str(folder),
    }
    (folder / "allowed_addresses.conf").write_text(allowed, encoding="utf-8")
    return filled_in("nginx.conf", folder, values)


def filled_in(name, folder, values):
    """Write a shipped template with its variables filled in."""
    text = (DEPLOY / f"{name}.template").read_text(encoding="utf-8")
    for variable, value in values.items():
        assert f"${{{variable}}}" in text
        text = text.replace(f"${{{variable}}}", value)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


@asynccontextmanager
async def open_gateway(folder, port, configuration):
    """Run nginx on this configuration, until the block is left."""
    # The folder of the test is open to its own user only.
    user = "user root; " if os.geteuid() == 0 else ""
    process = await asyncio.create_subprocess_exec(
        *(program("nginx", "nginx"), "-p", str(folder), "-c", str(configuration)),
        *("-g", f"daemon off; {user}pid {folder}/nginx.pid;"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        await answers(port, process)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def answers(port, process):
    give_up_at = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up_at:
        try:
            _, writer = await asyncio.open_connection(GATEWAY, port)
        except OSError:
            assert process.returncode is None, (await process.stderr.read()).decode()
            await asyncio.sleep(0.02)
        else:
            writer.close()
            await writer.wait_closed()
            return
    raise AssertionError("the gateway does not listen")


@asynccontextmanager
async def open_site(folder, allowed=f"allow {PROVIDER};", settings=QUICK, **limits):
    program("nginx", "nginx")
    async with open_shop_on_a_port(settings) as (shop_port, app, clock):
        with free_port() as port:
            configuration = configured(folder, port, shop_port, allowed, **limits)
            async with open_gateway(folder, port, configuration):
                yield Site(shop_port, port, app, clock)


# Nothing that reads JSON and writes it again would give these bytes back.
ODD = '{ "id":"evt_1",\r\n\t"type" : "x", "name": "Zoë \\u2013 €5", "n": 1.0e0 }\n\n'.encode()


async def test_a_genuine_webhook_goes_through_byte_for_byte_and_verifies(tmp_path):
    async with open_site(tmp_path) as site:
        answer = await site.deliver(ODD)
        assert (answer.status_code, answer.json()) == (200, {"received": True})
        assert site.seen == [(PATH, ODD, PROVIDER)]


async def test_a_body_that_comes_in_chunks_verifies_too(tmp_path):
    async def chunks():
        yield ODD[:7]
        yield ODD[7:]

    async with open_site(tmp_path) as site:
        assert (await site.deliver(ODD, content=chunks())).status_code == 200
        assert site.seen == [(PATH, ODD, PROVIDER)]


async def test_a_large_body_within_the_limit_goes_through(tmp_path):
    body = json.dumps({"id": "evt_1", "type": "x", "pad": "é" * 170_000}).encode()
    assert 1_000_000 < len(body) < 1_048_576
    async with open_site(tmp_path) as site:
        assert (await site.deliver(body)).status_code == 200


async def test_an_address_that_is_not_allowed_does_not_reach_the_shop(tmp_path):
    async with open_site(tmp_path) as site:
        assert (await site.deliver(ODD, source=STRANGER)).status_code == 403
        assert site.seen == []


async def test_a_spoofed_header_gets_nobody_past_the_gateway(tmp_path):
    spoofed = {"x-forwarded-for": PROVIDER, "x-real-ip": PROVIDER, "forwarded": f"for={PROVIDER}"}
    async with open_site(tmp_path) as site:
        assert (await site.deliver(ODD, source=STRANGER, headers=spoofed)).status_code == 403
        assert site.seen == []


GUARDED = replace(QUICK, webhook_allow_list=PROVIDER, trusted_proxies=GATEWAY)


async def test_through_the_gateway_the_shop_sees_who_calls_and_not_who_they_claim_to_be(tmp_path):
    spoofed = {"x-forwarded-for": PROVIDER}
    async with open_site(tmp_path, "allow 127.0.0.0/8;", GUARDED) as site:
        genuine = await site.deliver(ODD, source=PROVIDER)
        stranger = await site.deliver(ODD, source=STRANGER, headers=spoofed)
        assert (genuine.status_code, stranger.status_code) == (200, 403)
        assert stranger.json()["code"] == "peer_not_allowed"
        assert [forwarded for _, _, forwarded in site.seen] == [PROVIDER, STRANGER]


async def test_straight_at_the_shop_a_spoofed_header_is_not_believed(tmp_path):
    spoofed = {"x-forwarded-for": PROVIDER}
    async with open_site(tmp_path, settings=GUARDED) as site:
        options = {"source": STRANGER, "port": site.shop_port, "headers": spoofed}
        assert (await site.deliver(ODD, **options)).json()["code"] == "peer_not_allowed"


async def test_a_body_over_the_limit_does_not_reach_the_shop(tmp_path):
    async def endless():
        for _ in range(40):
            yield b" " * 65_536

    async with open_site(tmp_path) as site:
        assert (await site.call(b" " * 1_048_577)).status_code == 413
        assert (await site.call(endless())).status_code == 413
        assert site.seen == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_only_post_is_let_through(tmp_path, method):
    async with open_site(tmp_path) as site:
        answer = await site.call(b"", method)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
        assert site.seen == []


async def test_nothing_but_the_webhook_path_exists(tmp_path):
    paths = ("/", "/orders", "/products", "/healthz", "/ledger", "/_admin/rotate_webhook_secret")
    near = (f"{PATH}/", f"{PATH}x", "/webhooks", "/WEBHOOKS/PSP", f"{PATH}/../../orders")
    async with open_site(tmp_path) as site:
        for path in (*paths, *near):
            for method in ("GET", "POST"):
                assert (await site.call(b"", method, path)).status_code == 404, path
        assert site.seen == []


async def test_however_the_path_is_spelt_the_shop_sees_this_one_only(tmp_path):
    spellings = (f"/_admin/..{PATH}", f"/{PATH}", "/webhooks/%70sp", f"{PATH}?a=1")
    async with open_site(tmp_path) as site:
        for path in spellings:
            await site.call(path=path)
        assert [path for path, _, _ in site.seen] == [PATH] * len(spellings)


async def test_too_many_calls_are_put_off_and_each_address_has_its_own_measure(tmp_path):
    allowed = "allow 127.0.0.0/8;"
    async with open_site(tmp_path, allowed, rate="1r/m", burst="4") as site:
        answers = await asyncio.gather(*(site.deliver(ODD) for _ in range(20)))
        put_off = [answer for answer in answers if answer.status_code == 429]
        assert len(put_off) == 15
        assert len(site.seen) == 20 - len(put_off)
        assert {answer.headers["retry-after"] for answer in put_off} == {"1"}
        assert (await site.deliver(ODD, source=STRANGER)).status_code == 200


async def called_at_once(site, number):
    """Make calls of one address that the shop answers only once all have come through, or back."""
    site.app.goes_on.clear()
    transport = httpx.AsyncHTTPTransport(local_address=PROVIDER, limits=httpx.Limits())
    async with httpx.AsyncClient(transport=transport, trust_env=False, timeout=PATIENCE_S) as http:
        url = f"http://{GATEWAY}:{site.gateway_port}{PATH}"
        headers = signed_headers("evt_1", ODD, site.clock.now(), SECRET)
        calls = [
            asyncio.create_task(http.post(url, content=ODD, headers=headers)) for _ in range(number)
        ]
        await until(lambda: site.app.waiting + sum(call.done() for call in calls) == number)
        site.app.goes_on.set()
        return [answer.status_code for answer in await asyncio.gather(*calls)]


async def test_calls_of_one_address_at_a_time_are_limited_as_configured(tmp_path):
    async with open_site(tmp_path, connections="5") as site:
        answers = await called_at_once(site, 8)
        assert (answers.count(200), answers.count(429)) == (5, 3)


async def test_delivery_processes_that_share_an_address_are_not_put_off(tmp_path):
    """As many of them as the compose file names, with the provider's default settings."""
    [processes] = {
        int(found)
        for found in re.findall(r"psp-delivery=(\d+)", (ROOT / "compose.yaml").read_text())
    }
    at_once = processes * Settings().delivery_concurrency
    async with open_site(tmp_path, connections=shipped_connections()) as site:
        assert await called_at_once(site, at_once) == [200] * at_once


async def test_behind_the_front_the_shop_sees_who_calls_and_not_who_they_claim_to_be(tmp_path):
    """The front is for this machine; a shop that trusts it must not be told of made-up callers."""
    async with open_shop_on_a_port(QUICK) as (shop_port, app, clock):
        with free_port() as port, free_port() as other:
            values = {
                "FRONT_PSP_LISTEN": f"{GATEWAY}:{other}",
                "FRONT_PSP": f"{GATEWAY}:{shop_port}",
                "FRONT_SHOP_LISTEN": f"{GATEWAY}:{port}",
                "FRONT_SHOP": f"{GATEWAY}:{shop_port}",
                "FRONT_TEMP": str(tmp_path),
            }
            async with open_gateway(tmp_path, port, filled_in("front.conf", tmp_path, values)):
                site = Site(shop_port, port, app, clock)
                spoofed = {"x-forwarded-for": PROVIDER}
                for asked in (port, other):
                    await site.call(
                        b"", "GET", "/healthz", port=asked, source=STRANGER, headers=spoofed
                    )
    assert [forwarded for _, _, forwarded in app.seen] == [STRANGER, STRANGER]


async def test_the_gateway_says_nothing_about_its_version(tmp_path):
    async with open_site(tmp_path) as site:
        assert (await site.call(path="/")).headers["server"] == "nginx"


async def test_the_shipped_list_lets_in_private_networks_and_nobody_else(tmp_path):
    shipped = (DEPLOY / "allowed_addresses.conf").read_text(encoding="utf-8")
    async with open_site(tmp_path, shipped) as site:
        assert (await site.deliver(ODD)).status_code == 200
    networks = [line.split()[1] for line in shipped.splitlines() if line.startswith("allow ")]
    assert networks == [
        "127.0.0.0/8;",
        "::1;",
        "10.0.0.0/8;",
        "172.16.0.0/12;",
        "192.168.0.0/16;",
    ]


def test_every_variable_of_the_template_is_explained_at_its_top():
    text = (DEPLOY / "nginx.conf.template").read_text(encoding="utf-8")
    used = {name for name in Template(text).get_identifiers() if name.startswith("GATEWAY_")}
    head = text.split("worker_processes")[0]
    assert len(used) == 6
    assert all(f"#   {name} " in head for name in used)
