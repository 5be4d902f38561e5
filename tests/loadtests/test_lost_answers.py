"""What a poller forgives: what the faults in force do to it, and nothing else."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from loadtests.lost_answers import is_forgiven, paid_within_s, poll_timeout_s

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


def poll(url: str, kinds: str, result: Path) -> dict[str, Any]:
    """What two pollers told of so many seconds."""
    file = ROOT / "loadtests" / "locustfile.py"
    users = ("--users", "2", "--spawn-rate", "2", "--run-time", "2s", "--stop-timeout", "6")
    subprocess.run(
        (sys.executable, "-m", "locust", "--locustfile", file, "--headless", *users, "Poller"),
        cwd=ROOT,
        env=os.environ | {"LOAD_PSP": url, "LOAD_FAULTS": kinds, "LOAD_RESULT_FILE": str(result)},
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
def test_a_provider_that_is_not_there_fails_pollers_when_nothing_is_lost(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    told = poll(f"http://127.0.0.1:{port}", "", tmp_path / "result.json")
    assert sum(one["failures"] for one in told["requests"]) > 0
    assert told["failures"]
