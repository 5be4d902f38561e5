"""The matrix for people: one sign per pair, what each invariant is good for, and the sum."""

from __future__ import annotations

from rich import box
from rich.columns import Columns
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scenarios.matrix import Matrix, MutantRow
from scenarios.report.matrix_signs import EXPLAINED, STYLES, Sign, sign_of

_BLOCK = 5


def show_matrix(console: Console, matrix: Matrix) -> None:
    """Print the whole table; in a narrow window, who caught whom as a list."""
    if _width(matrix) <= console.width and not matrix.named_only:
        _show_grid(console, matrix)
    else:
        _show_list(console, matrix)
    _show_invariants(console, matrix)
    _show_sum(console, matrix)


def _width(matrix: Matrix) -> int:
    names = max((len(row.name) + len(row.bug) for row in matrix.rows), default=0)
    return names + 12 + len(matrix.scenarios) + len(matrix.scenarios) // _BLOCK


def _show_grid(console: Console, matrix: Matrix) -> None:
    width = max((len(row.name) for row in matrix.rows), default=0)
    margin = " " * (width + 6)
    numbers = range(1, len(matrix.scenarios) + 1)
    tens = _blocks([str(n // 10 % 10) if n % 10 == 0 else " " for n in numbers])
    ones = _blocks([str(n % 10) for n in numbers])
    console.print(f"\n{margin}{tens}\n{margin}{ones}", style="dim")
    for row in matrix.rows:
        line = Text(f"{row.name:<{width}} ", "" if row.is_killed else "bold red")
        line.append(f"{row.bug:<5}", "dim")
        for number, scenario in enumerate(matrix.scenarios):
            sign = sign_of(row, scenario)
            line.append(" " if number and number % _BLOCK == 0 else "")
            line.append(sign.value, STYLES[sign])
        console.print(line, no_wrap=True)
    signs = ",  ".join(f"{sign.value} {said}" for sign, said in EXPLAINED.items())
    console.print(f"\n{signs}", style="dim")
    last = len(str(len(matrix.scenarios)))
    named = [
        f"{number:>{last}} {name}" for number, name in zip(numbers, matrix.scenarios, strict=True)
    ]
    console.print(Columns(named, equal=True, column_first=True), style="dim")


def _blocks(signs: list[str]) -> str:
    return " ".join(
        "".join(signs[begin : begin + _BLOCK]) for begin in range(0, len(signs), _BLOCK)
    )


def _show_list(console: Console, matrix: Matrix) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("mutant", "bug", "", "caught by (● = must)"):
        table.add_column(heading)
    for row in matrix.rows:
        mark = Text("killed", "green") if row.is_killed else Text("survived", "bold red")
        table.add_row(row.name, row.bug, mark, ", ".join(_caught(row)) or "nothing")
    console.print(table)


def _caught(row: MutantRow) -> list[str]:
    missed = [f"{Sign.MISSED.value} {name} did not catch it" for name in row.missed_by]
    caught = [
        f"{Sign.KILLED.value} {name}" if name in row.expected_by else name for name in row.killed_by
    ]
    return [*missed, *caught]


def _show_invariants(console: Console, matrix: Matrix) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("invariant")
    table.add_column("kills", justify="right")
    table.add_column("without it these would live on")
    for row in matrix.invariants:
        table.add_row(row.name, str(len(row.kills)), ", ".join(row.only_killer_of) or "–")
    console.print(table)


def _show_sum(console: Console, matrix: Matrix) -> None:
    for row in matrix.rows:
        if not row.is_killed:
            why = ", ".join(_caught(row)) if row.expected_by else "no scenario names it"
            console.print(f"[bold red]survived: {row.name}[/bold red] ({why})")
    killed = len(matrix.rows) - len(matrix.survivors)
    pairs = "named pairs" if matrix.named_only else "pairs"
    console.print(
        f"{killed} of {len(matrix.rows)} mutants killed by {len(matrix.scenarios)} scenarios "
        f"({sum(len(row.cells) for row in matrix.rows)} {pairs}); "
        f"false alarms on the correct shop: {', '.join(matrix.false_alarms) or 'none'}"
    )
    if matrix.unproven:
        console.print(f"unproven on the correct shop: {', '.join(matrix.unproven)}", style="yellow")
