"""Which broken shops a search finds that is not told where to look, and after how many plans."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figure import Figure
from scenarios.commands.explore import RUNS
from scenarios.mutants import MUTANTS
from scenarios.search.explore import Budget, Failure, Search, search
from scenarios.search.workers import cores


def reach_figures() -> list[Figure]:
    """Search each broken shop until the first failure; print a row of a table for each."""
    print("| shop | found by plan | of the part | broke | faults | after shrinking |")
    print("|---|---|---|---|---|---|")
    found = 0
    for name in MUTANTS:
        done = search(name, 1, Budget(RUNS, first=True), cores(), None, lambda _: None)
        found += bool(done.failures)
        print("| " + " | ".join(_row(name, done)) + " |", flush=True)
    return [
        Figure.alone("mutants_found", found, ""),
        Figure.alone("mutants_searched", len(MUTANTS), ""),
    ]


def _row(name: str, done: Search) -> Iterator[str]:
    yield f"`{name}`"
    if not done.failures:
        yield from (f"not by {done.runs}", "", "", "", "")
        return
    first = done.failures[0]
    yield from (str(first.run), first.tier, f"`{first.invariant}`", str(len(first.found.faults)))
    yield _left(first)


def _left(failure: Failure) -> str:
    assert failure.shrunk is not None, "a search shrinks what it finds"
    kinds = [str(fault["kind"]) for fault in failure.shrunk.plan.faults]
    return f"{len(kinds)}: {', '.join(kinds)}" if kinds else "0"
