"""What a probe found: a table for people, JSON and JUnit for machines."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scenarios.probe.check import Checked, Finding, Probed
from scenarios.report.junit import Case, Suite

_STYLES = {Finding.PASS: "green", Finding.FAIL: "bold red", Finding.UNKNOWN: "yellow"}


def show_probed(console: Console, probed: Probed) -> None:
    """Print the table, how to fix what failed, and the sum."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("verdict", no_wrap=True)
    table.add_column("check, and why it matters", max_width=84)
    table.add_column("expected", max_width=28)
    table.add_column("got", max_width=40)
    for each in probed.checks:
        table.add_row(
            Text(each.finding.value, _STYLES[each.finding]),
            Text(each.check.name, "bold").append(f"\n{each.check.why}", "not bold dim"),
            Text(each.check.expected),
            Text(each.got),
        )
    console.print(table)
    failed = [each for each in probed.checks if each.finding is Finding.FAIL]
    if failed:
        console.print("How to fix it:")
    for each in failed:
        console.print(Text("  ✗ ", "bold red").append(each.check.name, "bold"))
        console.print(Text(f"    {each.check.fix}"))
    for name, reason in probed.left_out.items():
        console.print(Text(f"left out: {name}, since {reason}", "dim"))
    console.print(Text(f"\n{_sum(probed)}"))


def _sum(probed: Probed) -> str:
    counts = {finding: _count(probed, finding) for finding in Finding}
    shown = ", ".join(f"{n} {finding.value}" for finding, n in counts.items() if n)
    return (
        f"{shown} of {len(probed.checks)} checks on {probed.url} ({probed.dialect}); "
        f"score {probed.score} of 100; {probed.calls} calls"
    )


def _count(probed: Probed, finding: Finding) -> int:
    return sum(each.finding is finding for each in probed.checks)


def probe_document(probed: Probed) -> dict[str, Any]:
    """Return the result of ``probe``."""
    return {
        "url": probed.url,
        "dialect": probed.dialect,
        "checks": [
            {
                "name": each.check.name,
                "verdict": each.finding,
                "expected": each.check.expected,
                "got": each.got,
                "why": each.check.why,
                "fix": each.check.fix,
            }
            for each in probed.checks
        ],
        "score": probed.score,
        "left_out": probed.left_out,
        "calls": probed.calls,
    }


def probe_suite(probed: Probed) -> Suite:
    """Return the checks as a suite of JUnit; one that stays unknown counts as skipped."""
    return Suite(f"probe {probed.url}", [_case(each) for each in probed.checks])


def _case(each: Checked) -> Case:
    if each.finding is Finding.UNKNOWN:
        return Case(each.check.name, skipped=each.got)
    if each.finding is Finding.PASS:
        return Case(each.check.name)
    message = f"expected {each.check.expected}, got {each.got}"
    return Case(each.check.name, failure=message, details=f"{each.check.why}\n{each.check.fix}")
