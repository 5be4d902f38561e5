"""``python -m benchmarks``: the provider and the harness, each figure beside a raw limit."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Coroutine, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console

from benchmarks import million, peers, several_processes
from benchmarks.figure import Figure, keep, show
from benchmarks.harness_speed import harness_figures
from benchmarks.processes import CouldNotStart
from benchmarks.provider_speed import Bench, backlog_speed, made_speed, payments_speed
from benchmarks.raw_limits import bare_client, bare_database, empty_server
from benchmarks.search_reach import reach_figures
from benchmarks.watch import Speed

MODES = ("provider", "harness", "million", "postgres", "search")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return the exit status."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("modes", nargs="*", metavar="MODE", help=f"{', '.join(MODES)}; default: 2")
    parser.add_argument("--payments", type=int, default=6000, help="payments in each measurement")
    parser.add_argument("--stored", type=int, default=1_000_000, help="payments of mode million")
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    options = parser.parse_args(arguments)
    modes = options.modes or ["provider", "harness"]
    if unknown := set(modes) - set(MODES):
        parser.error(f"{', '.join(sorted(unknown))}: no mode; there are {', '.join(MODES)}")
    try:
        figures = _measure(modes, options.payments, options.stored)
    except CouldNotStart as problem:
        print(f"bench: a process did not start: {problem}", file=sys.stderr)
        return 3
    show(figures)
    print(f"written to {options.out}; kept in {keep(figures, options.out)}")
    return 0


def _measure(modes: Sequence[str], payments: int, stored: int) -> list[Figure]:
    progress = Console(stderr=True)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as name, progress.status("") as status:
        folder = Path(name)

        def run(what: str, work: Coroutine[Any, Any, list[Figure]]) -> None:
            status.update(what)
            figures.extend(uvloop.run(work))

        if "provider" in modes:
            run("the provider on one core, beside raw limits", _provider(folder, payments))
            if os.environ.get("PEERS"):
                run("WireMock and localstripe on the same work", peers.measured(folder, figures))
        if "harness" in modes:
            status.update("the harness")
            figures += harness_figures(folder)
        if "search" in modes:
            status.stop()
            figures += reach_figures()
        if "million" in modes:
            run(f"with {stored:,} payments stored", million.measured(folder, stored, payments))
        if "postgres" in modes:
            run("several processes on PostgreSQL", several_processes.measured(folder, payments))
    return figures


async def _provider(folder: Path, payments: int) -> list[Figure]:
    # Between two looks at the raw limit, so that a machine that changes its mood shows.
    empty_before = await empty_server(folder, 10_000)
    with ExitStack() as stack:
        bench = Bench(stack, _new(folder, "payments"), "--settle-after", "0s")
        await bench.register()
        await payments_speed(bench, payments // 10, "warm")
        paid = await payments_speed(bench, payments)
    with ExitStack() as stack:
        bench = Bench(stack, _new(folder, "backlog"), "--settle-after", "0s")
        delivered = await backlog_speed(bench, payments)
    with ExitStack() as stack:
        bench = Bench(stack, _new(folder, "made"), "--settle-after", "1h")
        await made_speed(bench, payments // 10, "warm")
        made = await made_speed(bench, payments)
    empty_after = await empty_server(folder, 10_000)
    empty = (empty_before.per_cpu_second + empty_after.per_cpu_second) / 2
    client, database = await bare_client(folder, 5000), bare_database(folder)
    return [
        *_both("payments", paid, "empty ASGI application", empty),
        *_both("payments_made", made, "empty ASGI application", empty),
        *_both("backlog_deliveries", delivered, "bare HTTP client", client),
        Figure.alone("empty_application_per_cpu_second", empty, "1/s"),
        Figure.alone("bare_client_per_cpu_second", client, "1/s"),
        Figure.alone("bare_database_per_cpu_second", database, "1/s"),
        Figure.alone("provider_memory_mb", max(paid.memory_mb, delivered.memory_mb), "MB"),
    ]


def _both(name: str, speed: Speed, peer: str, of_peer: float) -> list[Figure]:
    return [
        Figure.against(f"{name}_per_second", speed.per_second, "1/s", peer, of_peer),
        Figure.against(f"{name}_per_cpu_second", speed.per_cpu_second, "1/s", peer, of_peer),
    ]


def _new(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


if __name__ == "__main__":
    sys.exit(main())
