"""``python -m shop`` as a process: its first line, how it stops, and its one line of complaint."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.shop.processes import client_of

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.live


@asynccontextmanager
async def shop_process(tmp_path, *options, key="sk_test"):
    environment = {name: text for name, text in os.environ.items() if "SHOP_" not in name}
    environment |= {"SHOP_PSP_KEY": key} if key else {}
    environment["PYTHONPATH"] = str(ROOT)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "shop", "serve", "--psp", "http://127.0.0.1:9", *options),
        cwd=tmp_path,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def address_of(process):
    async with asyncio.timeout(60):
        line = (await process.stdout.readline()).decode()
    found = re.fullmatch(r"shop listening on (http://127\.0\.0\.1:[1-9][0-9]*)\n", line)
    assert found, line or (await process.stderr.read()).decode()
    return found[1]


async def complaint(process):
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert (process.returncode, out) == (2, b"")
    lines = err.decode().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


async def test_the_shop_says_where_it_listens_serves_and_stops_when_asked(tmp_path):
    database = f"sqlite:///{tmp_path}/shop.sqlite3"
    async with shop_process(tmp_path, "--port", "0", "--database", database) as process:
        address = await address_of(process)
        async with client_of(address) as http:
            assert (await http.get("/healthz")).json()["status"] == "ok"
            body = {"items": [{"sku": "mug", "quantity": 1}], "email": "ada@example.com"}
            placed = await http.post("/orders", json=body)
            assert placed.status_code == 201
            webhook = await http.post("/webhooks/psp", content=b"{}")
            assert webhook.status_code == 503
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            assert await process.wait() == 0
    async with (
        shop_process(tmp_path, "--port", "0", "--database", database) as process,
        client_of(await address_of(process)) as http,
    ):
        kept = await http.get(f"/orders/{placed.json()['id']}")
        assert kept.json()["status"] == "pending"


@pytest.mark.parametrize("path", [b"/orders", b"/webhooks/psp"])
async def test_a_call_whose_body_never_comes_is_broken_off_when_the_shop_is_stopped(tmp_path, path):
    database = f"sqlite:///{tmp_path}/shop.sqlite3"
    async with shop_process(tmp_path, "--port", "0", "--database", database) as process:
        port = (await address_of(process)).rpartition(":")[2]
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
        writer.write(
            b"POST %b HTTP/1.1\r\nHost: shop\r\nContent-Length: 100\r\n"
            b"Expect: 100-continue\r\n\r\n" % path
        )
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            _, err = await process.communicate()
        assert process.returncode == 0
        assert "Traceback" not in err.decode()
        assert await reader.read() == b""
        writer.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_told_twice_to_stop_a_shop_waits_for_no_call_and_ends_its_work_first(
    tmp_path, number
):
    async with shop_process(tmp_path, "--port", "0") as process:
        host, _, port = (await address_of(process)).removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /orders HTTP/1.1\r\nhost: shop\r\ncontent-length: 9\r\n\r\n{")
        await writer.drain()
        async with client_of(f"http://{host}:{port}") as http:
            assert (await http.get("/healthz")).status_code == 200
        process.send_signal(number)
        await asyncio.sleep(0.3)
        process.send_signal(number)
        async with asyncio.timeout(60):
            _, err = await process.communicate()
        assert process.returncode == 0
        # A grace time that was waited for to its end would be told of.
        assert not re.search("Traceback|grace", err.decode())
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()


@pytest.mark.parametrize(
    "bytes_sent", [b"FOO /orders HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\r\n\r\n"]
)
async def test_what_is_no_http_is_answered_as_every_other_error(tmp_path, bytes_sent):
    async with shop_process(tmp_path, "--port", "0") as process:
        port = (await address_of(process)).rpartition(":")[2]
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
        writer.write(bytes_sent)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 400 Bad Request"
    assert {b"content-type: application/problem+json", b"connection: close"} <= set(lines)
    assert b"content-length: %d" % len(body) in lines
    told = json.loads(body)
    assert (told["status"], told["code"], told["definite"]) == (400, "malformed_http", True)


async def test_a_call_under_way_is_not_said_to_be_undone_since_no_http_follows_it(tmp_path):
    async with shop_process(tmp_path, "--port", "0") as process:
        port = (await address_of(process)).rpartition(":")[2]
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: here\r\n\r\nFOO / HTTP/1.1\r\n\r\n")
        assert await reader.read() == b""
        writer.close()


async def test_a_port_in_use_is_one_clear_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        async with shop_process(tmp_path, "--port", port) as process:
            assert await complaint(process) == (
                f"shop: cannot listen on 127.0.0.1:{port}: Address already in use"
            )


async def test_a_file_that_is_no_database_is_one_clear_line(tmp_path):
    (tmp_path / "notes.txt").write_text("not a database at all " * 100)
    options = ("--port", "0", "--database", f"sqlite:///{tmp_path}/notes.txt")
    async with shop_process(tmp_path, *options) as process:
        assert "notes.txt" in await complaint(process)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--port", "banana"), "--port must be a whole number, not 'banana'"),
        (("--tracking", "hope"), "--tracking must be one of webhooks+reconciliation"),
        (("--database", "mysql://x"), "mysql"),
        (("--frobnicate",), "--frobnicate"),
        (("--host", "256.1.1.1", "--port", "0"), "cannot listen on 256.1.1.1:0"),
    ],
)
async def test_an_option_that_cannot_be_used_is_one_clear_line(tmp_path, options, part):
    async with shop_process(tmp_path, "--port", "0", *options) as process:
        assert part in await complaint(process)


async def test_a_missing_key_says_how_to_give_one(tmp_path):
    async with shop_process(tmp_path, "--port", "0", key=None) as process:
        assert "--psp-key" in await complaint(process)
