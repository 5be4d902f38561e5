"""The result of a search, for people and as JSON; the keys are a contract that only grows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from psp_sim.domain.duration import format_duration
from scenarios.report.diagram_text import text_diagram
from scenarios.search.explore import Failure, Search
from scenarios.search.write_failure import Written


def explore_document(search: Search, written: Sequence[Written]) -> dict[str, Any]:
    """Return the result of ``explore``."""
    return {
        "shop": search.shop,
        "seed": search.seed,
        "runs": search.runs,
        "wall_seconds": round(search.wall_s, 3),
        "runs_per_second": round(search.runs_per_second, 1),
        "simulated_years_per_second": round(search.years_per_second, 4),
        "stopped": search.stopped,
        "broken_plans": search.broken_plans,
        "idle_plans": search.idle_plans,
        "tiers": [
            {
                "name": tier.name,
                "space": tier.space,
                "runs": tier.played,
                "exhaustive": tier.space is not None and not tier.drawn
                and tier.played >= tier.space,
                "covered": tier.covered,
            }
            for tier in search.tiers
        ],
        "faults_fired_in_plans": dict(sorted(search.fired.items())),
        "evaluated": dict(search.evaluated),
        "failures": [
            _failure(failure, files)
            for failure, files in zip(search.failures, written, strict=True)
        ],
    }  # fmt: skip


def show_search(console: Console, search: Search, written: Sequence[Written]) -> None:
    """Print each failure with its story and diagram, then what was covered."""
    for failure, files in zip(search.failures, written, strict=True):
        _show_failure(console, failure, files, stopped=search.stopped)
    if search.stopped:
        console.print("\n[bold yellow]stopped[/bold yellow] before its end: what it did until then")
    console.print(f"\nplayed on the shop [bold]{search.shop}[/bold], seed {search.seed}:")
    for tier in search.tiers:
        console.print(f"  {tier.name}: {tier.covered}")
    if search.idle_plans:
        console.print(f"  in {search.idle_plans} of the plans no fault found its moment")
    speed = f"{search.runs_per_second:.0f} plans a second"
    console.print(
        f"{search.runs} plans in {format_duration(search.wall_s)} ({speed}, "
        f"{format_duration(search.simulated_s)} of the world's time), "
        f"faults of {sum(count > 0 for count in search.fired.values())} kinds fired"
    )
    if search.failures:
        console.print(
            f"[bold red]broken[/bold red]: {search.broken_plans} plans broke "
            f"{len(search.failures)} promises"
        )
    else:
        console.print("[green]no plan of these broke a promise[/green]; others may")


def _show_failure(console: Console, failure: Failure, files: Written, *, stopped: bool) -> None:
    shrunk = failure.shrunk
    assert shrunk is not None, "a search ends with its failures shrunk"
    before, after = len(failure.found.faults), len(shrunk.plan.faults)
    why_not = "the search was stopped" if stopped else "that takes more time: --shrink-for"
    console.print(f"\n[bold red]✗ {failure.invariant}[/bold red]", end="")
    console.print(
        f"  found by plan {failure.run} ({failure.tier}), broken by {failure.plans}; "
        f"shrunk from {before} faults to {after} in {shrunk.runs} runs"
        f"{'' if shrunk.is_done else f'; not fully shrunk, since {why_not}'}"
    )
    for sentence in files.story.sentences:
        console.print(f"    {escape(sentence)}")
    for line in text_diagram(files.story.steps):
        console.print(f"    {escape(line)}", no_wrap=True, crop=False, overflow="ignore")
    if files.replay is not None:
        console.print(f"    again: psp-scenarios replay {escape(str(files.replay))}")


def _failure(failure: Failure, files: Written) -> dict[str, Any]:
    shrunk = failure.shrunk
    assert shrunk is not None, "a search ends with its failures shrunk"
    return {
        "invariant": failure.invariant,
        "message": shrunk.outcome.broken.get(failure.invariant),
        "found_by": {"run": failure.run, "tier": failure.tier},
        "broken_plans": failure.plans,
        "faults_before": len(failure.found.faults),
        "faults_after": len(shrunk.plan.faults),
        "shrinking_runs": shrunk.runs,
        "fully_shrunk": shrunk.is_done,
        "plan": shrunk.plan.document,
        "replay": None if files.replay is None else str(files.replay),
        "story": files.story.text,
    }
