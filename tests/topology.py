"""The topology of compose.yaml as plain processes of this machine, loaded and verified.

``python -m tests.topology`` starts nginx, PostgreSQL and two of every service whose number is
free, by the very commands of compose.yaml, lets users come, and compares the books. ``--stay``
leaves it running until Ctrl-C. It needs nginx; PostgreSQL comes with the development packages.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Any

import psycopg
import pytest
import yaml

from loadtests.arguments import PRESETS, check_reports, positive, seconds
from loadtests.command import exit_status
from loadtests.control_faults import kinds_in_force
from loadtests.end_orphans import ended_with_us, removed_with_us, temporary_folder
from loadtests.locust_run import CONSTANT, SUITES, Load, run_locust
from loadtests.lost_answers import FAULTS
from loadtests.processes import CouldNotStart, started, url_of
from loadtests.read_books import Services
from loadtests.run_load import THRESHOLDS, table, told_failures
from loadtests.services import RETRIES, SETTLE_AFTER, TIME_SCALE, wait_until_registered
from loadtests.stopping import stop_held_back
from loadtests.thresholds import crossed, read_thresholds
from loadtests.verify import BROKEN, lift_and_verify
from scenarios.targets.service_process import free_port
from tests.postgres_server import postgres_server
from tests.programs import program
from tests.topology_cost import IDLE_S, SETTLE_S, cost_lines, processor_s

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SCALED = ("psp-api", "psp-delivery", "shop", "shop-worker")
ORDER = ("warehouse", "psp-api", "psp-delivery", "front", "shop", "shop-worker", "gateway")
_WITH_DEFAULT = re.compile(r"\$\{\w+:-([^${}]*)\}")
_PLACE = re.compile(r"http://(?P<host>[\w-]+):(?P<port>\d+)")
_DATABASE = re.compile(r"postgresql://\S+@postgres/(?P<name>\w+)")
REPORTS = Path("reports/topology")
LOCUST_STARTS_S = 1.0
# What a load with faults on needs to be over within minutes.
FASTER = {
    "PSP_TIME_SCALE": TIME_SCALE,
    "PSP_SETTLE_AFTER": SETTLE_AFTER,
    "PSP_RETRY_SCHEDULE": RETRIES,
    "PSP_QUIET": "1",
}


def with_defaults(value: str) -> str:
    """Return a value of compose.yaml as it is when nobody has set anything."""
    while (plain := _WITH_DEFAULT.sub(r"\1", value)) != value:
        value = plain
    return value


def settings_of(service: str) -> dict[str, str]:
    """Return what a service finds in its environment then."""
    environment = SERVICES[service].get("environment", {})
    return {name: with_defaults(value) for name, value in environment.items()}


@dataclass
class Topology:
    """Which ports of this machine stand for which service, and what runs."""

    folder: Path
    databases: Mapping[str, str]
    counts: Mapping[str, int]
    postgres_pid: int
    take_port: Callable[[], int]
    extra: Mapping[str, str] = field(default_factory=dict)
    processes: dict[str, list[subprocess.Popen[bytes]]] = field(default_factory=dict)
    killed_cpu_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def __post_init__(self) -> None:
        self.ports = {
            name: [self.take_port() for _ in range(self.counts.get(name, 1))]
            for name in ("warehouse", *SCALED)
        }
        self.nginx = {port: self.take_port() for port in ("8080", "8081", "8090")}

    @property
    def psp_url(self) -> str:
        """Where the provider's API is, whichever process answers."""
        return f"http://127.0.0.1:{self.nginx['8080']}"

    @property
    def shop_url(self) -> str:
        """Where the shop is, whichever process answers."""
        return f"http://127.0.0.1:{self.nginx['8081']}"

    def urls(self, name: str) -> list[str]:
        """Where each process of a service listens."""
        return [f"http://127.0.0.1:{port}" for port in self.ports[name]]

    @property
    def preset(self) -> str:
        """The provider's faults, by name."""
        return self.extra.get("PSP_PRESET") or settings_of("psp-api")["PSP_PRESET"]

    @property
    def books(self) -> Services:
        """Where to verify what happened."""
        key = settings_of("psp-api")["PSP_API_KEY"]
        return Services(self.psp_url, key, self.shop_url, self._url("warehouse", "8082"))

    def start(self, stack: ExitStack) -> None:
        """Start everything in an order that works; the stack stops it. Raises CouldNotStart."""
        for name in ORDER:
            if name in ("front", "gateway"):
                self._start_nginx(stack, name)
            else:
                for number in range(len(self.ports[name])):
                    self._start(stack, name, number)

    def _start(self, stack: ExitStack, name: str, number: int) -> None:
        port = str(self.ports[name][number])
        moved = {"8082": port, "0.0.0.0": "127.0.0.1"}
        command = [moved.get(word, word) for word in SERVICES[name]["command"]]
        assert command[:2] == ["python", "-m"]
        here = {key: self._here(value) for key, value in settings_of(name).items()}
        own = {key: port for key in here if key.endswith("_PORT")}
        settings = {**here, **own, **self.extra}
        log = f"{name}-{number + 1}"
        process = stack.enter_context(started(log, command[2:], self.folder, settings))
        url_of(log, process, self.folder)
        self.processes.setdefault(name, []).append(process)

    def cpu_s(self) -> dict[str, float]:
        """Return the seconds of processor that each service has used so far."""
        used = dict.fromkeys((*self.processes, "postgres"), 0.0)
        for name, processes in self.processes.items():
            used[name] = sum(processor_s(one.pid) for one in processes if one.poll() is None)
            used[name] += self.killed_cpu_s[name]
        used["postgres"] = processor_s(self.postgres_pid)
        return used

    def kill(self, name: str) -> None:
        """``kill -9`` the first process of a service."""
        process = self.processes[name][0]
        self.killed_cpu_s[name] += processor_s(process.pid)
        process.kill()

    def _start_nginx(self, stack: ExitStack, name: str) -> None:
        values = settings_of(name)
        for key in values:
            if key.endswith("_LISTEN"):
                values[key] = f"127.0.0.1:{self.nginx[values[key]]}"
            elif key.endswith("_TEMP"):
                values[key] = str(self.folder)
            elif (service := values[key].partition(":")[0]) in self.ports:
                places = (f"127.0.0.1:{port}" for port in self.ports[service])
                values[key] = "; server ".join(places)
        [template] = [
            volume.partition(":")[0]
            for volume in SERVICES[name]["volumes"]
            if ".template:" in volume
        ]
        text = (ROOT / template).read_text(encoding="utf-8")
        for key, value in values.items():
            text = text.replace(f"${{{key}}}", value)
        (self.folder / f"{name}.conf").write_text(text, encoding="utf-8")
        allowed = ROOT / "deploy" / "allowed_addresses.conf"
        (self.folder / allowed.name).write_bytes(allowed.read_bytes())
        stack.enter_context(self._nginx(name))

    @contextmanager
    def _nginx(self, name: str) -> Iterator[None]:
        user = "user root; " if os.geteuid() == 0 else ""
        directives = f"daemon off; {user}pid {self.folder}/{name}.pid;"
        configuration = ("-p", str(self.folder), "-c", str(self.folder / f"{name}.conf"))
        nginx = program("nginx", "nginx")
        with ExitStack() as stack:
            with stop_held_back(), (self.folder / f"{name}.log").open("wb") as output:
                process = subprocess.Popen(
                    (nginx, *configuration, "-g", directives),
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
                stack.enter_context(ended_with_us(-process.pid))
                stack.callback(process.wait)
                stack.callback(process.terminate)
            self.processes[name] = [process]
            yield

    def _here(self, value: str) -> str:
        """Return a value with addresses of this machine for those of the network."""
        value = _DATABASE.sub(lambda found: self.databases[found["name"]], value)
        value = _PLACE.sub(lambda found: self._url(found["host"], found["port"]), value)
        return "127.0.0.1" if value == "0.0.0.0" else value

    def _url(self, host: str, port: str) -> str:
        is_nginx = host in ("front", "gateway")
        return f"http://127.0.0.1:{self.nginx[port] if is_nginx else self.ports[host][0]}"


@contextmanager
def open_topology(
    folder: Path, counts: Mapping[str, int], extra: Mapping[str, str]
) -> Iterator[Topology]:
    """Start everything; stop it at the end. Raises CouldNotStart."""
    with ExitStack() as stack:
        with stop_held_back():
            server = stack.enter_context(postgres_server())
            pid = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
            stack.enter_context(removed_with_us(server.folder))
            stack.enter_context(ended_with_us(pid))
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            made_by_image = SERVICES["postgres"]["environment"]["POSTGRES_DB"]
            connection.execute(f"CREATE DATABASE {made_by_image}")
            connection.execute((ROOT / "deploy" / "databases.sql").read_bytes())
        databases = {name: server.url(name) for name in ("psp", "shop")}

        def take_port() -> int:
            return stack.enter_context(free_port())

        topology = Topology(folder, databases, counts, pid, take_port, extra)
        topology.start(stack)
        yield topology


def measured_idle(topology: Topology) -> dict[str, float]:
    """Return what each service uses while nobody comes, in seconds of processor a second."""
    time.sleep(SETTLE_S)
    before, began_at = topology.cpu_s(), time.monotonic()
    time.sleep(IDLE_S)
    passed_s = time.monotonic() - began_at
    return {name: (used - before[name]) / passed_s for name, used in topology.cpu_s().items()}


@contextmanager
def killing(topology: Topology, names: Sequence[str], after_s: float) -> Iterator[None]:
    """Kill one process of each of these services after a while, and have done so at the end."""
    killers = [Timer(after_s, topology.kill, (name,)) for name in names]
    for killer in killers:
        killer.daemon = True  # whoever stops us need not wait for it
        killer.start()
    yield
    for killer in killers:
        killer.join()


def load_and_verify(
    topology: Topology,
    users: int,
    time_s: int,
    reports: Path,
    killed: Sequence[str] = (),
    thresholds: Path = THRESHOLDS,
) -> int:
    """Let users come, compare the books; return the exit status of the load test.

    One process of each service in ``killed`` dies under the load.
    """
    load = Load("mixed", users, users, time_s, CONSTANT, 0, None, reports)
    books = topology.books
    wait_until_registered(*topology.urls("shop-worker"))
    target = {
        "LOAD_SHOP": books.shop_url,
        "LOAD_PSP": books.psp_url,
        "LOAD_PSP_KEY": books.psp_key,
        FAULTS: kinds_in_force(books.psp_url),
    }
    idle = measured_idle(topology)
    before, began_at = topology.cpu_s(), time.monotonic()
    with killing(topology, killed, LOCUST_STARTS_S + time_s / 2):
        result = run_locust(load, target, topology.folder)
    print("\n".join(table(result["requests"])))
    passed_s = time.monotonic() - began_at
    busy = {name: used - before[name] for name, used in topology.cpu_s().items()}
    orders = sum(one["count"] for one in result["requests"] if one["type"] == "E2E")
    print(f"\nProcessor time of {orders:,} orders, with all that was read about them:")
    print("\n".join(cost_lines(busy, idle, passed_s, orders)) + "\n", flush=True)
    status = lift_and_verify(books, topology.preset)
    limits = read_thresholds(thresholds, tuple(SUITES))
    problems = told_failures(result["failures"])
    problems += crossed(limits.requests, "mixed", result["requests"])
    for problem in problems:
        print(f"✗ {problem}")
    return BROKEN if problems else status


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.topology", description=__doc__)
    parser.add_argument("--scale", action="append", default=[], metavar="SERVICE=N")
    faults = "faults of the provider; default: flaky"
    parser.add_argument("--preset", choices=PRESETS, default="flaky", help=faults)
    parser.add_argument("--users", type=positive, default=20)
    parser.add_argument("--time", type=seconds, default=15, metavar="DURATION", help="15s or 2m")
    parser.add_argument("--kill", action="append", default=[], choices=SCALED, help="with kill -9")
    parser.add_argument("--stay", action="store_true", help="go on until Ctrl-C, without a load")
    options = parser.parse_args(arguments)
    counts = dict.fromkeys(SCALED, 2)
    for text in options.scale:
        name, _, number = text.partition("=")
        if name not in SCALED or not number.isdecimal() or int(number) < 1:
            parser.error(f"--scale {text}: write SERVICE=N with one of {', '.join(SCALED)}")
        counts[name] = int(number)
    return exit_status("topology", lambda: _run(options, counts))


def _run(options: argparse.Namespace, counts: Mapping[str, int]) -> int:
    extra = {**FASTER, "PSP_PRESET": options.preset}
    check_reports(REPORTS)
    try:
        with (
            temporary_folder("topology-") as folder,
            temporary_files_in(folder),
            open_topology(folder, counts, extra) as up,
        ):
            print(f"provider and dashboard: {up.psp_url}/_dashboard\nshop: {up.shop_url}")
            print(", ".join(f"{number} × {name}" for name, number in counts.items()), flush=True)
            if options.stay:
                return _stay()
            return load_and_verify(up, options.users, options.time, REPORTS, options.kill)
    except pytest.skip.Exception as missing:  # the tests' way to say that a program is not there
        raise CouldNotStart(str(missing)) from missing


@contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    """Have what we are about to make temporarily made there, since that goes with us.

    Whoever we run PostgreSQL as has to come through.
    """
    folder.chmod(0o711)
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def _stay() -> int:
    """Go on until somebody ends it: nothing was to be shown, so that is a good end."""
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
