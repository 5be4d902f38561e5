"""Results for people: tables, colour on terminals, plain text in pipes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from psp_sim.domain.duration import format_duration
from scenarios.invariants import INVARIANTS
from scenarios.mutants import MUTANTS
from scenarios.report.story import Told, self_checks
from scenarios.scenario import Scenario
from scenarios.verdict import ScenarioResult, Verdict

PLAIN_WIDTH = 164
_STYLES = {Verdict.HELD: "green", Verdict.BROKEN: "bold red", Verdict.UNPROVEN: "yellow"}


def make_console(*, to_stderr: bool = False) -> Console:
    """Return a console: as wide as the terminal, or of a fixed width in a pipe."""
    console = _Console(stderr=to_stderr, highlight=False)
    return (
        console
        if console.is_terminal
        else _Console(stderr=to_stderr, highlight=False, width=PLAIN_WIDTH)
    )


class _Console(Console):
    """A console that tells of a pipe that was closed as any file does."""

    def on_broken_pipe(self) -> None:
        """Raise what is under way; by default the program would end with the status 1."""
        raise


@contextmanager
def progress(what: str, total: float) -> Iterator[Progress]:
    """Show a bar on a terminal while the body works; stay quiet in a pipe."""
    console = _Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        bar.add_task(what, total=total)
        yield bar


def show_hint(hint: str) -> None:
    """Tell at once, beside whatever is written, what seems not to be right."""
    make_console(to_stderr=True).print(Text(f"hint: {hint}", "yellow"), soft_wrap=True)


def show_results(console: Console, told: Told) -> None:
    """Print the table of scenarios, what broke or stayed unproven and why, and the sum."""
    results = told.results
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("verdict", no_wrap=True)
    table.add_column("scenario, and what it promises", max_width=94)
    table.add_column("faults that fired", max_width=32)
    table.add_column("checks", justify="right", no_wrap=True)
    table.add_column("simulated", justify="right", no_wrap=True)
    table.add_column("wall", justify="right", no_wrap=True)
    for result in results:
        table.add_row(
            _mark(result.verdict),
            Text(result.name, "bold").append(f"\n{result.summary}", "not bold dim"),
            _fired(result.faults_fired) or "none",
            str(sum(invariant.evaluated for invariant in result.invariants)),
            format_duration(result.simulated_s),
            format_duration(result.wall_s),
        )
    console.print(table)
    for result in results:
        _show_trouble(console, told, result)
    _show_invariants(console, results)
    _show_marks(console, told)
    _show_sum(console, told)


def show_list(console: Console, scenarios: Sequence[Scenario]) -> None:
    """Print every scenario with its promise, tags and the mutants that it must catch."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("scenario", "what is promised", "tags", "must catch"):
        table.add_column(heading)
    for scenario in scenarios:
        table.add_row(
            Text(scenario.name, style="bold"),
            scenario.summary,
            ", ".join(scenario.tags),
            ", ".join(scenario.catches),
        )
    console.print(table)
    console.print("Invariants, checked in every scenario:")
    for invariant in INVARIANTS.values():
        console.print(f"  [bold]{invariant.name}[/bold]  {invariant.promise}")
    console.print("\nMutants, shops that are broken on purpose:")
    for mutant in MUTANTS.values():
        console.print(f"  [bold]{mutant.name}[/bold] ({mutant.bug})  {mutant.summary}")


def _mark(verdict: Verdict) -> Text:
    return Text(verdict.value, _STYLES[verdict])


def _fired(fired: dict[str, int]) -> str:
    return ", ".join(f"{kind} ×{count}" for kind, count in fired.items())


def _show_trouble(console: Console, told: Told, result: ScenarioResult) -> None:
    for invariant in result.invariants:
        if invariant.verdict is Verdict.BROKEN:
            console.print(f"[bold red]✗ {result.name}[/bold red]: {invariant.name}")
            console.print(f"    {escape(invariant.message or '')}")
    for cause in told.causes.get(result.name, ()):
        console.print(f"    a known cause: {escape(cause)}", style="dim")
    if result.replay:
        console.print(f"    again: psp-scenarios replay {escape(result.replay)}")
    if result.verdict is not Verdict.HELD and result.reasons:
        console.print(f"[yellow]? {result.name}[/yellow]: {escape('; '.join(result.reasons))}")


def _show_invariants(console: Console, results: Sequence[ScenarioResult]) -> None:
    """Say what the verdicts mean: each promise, with how many cases could have broken it."""
    evaluated: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    for result in results:
        for checked in result.invariants:
            evaluated[checked.name] += checked.evaluated
            broken[checked.name] += checked.verdict is Verdict.BROKEN
    console.print("\nWhat was checked, from outside the shop:")
    judged = {checked.name for result in results for checked in result.invariants}
    for invariant in INVARIANTS.values():
        name = invariant.name
        if judged and name not in judged:
            console.print(f"  – {invariant.promise} [dim](cannot be seen on this target)[/dim]")
            continue
        if broken[name]:
            mark = "[bold red]✗[/bold red]"
        else:
            mark = "[green]✓[/green]" if evaluated[name] else "[yellow]?[/yellow]"
        console.print(f"  {mark} {invariant.promise} [dim]({evaluated[name]} cases)[/dim]")


def _show_marks(console: Console, told: Told) -> None:
    """Say what happened on the way, of what has to happen sometimes."""
    if not told.marks:
        return
    hit = sum(mark.count > 0 for mark in told.marks)
    if not told.is_whole:
        console.print(
            f"\n{hit} of {len(told.marks)} things that have to happen sometimes did; "
            "all of them must in the whole suite."
        )
        return
    console.print("\nWhat has to happen sometimes, and how often it did:")
    for mark in told.marks:
        sign = "[green]✓[/green]" if mark.count else "[yellow]?[/yellow]"
        console.print(f"  {sign} {mark.summary} [dim](×{mark.count})[/dim]")
    for doubt in told.doubts:
        console.print(f"[yellow]? the suite[/yellow]: {escape(doubt)}")


def _show_sum(console: Console, told: Told) -> None:
    results = told.results
    counts = Counter(result.verdict for result in results)
    fired: Counter[str] = Counter()
    for result in results:
        fired.update(result.faults_fired)
    runs = sum(result.runs for result in results)
    simulated_s = sum(result.simulated_s for result in results)
    kinds = sum(count > 0 for count in fired.values())
    verdict = told.verdict
    verdicts = ", ".join(f"{counts[each]} {each.value}" for each in Verdict if counts[each])
    console.print(
        f"\n[{_STYLES[verdict]}]{verdict.value}[/{_STYLES[verdict]}]: "
        f"{verdicts} of {len(results)} scenarios ({runs} runs, {told.seeds}); "
        f"{sum(fired.values())} faults of {kinds} kinds fired; "
        f"{format_duration(simulated_s)} of the world's time "
        f"in {format_duration(sum(result.wall_s for result in results))} of work"
    )
    if looked := self_checks(told):
        console.print(f"[dim]{looked}[/dim]")
