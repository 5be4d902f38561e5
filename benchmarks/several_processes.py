"""A backlog on PostgreSQL, delivered by one process, and by two that share it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.processes import running
from benchmarks.provider_speed import KEY, Bench, backlog_speed
from benchmarks.watch import Speed
from tests.postgres_server import PostgresServer, postgres_server


async def measured(folder: Path, payments: int) -> list[Figure]:
    """Measure both, on databases of their own on one server."""
    with postgres_server() as server:
        one = await _speed(server, folder, 1, payments)
        two = await _speed(server, folder, 2, payments)
    return [
        Figure.alone("postgres_deliveries_per_second_1_process", one.per_second, "1/s"),
        Figure.against(
            "postgres_deliveries_per_second_2_processes",
            two.per_second,
            "1/s",
            "one delivery process",
            one.per_second,
        ),
    ]


async def _speed(server: PostgresServer, folder: Path, processes: int, payments: int) -> Speed:
    mine = folder / f"postgres_{processes}"
    mine.mkdir()
    database = server.make_namespace()
    command = ["psp_sim", "serve", "--port", "0", "--quiet", "--database", database]
    with ExitStack() as stack:
        bench = Bench(stack, mine, "--settle-after", "0s", "--role", "api", database=database)
        for _ in range(processes):
            role = [*command, "--role", "delivery"]
            settings = {"PSP_API_KEY": KEY}
            bench.helpers.append(stack.enter_context(running(role, mine, settings=settings)))
        return await backlog_speed(bench, payments)
