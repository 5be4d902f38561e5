"""The harness: runs per second in virtual time, three days of retries, the suite, the help text."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure

_CALM = """
summary = "Orders, and nothing goes wrong."
tags = ["benchmark"]
invariants = ["every_capture_is_fulfilled", "fulfilled_at_most_once"]
orders = {orders}
"""
# How many orders, and with how many seeds.
_GROWTH = ((1, 100), (2, 60), (5, 30), (10, 15), (100, 2), (1000, 1))


def harness_figures(folder: Path) -> list[Figure]:
    """Measure what people wait for."""
    seconds = {orders: _seconds(folder, orders, seeds) for orders, seeds in _GROWTH}
    ladder = _play("three_day_ladder", "--seeds", "1..10")
    suite_s = _lasting("run", "--seed", "1")
    help_ms = min(_lasting("--help") for _ in range(3)) * 1000
    ladder_ms = ladder["wall_seconds"] * 1000 / ladder["runs"]
    return [
        Figure.alone("one_order_runs_per_second", 1 / seconds[1], "1/s"),
        Figure.alone("two_order_runs_per_second", 1 / seconds[2], "1/s"),
        Figure.alone("five_order_runs_per_second", 1 / seconds[5], "1/s"),
        *(
            Figure.alone(f"growth_{orders}_orders_ms_per_order", run_s * 1000 / orders, "ms")
            for orders, run_s in seconds.items()
        ),
        Figure.alone("three_day_ladder_ms", ladder_ms, "ms"),
        Figure.alone("suite_seconds", suite_s, "s"),
        Figure.alone("help_ms", help_ms, "ms"),
    ]


def _seconds(folder: Path, orders: int, seeds: int) -> float:
    """Return how long a run of so many orders takes."""
    file = folder / f"{orders}_orders.toml"
    file.write_text(_CALM.format(orders=orders), encoding="utf-8")
    done = _play(str(file), "--seeds", f"1..{seeds}")
    return float(done["wall_seconds"] / done["runs"])


def _play(*arguments: str) -> dict[str, Any]:
    done = _scenarios("run", *arguments, "--jobs", "1", "--json", "-")
    scenario: dict[str, Any] = json.loads(done.stdout)["scenarios"][0]
    return scenario


def _lasting(*arguments: str) -> float:
    started_at = time.perf_counter()
    _scenarios(*arguments)
    return time.perf_counter() - started_at


def _scenarios(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scenarios", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True)
