"""The comparison on a terminal: one table per weather, what differs and why, what to choose."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scenarios.comparison.advice import advice, live_check
from scenarios.comparison.compare import Result
from scenarios.comparison.document import by_weather
from scenarios.comparison.ranking import dominated_by

HEADINGS = (
    "strategy",
    "requests / payment\nmeasured  predicted",
    "useful wasted  304 failed\nper payment",
    "held\nmean",
    "staleness, mean\nmeasured  predicted",
    "p50",
    "p95",
    "p99",
    "max",
    "open",
    "API/s\nmean peak",
)


LEGEND = (
    "times in seconds; ★ no other strategy is both cheaper and no later; ≠ differs from the model "
    "by more than three standard errors; open: not learnt after a day"
)


def show_comparison(
    console: Console, results: Sequence[Result], live: Sequence[Result], title: str
) -> None:
    """Print everything that the figures say, and what to choose.

    A star marks what no other strategy dominates; a small live run gives none.
    """
    _show_tables(console, results, f"{title}, in virtual time", has_stars=True)
    if live:
        _show_tables(console, live, f"{title}, over real HTTP", has_stars=False)
    console.print(f"\n[bold]What to choose[/bold]: {advice(results)}")
    if live:
        console.print(live_check(results, live))
    console.print(f"[dim]{LEGEND}[/dim]")


def _show_tables(
    console: Console, results: Sequence[Result], title: str, *, has_stars: bool
) -> None:
    for weather, of_weather in by_weather(results).items():
        console.print(f"\n[bold]{weather}[/bold]: {title}")
        console.print(Text(of_weather[0].weather.meaning))
        console.print(_table(of_weather, has_stars=has_stars))
        for result in of_weather:
            for d in result.differences:
                console.print(
                    f"  [yellow]≠[/yellow] {result.strategy.name}: {d.figure} "
                    f"{seconds(d.measured)}, predicted {seconds(d.predicted)}: {d.why}"
                )


def _table(results: Sequence[Result], *, has_stars: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    dominated = dominated_by(results)
    for n, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="right" if n else "left", no_wrap=True)
    for result in results:
        m, p = result.measured, result.predicted
        name = result.strategy.name
        mark = " ★" if has_stars and not dominated[name] else ""
        table.add_row(
            Text(name + mark, "bold" if mark else ""),
            f"{m.requests.total:.2f}  {p.requests_per_payment:.2f}",
            f"{m.requests.useful:.2f} {m.requests.wasted:.2f} {m.requests.not_modified:.2f} "
            f"{m.requests.failed:.2f}",
            f"{m.held_mean:.1f}",
            f"{seconds(m.staleness.mean)}  {seconds(p.staleness.mean)}",
            *(seconds(getattr(m.staleness, key)) for key in ("p50", "p95", "p99", "max")),
            Text(str(m.unresolved), "bold red" if m.unresolved else "green"),
            f"{m.api_per_second:.2f} {m.api_per_second_peak:.2f}",
        )
    return table


def seconds(value: float) -> str:
    """Write with as many digits as say something."""
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:,.0f}"
