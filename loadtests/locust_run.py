"""How to load comes in; locust runs, in one process or several, and its figures come out."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.lost_answers import FAULTS, stop_timeout_s
from loadtests.processes import CouldNotStart, last_lines, started

HERE = Path(__file__).parent
SUITES = {
    "buyers": ("Buyer",),
    "webhooks": ("WebhookSender",),
    "polling": ("Buyer", "Poller"),
    "mixed": ("Buyer", "Poller"),
}
# Pollers to every three buyers.
POLLERS = {"polling": 27}
CONSTANT, SOAK = "constant", "soak"
SHAPES = (CONSTANT, *sorted(path.stem for path in HERE.glob("shapes/[a-z]*.py")))
LOCUST_START_S = 60
MASTER = "locust"


@dataclass(frozen=True)
class Load:
    """Who comes, how many, for how long, in how many processes, and where the reports go."""

    suite: str
    users: int
    spawn_rate: int
    time_s: int
    shape: str
    workers: int
    web_port: int | None
    reports: Path


def run_locust(load: Load, target: Mapping[str, str], folder: Path) -> dict[str, Any]:
    """Run it to its end; return its figures. Raises CouldNotStart."""
    result_file = folder / "result.json"
    shared = {
        **target,
        "LOAD_USERS": str(load.users),
        "LOAD_TIME_S": str(load.time_s),
        "LOAD_POLLERS": str(POLLERS.get(load.suite, 1)),
    }
    stop_s = stop_timeout_s(shared.get(FAULTS, ""))
    master_port = free_port()
    with ExitStack() as stack:
        master = stack.enter_context(
            started(
                MASTER,
                _command(load, master_port, stop_s),
                folder,
                {**shared, "LOAD_RESULT_FILE": str(result_file)},
            )
        )
        for number in range(1, load.workers + 1):
            worker = (*_files(load), "--worker", "--master-port", str(master_port))
            name = f"{MASTER}-worker-{number}"
            stack.enter_context(started(name, (*worker, *SUITES[load.suite]), folder, shared))
        _wait(master, load.time_s, stop_s)
    if master.returncode != 0 or not result_file.exists():
        raise CouldNotStart(f"locust did not finish: {last_lines(MASTER, folder)}")
    result: dict[str, Any] = json.loads(result_file.read_text(encoding="utf-8"))
    return result


def _files(load: Load) -> tuple[str, ...]:
    files = [HERE / "locustfile.py"]
    if load.shape != CONSTANT:
        files.append(HERE / "shapes" / f"{load.shape}.py")
    return ("locust", "--locustfile", ",".join(map(str, files)))


def _command(load: Load, master_port: int, stop_s: float) -> Sequence[str]:
    command = [*_files(load), "--stop-timeout", f"{stop_s:g}", "--exit-code-on-error", "0"]
    if load.shape == CONSTANT:
        command += ["--users", str(load.users), "--spawn-rate", str(load.spawn_rate)]
        command += ["--run-time", f"{load.time_s}s"]
    if load.web_port is None:
        command += ["--headless", "--only-summary"]
    else:
        command += ["--autostart", "--autoquit", "0", "--web-host", "127.0.0.1"]
        command += ["--web-port", str(load.web_port)]
    if load.workers:
        command += ["--master", "--master-bind-host", "127.0.0.1"]
        command += ["--master-bind-port", str(master_port), "--expect-workers", str(load.workers)]
    load.reports.mkdir(parents=True, exist_ok=True)
    stem = load.reports / load.suite
    reports = ("--html", f"{stem}.html", "--csv", str(stem), "--csv-full-history")
    return [*command, *reports, *SUITES[load.suite]]


def free_port() -> int:
    """Return a port of this machine that nobody listens on.

    From below those that systems give to outgoing connections: one of these could take it again.
    """
    while True:
        port = random.randrange(20000, 32000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def _wait(process: subprocess.Popen[bytes], run_s: int, stop_s: float) -> None:
    started_at = time.monotonic()
    is_watched = sys.stderr.isatty()
    while process.poll() is None:
        passed_s = time.monotonic() - started_at
        if passed_s > run_s + stop_s + LOCUST_START_S:
            return
        if is_watched:
            print(f"\r  {min(passed_s, run_s):.0f} of {run_s} s", end="", file=sys.stderr)
        time.sleep(0.2)
    if is_watched:
        print("\r" + " " * 20, end="\r", file=sys.stderr)
