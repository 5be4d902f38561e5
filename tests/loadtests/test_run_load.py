"""The load test as a command: its verdicts, its wrong usage, and a short real run."""

from __future__ import annotations

import contextlib
import csv
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import psutil
import pytest

from loadtests.arguments import PRESETS
from loadtests.conservation import Books, Call, Order, Payment
from loadtests.locust_run import free_port
from loadtests.processes import CouldNotStart, running
from loadtests.run_load import THRESHOLDS, table
from loadtests.verify import verdict
from psp_sim.domain import presets as provider_presets

ROOT = Path(__file__).parent.parent.parent
COMMAND = (sys.executable, "-m", "loadtests.run_load")
ONE_SALE = Books(
    (Payment("ord_1", "succeeded", 5, "EUR"),),
    (Order("ord_1", "fulfilled", 5, "EUR"),),
    (Call("ord_1", "ful_1"),),
)


def test_balanced_books_without_failures_hold() -> None:
    assert verdict(ONE_SALE, "") == 0


def test_a_missing_fulfilment_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict(Books(ONE_SALE.payments, ONE_SALE.orders, ()), "") == 1
    assert "✗ 1 orders are paid but were never fulfilled: ord_1." in capsys.readouterr().out


def test_what_never_settles_breaks() -> None:
    assert verdict(ONE_SALE, "1 payments and 0 orders") == 1


def test_a_run_without_a_sale_shows_nothing() -> None:
    assert verdict(Books((), (), ()), "") == 3


def test_the_table_names_each_kind_of_request_with_its_percentiles() -> None:
    figures = {"count": 1200, "failures": 1, "per_second": 40.04}
    percentiles = {"p50_ms": 8, "p95_ms": 20.4, "p99_ms": 1300}
    lines = table([{"type": "POST", "name": "/orders", **figures, **percentiles}])
    assert lines[1].split() == ["POST", "/orders", "1,200", "1", "40.0", "8", "20", "1,300"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--users", "0"],
        ["--users", "many"],
        ["--time", "0s"],
        ["--time", "-1"],
        ["--nonsense"],
        ["--suite", "x"],
        ["--thresholds", "/none.toml"],
        ["--reports", "/dev/null/x"],
        ["--preset", "nope"],
        ["--workers", "-1"],
        ["--web-port", "99999999"],
        ["--webhook-url", "http://127.0.0.1/"],
        ["--suite", "webhooks", "--webhook-url", "http://127.0.0.1/"],
    ],
)
def test_wrong_usage_ends_with_two(arguments: list[str]) -> None:
    done = subprocess.run((*COMMAND, *arguments), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "error:" in done.stderr or "load: cannot " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_somebody_has_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            (*COMMAND, "--web-port", str(port), "--time", "1s", "--reports", tmp_path / "reports"),
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 2
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith(f"load: cannot show locust's page on 127.0.0.1:{port}: ")


def test_the_presets_are_those_of_the_provider() -> None:
    assert set(PRESETS) == set(provider_presets.PRESETS)


@pytest.mark.live
def test_a_service_that_cannot_start_is_named_with_its_reason(tmp_path: Path) -> None:
    command = ("loadtests.warehouse", "--port", "99999")
    with (
        pytest.raises(CouldNotStart, match=r"the warehouse did not start: .*cannot listen"),
        running("warehouse", command, tmp_path),
    ):
        pass


def patient_thresholds(folder: Path) -> Path:
    """The shipped thresholds without the times, which belong to machines that are never held up."""
    shipped = THRESHOLDS.read_text("utf-8").splitlines()
    file = folder / "patient.toml"
    file.write_text("\n".join(line for line in shipped if "_ms_max" not in line), "utf-8")
    return file


def _load(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "tmp").mkdir()
    return subprocess.run(
        (*COMMAND, "--reports", str(folder / "reports"), *arguments),
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(folder / "tmp")} | variables,
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.mark.live
def test_a_run_in_two_worker_processes_with_faults_on_balances_and_keeps_reports(
    tmp_path: Path,
) -> None:
    users = ("--time", "8s", "--users", "8", "--workers", "2")
    done = _load(tmp_path, *users, "--thresholds", str(patient_thresholds(tmp_path)))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "E2E  order placed → paid" in done.stdout
    assert "✓ The books balance" in done.stdout
    assert re.search(r"Faults that fired: \w+ ×", done.stdout)
    assert done.stderr == ""
    assert list((tmp_path / "tmp").iterdir()) == [], "it leaves nothing else behind"
    page = (tmp_path / "reports" / "mixed.html").read_text("utf-8")
    assert "order placed" in page
    with (tmp_path / "reports" / "mixed_stats.csv").open(encoding="utf-8") as file:
        counts = {row["Name"]: int(row["Request Count"]) for row in csv.DictReader(file)}
    assert counts["order placed → paid"] > 0


@pytest.mark.live
def test_a_flood_of_webhooks_fails_when_a_threshold_is_out_of_reach(tmp_path: Path) -> None:
    strict = tmp_path / "strict.toml"
    strict.write_text('[[threshold]]\nrequest = "POST webhook"\nper_second_min = 1e6\n')
    flood = ("--suite", "webhooks", "--time", "6s", "--users", "5")
    done = _load(tmp_path, *flood, "--thresholds", str(strict))
    assert done.returncode == 1, done.stdout + done.stderr
    [problem] = [line for line in done.stdout.splitlines() if line.startswith("✗")]
    assert problem.startswith("✗ POST webhook: per_second is ")
    assert problem.endswith("but must be at least 1e+06.")


class MortalConsumer(BaseHTTPRequestHandler):
    """Answers a hundred webhooks; then nobody listens any more."""

    answers: ClassVar[Iterator[int]]
    server: ThreadingHTTPServer

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()
        if next(self.answers) == 100:
            self.server.socket.close()
            threading.Thread(target=self.server.shutdown).start()

    def log_message(self, *_: Any) -> None:
        pass


def _flood(folder: Path, url: str, *options: str) -> subprocess.CompletedProcess[str]:
    flood = ("--suite", "webhooks", "--webhook-url", url, "--users", "4", "--time", "9m")
    return _load(folder, *flood, *options, LOAD_WEBHOOK_SECRET="whsec_" + "c2Vj" * 8)


@pytest.mark.live
@pytest.mark.parametrize("options", [(), ("--workers", "2"), ("--shape", "ramp")])
def test_a_flood_of_a_consumer_that_nobody_listens_on_ends_and_shows_nothing(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{free_port()}/hooks"
    done = _flood(tmp_path, url, *options)
    assert done.returncode == 3, done.stdout + done.stderr
    assert done.stderr.startswith(
        f"load: the webhooks at {url}: nobody answered for 5 s, so the flood was ended: "
    )
    assert done.stderr.endswith("Connection refused\n")
    assert "✗" not in done.stdout


@pytest.mark.live
def test_a_flood_of_a_consumer_that_dies_ends_and_fails(tmp_path: Path) -> None:
    MortalConsumer.answers = itertools.count(1)
    with ThreadingHTTPServer(("127.0.0.1", 0), MortalConsumer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        done = _flood(tmp_path, f"http://127.0.0.1:{server.server_port}/hooks")
        thread.join()
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(
        r"(?m)^✗ 1\d\d answers, then none for 5 s, so the flood was ended: ", done.stdout
    )


@pytest.mark.live
def test_a_soak_shows_what_grew_and_fails_when_it_grew_by_more_than_the_file_allows(
    tmp_path: Path,
) -> None:
    strict = tmp_path / "strict.toml"
    strict.write_text("threshold = []\n[soak]\nmemory_growth_percent_max = -99\n")
    soak = ("--suite", "webhooks", "--shape", "soak", "--time", "6s", "--users", "5")
    done = _load(tmp_path, *soak, "--thresholds", str(strict))
    assert done.returncode == 1, done.stdout + done.stderr
    problems = [line for line in done.stdout.splitlines() if line.startswith("✗")]
    assert [line.split()[1] for line in problems] == ["registrar", "shop"]
    assert all(line.endswith("but may grow by -99 % at most.") for line in problems)
    assert re.search(r"(?m)^  shop +\d+ +→ +\d+ MB", done.stdout)
    assert re.search(r"(?m)^  POST webhook +\d+ +→ +\d+ ms", done.stdout)


@pytest.mark.live
@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGHUP, 130), (signal.SIGKILL, -9)],
)
def test_whatever_ends_a_run_ends_its_processes_and_leaves_nothing_behind(
    number: signal.Signals, status: int, tmp_path: Path
) -> None:
    (temporary := tmp_path / "tmp").mkdir()
    with subprocess.Popen(
        (*COMMAND, "--time", "60s", "--users", "1", "--reports", str(tmp_path / "reports")),
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert "users" in process.stdout.readline()
        if number == signal.SIGKILL:
            wait_until(lambda: any(f.stat().st_size for f in temporary.glob("*/locust.log")))
        process.send_signal(number)
        assert process.wait(60) == status
    wait_until(lambda: not processes_of(temporary))
    assert list(temporary.iterdir()) == []


def processes_of(temporary: Path) -> list[psutil.Process]:
    """All that have been told to put their files there, whoever started them."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("TMPDIR") == str(temporary):
                found.append(process)
    return found


def wait_until(is_so: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < give_up_at, "it never came to that"
        time.sleep(0.05)
