"""Some runs are played twice: the same seed has to give the same trace, to the byte."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from scenarios.world.randomness import keyed_fraction

SHARE = 0.05
SHOWN_CHARACTERS_MAX = 160


@dataclass(frozen=True, slots=True)
class SecondLook:
    """That a run was played twice, and where the two parted, or None."""

    difference: str | None


def chosen(runs: Sequence[tuple[str, int]]) -> list[int]:
    """Return which of these runs (scenario, seed) to play twice: 5 %, at least one.

    The choice follows from the runs alone, so the same command looks at the same ones again.
    """
    if not runs:
        return []
    seed = runs[0][1]
    by_chance = sorted(
        range(len(runs)), key=lambda n: keyed_fraction(seed, "second look", *runs[n])
    )
    return sorted(by_chance[: max(1, round(SHARE * len(runs)))])


def difference(first: Sequence[str], second: Sequence[str]) -> str | None:
    """Say where two traces part, or None if they are equal."""
    for number, (one, other) in enumerate(zip_longest(first, second), start=1):
        if one != other:
            return (
                f"the same seed gave another run when it was played again: line {number} of the "
                f"trace was {_shown(one, other)} and then {_shown(other, one)}"
            )
    return None


def _shown(line: str | None, other: str | None) -> str:
    """Return a line from a little before the place where it parts from the other."""
    if line is None:
        return "its end"
    parts = [n for n, (a, b) in enumerate(zip(line, other or "", strict=False)) if a != b]
    at = parts[0] if parts else min(len(line), len(other or ""))
    begin = max(0, min(at - SHOWN_CHARACTERS_MAX // 2, len(line) - SHOWN_CHARACTERS_MAX))
    end = begin + SHOWN_CHARACTERS_MAX
    return f"{'…' if begin else ''}{line[begin:end]}{'…' if end < len(line) else ''}"
