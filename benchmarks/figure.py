"""A figure beside what it is compared with; many of them as a table, a file and a history."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

HISTORY = Path(os.environ.get("XDG_STATE_HOME", Path.home() / ".local/state")) / "psp-sim"


@dataclass(frozen=True)
class Figure:
    """One result. ``peer`` names what the ratio is to, measured in the same run."""

    name: str
    value: float
    unit: str
    peer: str | None = None
    ratio: float | None = None

    @classmethod
    def against(cls, name: str, value: float, unit: str, peer: str, of_peer: float) -> Figure:
        """Return a figure with its ratio to the peer's."""
        return cls(name, round(value, 2), unit, peer, round(value / of_peer, 3))

    @classmethod
    def alone(cls, name: str, value: float, unit: str) -> Figure:
        """Return a figure that nothing is compared with."""
        return cls(name, round(value, 2), unit)


def show(figures: Sequence[Figure]) -> None:
    """Print a table."""
    table = Table(box=None, pad_edge=False)
    for heading, side in (("figure", "left"), ("value", "right"), ("unit", "left")):
        table.add_column(heading, justify="right" if side == "right" else "left")
    table.add_column("ratio", justify="right")
    table.add_column("to")
    for each in figures:
        ratio = "" if each.ratio is None else f"{each.ratio:.3g}"
        table.add_row(each.name, f"{each.value:,.4g}", each.unit, ratio, each.peer or "")
    Console().print(table)


def keep(figures: Sequence[Figure], path: Path) -> Path:
    """Write the file, and add a line to the history, which outlives the checkout; return that."""
    documents = [asdict(each) for each in figures]
    path.write_text(json.dumps(documents, indent=1) + "\n", encoding="utf-8")
    HISTORY.mkdir(parents=True, exist_ok=True)
    line = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": _commit(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
        "figures": documents,
    }
    history = HISTORY / "bench-history.jsonl"
    with history.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    return history


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
