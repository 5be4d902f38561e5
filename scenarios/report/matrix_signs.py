"""One sign for each pair of a mutant and a scenario, the same on a terminal and on a page."""

from __future__ import annotations

from enum import StrEnum

from scenarios.matrix import MutantRow
from scenarios.verdict import Verdict


class Sign(StrEnum):
    """What a pair came to."""

    KILLED = "●"
    BY_CHANCE = "○"
    MISSED = "✗"
    UNPROVEN = "?"
    HELD = "·"
    NOT_PLAYED = " "


EXPLAINED = {
    Sign.KILLED: "caught, as the scenario says it must",
    Sign.BY_CHANCE: "caught as well",
    Sign.MISSED: "not caught, though the scenario says it must",
    Sign.UNPROVEN: "nothing was proven",
    Sign.HELD: "every promise held",
}
STYLES = {
    Sign.KILLED: "green",
    Sign.BY_CHANCE: "green",
    Sign.MISSED: "bold red",
    Sign.UNPROVEN: "yellow",
    Sign.HELD: "dim",
    Sign.NOT_PLAYED: "",
}


def sign_of(row: MutantRow, scenario: str) -> Sign:
    """Return the sign of one pair."""
    cell = row.cells.get(scenario)
    if cell is None:
        return Sign.NOT_PLAYED
    is_named = scenario in row.expected_by
    if cell.is_broken:
        return Sign.KILLED if is_named else Sign.BY_CHANCE
    if is_named:
        return Sign.MISSED
    return Sign.UNPROVEN if cell.verdict is Verdict.UNPROVEN else Sign.HELD
