"""The harness: runs per second in virtual time, three days of retries, the suite, the help text."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure

_ONE_ORDER = """
summary = "One order, and nothing goes wrong."
tags = ["benchmark"]
invariants = ["every_capture_is_fulfilled", "fulfilled_at_most_once"]
orders = 1
"""


def harness_figures(folder: Path) -> list[Figure]:
    """Measure what people wait for."""
    file = folder / "one_order.toml"
    file.write_text(_ONE_ORDER, encoding="utf-8")
    one_order = _play(str(file), "--seeds", "1..100")
    ladder = _play("three_day_ladder", "--seeds", "1..10")
    suite_s = _lasting("run", "--seed", "1")
    help_ms = min(_lasting("--help") for _ in range(3)) * 1000
    runs, wall_s = one_order["runs"], one_order["wall_seconds"]
    ladder_ms = ladder["wall_seconds"] * 1000 / ladder["runs"]
    return [
        Figure.alone("one_order_runs_per_second", runs / wall_s, "1/s"),
        Figure.alone("three_day_ladder_ms", ladder_ms, "ms"),
        Figure.alone("suite_seconds", suite_s, "s"),
        Figure.alone("help_ms", help_ms, "ms"),
    ]


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
