"""A program whose processes compute without end, which they say in files of a folder."""

from __future__ import annotations

import sys
from pathlib import Path

from scenarios.run_on_processes import on_processes


def compute_for_ever(told: Path) -> None:
    """Say in a file that the work has begun, and never come to an end."""
    told.touch()
    while True:
        pass


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    try:
        with on_processes(compute_for_ever, 2) as run_all:
            list(run_all(folder / name for name in ("one", "two", "three")))
    except KeyboardInterrupt:
        sys.exit(130)
