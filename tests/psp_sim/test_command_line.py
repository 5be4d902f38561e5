"""``python -m psp_sim serve`` as a process: what it says, how it stops, how it complains."""

import asyncio
import contextlib
import json
import re
import signal
import socket

import httpx
import pytest
from standardwebhooks import Webhook

from tests.psp_sim.processes import (
    PATIENCE_S,
    announcement,
    client_of,
    complaint,
    provider_process,
    real_sink,
    until,
)
from tests.psp_sim.stand import API_KEY, Reply, payment_body

pytestmark = pytest.mark.live
# Servers usually close a connection that was idle for five seconds.
LONGER_THAN_USUAL_S = 6


async def stopped(process, number=signal.SIGTERM):
    process.send_signal(number)
    async with asyncio.timeout(PATIENCE_S):
        _, err = await process.communicate()
    return process.returncode, err.decode()


async def until_fired(http, kind):
    async with asyncio.timeout(PATIENCE_S):
        while kind not in (await http.get("/_control/faults")).json()["fired"]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_the_provider_says_where_it_listens_serves_and_stops_when_asked(tmp_path):
    async with provider_process(tmp_path, "--port", "0") as process:
        url, said = await announcement(process)
        assert API_KEY not in said
        assert "API key   as given\n" in said
        async with client_of(url) as http:
            assert (await http.get("/healthz")).json()["status"] == "ok"
            assert (await http.get("/v1/payments")).json() == {"data": [], "next": None}
            assert (
                await http.get("/v1/payments", headers={"authorization": ""})
            ).status_code == 401
            headers = {"idempotency-key": "k"}
            made = await http.post("/v1/payments", json=payment_body(), headers=headers)
            assert made.status_code == 201
        assert await stopped(process) == (0, "")
    assert (tmp_path / "psp.sqlite3").exists()
    async with provider_process(tmp_path, "--port", "0") as process:
        url, _ = await announcement(process)
        async with client_of(url) as http:
            again = await http.post("/v1/payments", json=payment_body(), headers=headers)
            assert (again.text, again.headers["idempotent-replayed"]) == (made.text, "true")
        assert await stopped(process, signal.SIGINT) == (0, "")


async def test_an_endpoint_of_the_settings_is_there_from_the_start_with_its_secret(tmp_path):
    async with real_sink() as sink:
        options = ("--port", "0", "--webhook-url", sink.url, "--settle-after", "1h")
        async with provider_process(tmp_path, *options, "--print-secret") as process:
            async with asyncio.timeout(PATIENCE_S):
                out, err = await process.communicate()
        assert (process.returncode, err) == (0, b"")
        secret = out.decode().removesuffix("\n")
        async with provider_process(tmp_path, *options) as process:
            url, said = await announcement(process)
            assert f"webhooks  {sink.url}\n  secret    {secret}\n" in said
            async with client_of(url) as http:
                await http.post(
                    "/v1/payments", json=payment_body(), headers={"idempotency-key": "k"}
                )
                await until(lambda: sink.calls)
        Webhook(secret).verify(sink.calls[0].body, sink.calls[0].headers)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--print-secret",), "needs --webhook-url"),
        (("--webhook-url", "http://8.8.8.8/hooks"), "does not call 8.8.8.8"),
        (("--webhook-url", "nowhere"), "must be like"),
    ],
)
async def test_an_endpoint_that_cannot_be_is_told_in_one_line(tmp_path, options, told):
    async with provider_process(tmp_path, "--port", "0", *options) as process:
        assert told in await complaint(process)


async def test_without_a_key_one_is_made_and_printed(tmp_path):
    options = ("--port", "0", "--database", "sqlite:///:memory:")
    async with provider_process(tmp_path, *options, key=None) as process:
        url, said = await announcement(process)
        key = next(line.split()[-1] for line in said.splitlines() if "API key" in line)
        assert key.startswith("sk_test_")
        async with client_of(url) as http:
            headers = {"authorization": f"Bearer {key}"}
            assert (await http.get("/v1/payments", headers=headers)).status_code == 200


async def test_where_log_lines_are_json_it_says_so_in_one_such_line_without_secrets(tmp_path):
    hook = "http://127.0.0.1:9/hooks"
    options = ("--port", "0", "--webhook-url", hook, "--log-format", "json")
    async with provider_process(tmp_path, *options) as process:
        async with asyncio.timeout(PATIENCE_S):
            line = (await process.stdout.readline()).decode()
        process.terminate()
        out, _ = await process.communicate()
    assert out == b""
    said = json.loads(line)
    assert re.search(r"listening on (http://\S+) ", line)[1] == said["url"]
    assert said["dashboard"] == f"{said['url']}/_dashboard"
    assert (said["level"], said["webhook_url"], said["database"]) == (
        "info",
        hook,
        "sqlite:///psp.sqlite3",
    )
    assert API_KEY not in line
    assert "whsec_" not in line


async def test_a_key_that_was_made_is_in_the_json_line_too(tmp_path):
    options = ("--port", "0", "--log-format", "json")
    async with provider_process(tmp_path, *options, key=None) as process:
        async with asyncio.timeout(PATIENCE_S):
            said = json.loads(await process.stdout.readline())
        async with client_of(said["url"]) as http:
            headers = {"authorization": f"Bearer {said['api_key']}"}
            assert (await http.get("/v1/payments", headers=headers)).status_code == 200


async def test_options_count_more_than_the_environment_and_that_more_than_the_file(tmp_path):
    config = tmp_path / "psp.toml"
    config.write_text(
        'retry_schedule = "none"\ntime_scale = 10\nport = 1\ndatabase = "sqlite:///:memory:"\n'
        'api_key = "sk_of_the_file"\n[[faults]]\nkind = "error"\nstatus = 418\n'
    )
    variables = {"PSP_TIME_SCALE": "20", "PSP_RETRY_SCHEDULE": "1s", "PSP_PORT": "2"}
    options = ("--config", str(config), "--port", "0", "--retry-schedule", "5s,1m")
    async with provider_process(tmp_path, *options, **variables) as process:
        url, said = await announcement(process)
        assert "retries   5s,1m, time scale 20\n" in said
        assert "database  sqlite:///:memory:\n" in said
        async with client_of(url) as http:
            assert (await http.get("/v1/payments")).status_code == 418
    async with provider_process(tmp_path, "--port", "0", PSP_CONFIG=str(config)) as process:
        assert "retries   none, time scale 10\n" in (await announcement(process))[1]


async def test_a_port_in_use_is_one_clear_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        async with provider_process(tmp_path, "--port", port) as process:
            said = await complaint(process)
    assert said == (
        f"psp-sim: cannot listen on 127.0.0.1 port {port}: Address already in use; "
        "choose another with --port, or 0 for a free one"
    )


async def test_a_file_that_another_provider_holds_is_one_clear_line(tmp_path):
    async with provider_process(tmp_path, "--port", "0") as first:
        await announcement(first)
        async with provider_process(tmp_path, "--port", "0") as second:
            assert "in use by another process" in await complaint(second)


BAD_FILES = [
    ("port = ", "psp.toml: Invalid value"),
    ("prot = 1", "'prot' in the configuration is no setting: host, port, database"),
    ('seed = "banana"', "seed: 'banana' is not a whole number"),
    ("retry_schedule = 5", "retry_schedule: 5 is not a retry schedule"),
    ("faults = 5", "faults must be a list of tables: write [[faults]]"),
    ('[faults]\nkind = "drop"', "faults must be a list of tables: write [[faults]]"),
    ('[[faults]]\nkind = "explode"', "kind 'explode' is not a fault: use one of drop, delay"),
    ('[[faults]]\nkind = "drop"\nattempt = 0', "attempt of drop: 0 is not an attempt"),
    ("host = '\xe9'.", "psp.toml: Expected newline"),
]


@pytest.mark.parametrize(("content", "part"), BAD_FILES)
async def test_a_bad_configuration_is_one_clear_line(tmp_path, content, part):
    (tmp_path / "psp.toml").write_text(content)
    async with provider_process(tmp_path, "--config", "psp.toml", "--port", "0") as process:
        assert part in await complaint(process)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--port", "banana"), "port: 'banana' is not a whole number"),
        (("--config", "none.toml"), "cannot read the configuration none.toml: "),
        (("--config", "."), "cannot read the configuration .: "),
        (("--host", "256.1.1.1"), "cannot listen on 256.1.1.1 port 0: "),
        (("--database", "mysql://ada:secret@x/y"), "use sqlite:///path/to/file"),
        (("--database", "sqlite:///none/psp.sqlite3"), "the folder none does not exist"),
        (("--database", "sqlite:///."), "cannot open the database file .: it is a folder"),
        (("--database", "sqlite:///notes.txt"), "notes.txt: file is not a database"),
    ],
)
async def test_an_option_that_cannot_be_used_is_one_clear_line(tmp_path, options, part):
    (tmp_path / "notes.txt").write_text("not a database " * 500)
    async with provider_process(tmp_path, "--port", "0", *options) as process:
        said = await complaint(process)
    assert said.startswith("psp-sim: ")
    assert part in said
    assert "secret" not in said


async def test_a_body_in_pieces_is_cut_off_at_the_limit(tmp_path):
    options = ("--port", "0", "--body-bytes-max", "1000", "--database", "sqlite:///:memory:")
    async with provider_process(tmp_path, *options) as process:
        url, _ = await announcement(process)

        async def pieces():
            for _ in range(20):
                yield b" " * 100

        async with client_of(url) as http:
            headers = {"idempotency-key": "k"}
            answer = await http.post("/v1/payments", content=pieces(), headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_a_lost_answer_and_an_outage_look_real_on_a_real_socket(tmp_path):
    options = ("--port", "0", "--database", "sqlite:///:memory:")
    async with provider_process(tmp_path, *options) as process:
        url, _ = await announcement(process)
        async with client_of(url) as http:
            fault = {"kind": "lose_response", "operation": "create_payment"}
            await http.post("/_control/faults", json=fault)
            headers = {"idempotency-key": "k"}
            impatient = httpx.Timeout(PATIENCE_S, read=0.3)
            with pytest.raises(httpx.ReadTimeout):
                await http.post(
                    "/v1/payments", json=payment_body(), headers=headers, timeout=impatient
                )
            await until_fired(http, "lose_response")
            assert len((await http.get("/v1/payments")).json()["data"]) == 1
            await http.post("/_control/faults", json={"kind": "outage", "for": "1m"})
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
                await http.get("/v1/payments")
            await http.delete("/_control/faults")
            assert (await http.get("/v1/payments")).status_code == 200
        assert (await stopped(process))[0] == 0


async def test_it_stops_in_time_though_a_request_and_a_webhook_hang(tmp_path):
    options = ("--port", "0", "--database", "sqlite:///:memory:")
    async with real_sink() as sink, provider_process(tmp_path, *options) as process:
        sink.reply = Reply(None)
        url, _ = await announcement(process)
        async with client_of(url) as http:
            await http.post("/v1/webhook_endpoints", json={"url": sink.url})
            headers = {"idempotency-key": "k"}
            await http.post("/v1/payments", json=payment_body(), headers=headers)
            await until(lambda: sink.calls)
            await http.post("/_control/faults", json={"kind": "lose_request"})
            hanging = asyncio.create_task(http.get("/v1/payments"))
            await until_fired(http, "lose_request")
            status, said = await stopped(process)
            assert status == 0
            assert "Traceback" not in said
            with pytest.raises(httpx.HTTPError):
                await hanging


async def test_a_connection_that_nobody_uses_for_a_while_stays_open(tmp_path):
    """Else a client whose machine stood still uses it in the very moment of its end."""
    options = ("--port", "0", "--database", "sqlite:///:memory:")
    async with provider_process(tmp_path, *options) as process:
        url, _ = await announcement(process)
        reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(url).port)
        for pause_s in (0, LONGER_THAN_USUAL_S):
            await asyncio.sleep(pause_s)
            writer.write(b"GET /healthz HTTP/1.1\r\nhost: psp\r\n\r\n")
            assert await reader.readuntil(b"\r\n") == b"HTTP/1.1 200 OK\r\n"
            await reader.readuntil(b"}}")
        writer.close()


@pytest.mark.parametrize(
    "bytes_sent", [b"FOO /v1/payments HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\r\n\r\n"]
)
async def test_what_is_no_http_is_answered_as_every_other_error(tmp_path, bytes_sent):
    async with provider_process(tmp_path, "--port", "0") as process:
        url, _ = await announcement(process)
        reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(url).port)
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
    async with provider_process(tmp_path, "--port", "0") as process:
        url, _ = await announcement(process)
        reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(url).port)
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: here\r\n\r\nFOO / HTTP/1.1\r\n\r\n")
        assert await reader.read() == b""
        writer.close()


async def test_connecting_has_a_time_limit_of_its_own(tmp_path):
    """A queue of connections that nobody accepts is full: the next one hangs unanswered."""
    options = ("--port", "0", "--database", "sqlite:///:memory:", "--retry-schedule", "none")
    limit = ("--connect-timeout", "300ms")
    with contextlib.ExitStack() as sockets, socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for _ in range(8):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(deaf.getsockname())
        async with provider_process(tmp_path, *options, *limit) as process:
            url, _ = await announcement(process)
            async with client_of(url) as http:
                hook = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
                made = await http.post("/v1/webhook_endpoints", json={"url": hook})
                headers = {"idempotency-key": "k"}
                await http.post("/v1/payments", json=payment_body(), headers=headers)
                path = f"/v1/webhook_endpoints/{made.json()['id']}/deliveries"
                attempts = []
                async with asyncio.timeout(PATIENCE_S):
                    while not attempts:
                        [delivery] = (await http.get(path)).json()["data"]
                        attempts = delivery["attempts"]
    [attempt] = attempts
    assert attempt["error"] == "no connection within 0.3 s"
    assert attempt["duration_ms"] > 250
