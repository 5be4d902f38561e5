"""What a poller forgives: what the faults in force do to it, and nothing else."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from loadtests.control_faults import kinds_here
from loadtests.lost_answers import FAULTS, is_forgiven, paid_within_s, poll_timeout_s

ROOT = Path(__file__).parent.parent.parent
LOST = "no answer, by a fault"


@pytest.mark.parametrize("kind", ["lose_request", "lose_response", "outage"])
def test_no_answer_is_forgiven_while_a_fault_in_force_takes_answers_away(kind: str) -> None:
    assert is_forgiven(0, None, f"drop,{kind}")


@pytest.mark.parametrize("kinds", ["", "drop,delay,error,rate_limit,slow_response"])
def test_no_answer_is_a_failure_under_all_others(kinds: str) -> None:
    assert not is_forgiven(0, None, kinds)


def test_a_proxy_tells_of_an_outage_with_502() -> None:
    assert is_forgiven(502, None, "outage")
    assert not is_forgiven(502, None, "lose_response")
    assert not is_forgiven(502, None, "")


@pytest.mark.parametrize("kinds", ["", "error", "outage,lose_response"])
def test_an_answer_that_a_fault_made_says_so_and_any_other_error_is_one(kinds: str) -> None:
    assert is_forgiven(503, "simulated_error", kinds)
    assert is_forgiven(429, "rate_limited", kinds)
    assert not is_forgiven(500, "unexpected", kinds)
    assert not is_forgiven(404, "simulated_error", kinds)


def test_buyers_and_pollers_are_as_patient_as_ever_where_no_answer_is_lost() -> None:
    assert (paid_within_s("drop,error"), poll_timeout_s("drop,error")) == (30, 30)
    assert paid_within_s("lose_response") > 30
    assert poll_timeout_s("lose_response") < 5


@contextmanager
def never_answering() -> Iterator[str]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken: list[socket.socket] = []

        def take() -> None:
            while True:
                connection, _ = listener.accept()
                taken.append(connection)
                if is_over:
                    return

        is_over: list[bool] = []
        thread = threading.Thread(target=take)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            is_over.append(True)
            socket.create_connection(listener.getsockname()).close()
            thread.join()
            for connection in taken:
                connection.close()


class LosingProvider(BaseHTTPRequestHandler):
    """Tells whoever has the admin's token which faults are in force, and nobody anything else."""

    def do_GET(self) -> None:
        if self.path != "/_control/faults":
            self.rfile.read(1)  # until the client gives up
            return
        is_admin = self.headers.get("authorization") == "Bearer admin_test"
        body = b'{"data": [{"kind": "outage"}, {"kind": "drop"}], "fired": {}}'
        self.send_response(200 if is_admin else 403)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def losing_provider() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), LosingProvider) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    def kinds(**variables: str) -> str:
        for name in (FAULTS, "LOAD_PSP", "LOAD_ADMIN_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        kinds_here.cache_clear()
        return kinds_here()

    yield kinds
    kinds_here.cache_clear()


def test_where_no_kinds_are_told_the_provider_is_asked_which_are_in_force(
    told: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    with losing_provider() as url:
        assert told(LOAD_PSP=url, LOAD_ADMIN_TOKEN="admin_test") == "drop,outage"
        assert capsys.readouterr().err == ""
        assert told(LOAD_PSP=url, LOAD_FAULTS="") == ""
        assert told(LOAD_PSP=url) == ""
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("load: the provider does not say which faults are in force (")
    assert told(LOAD_SHOP="http://127.0.0.1:9") == ""


def poll(url: str, kinds: str | None, result: Path) -> dict[str, Any]:
    """What two pollers told of so many seconds."""
    variables = {"LOAD_PSP": url, "LOAD_ADMIN_TOKEN": "admin_test"}
    variables |= {"LOAD_RESULT_FILE": str(result)} | ({} if kinds is None else {FAULTS: kinds})
    file = ROOT / "loadtests" / "locustfile.py"
    users = ("--users", "2", "--spawn-rate", "2", "--run-time", "2s", "--stop-timeout", "6")
    subprocess.run(
        (sys.executable, "-m", "locust", "--locustfile", file, "--headless", *users, "Poller"),
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        timeout=60,
    )
    told: dict[str, Any] = json.loads(result.read_text("utf-8"))
    return told


@pytest.mark.live
def test_a_lost_answer_costs_a_poller_seconds_and_is_no_failure(tmp_path: Path) -> None:
    with never_answering() as url:
        told = poll(url, "lose_response", tmp_path / "result.json")
    assert told["failures"] == []
    assert {one["name"] for one in told["requests"]} == {LOST}, "kept apart from real answers"
    assert all(one["p99_ms"] < 5_000 for one in told["requests"])


@pytest.mark.live
def test_pollers_find_out_by_themselves_that_answers_are_lost(tmp_path: Path) -> None:
    with losing_provider() as url:
        told = poll(url, None, tmp_path / "result.json")
    assert told["failures"] == []
    assert {one["name"] for one in told["requests"]} == {LOST}


@pytest.mark.live
def test_a_provider_that_is_not_there_fails_pollers_when_nothing_is_lost(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    told = poll(f"http://127.0.0.1:{port}", "", tmp_path / "result.json")
    assert sum(one["failures"] for one in told["requests"]) > 0
    assert told["failures"]
