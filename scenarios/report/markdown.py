"""The result of a run as Markdown, for a CI job's summary: verdicts, stories, Mermaid diagrams."""

from __future__ import annotations

import re
from collections import Counter

from psp_sim.domain.duration import format_duration
from scenarios.invariants import INVARIANTS
from scenarios.report.diagram_mermaid import mermaid_diagram
from scenarios.report.story import Told, order_stories, replay_command, self_checks, sentences
from scenarios.run_suite import is_external
from scenarios.verdict import ScenarioResult, Verdict

_MARKS = {Verdict.HELD: "✓ held", Verdict.BROKEN: "✗ broken", Verdict.UNPROVEN: "? unproven"}
# Forges stop rendering a summary at a size of about a megabyte; diagrams are what is large.
DIAGRAMS_MAX = 10
STEPS_MAX = 30
_MARKUP = re.compile(r"[\\`*\[\]<>#|~&]|(?<!\w)_|_(?!\w)")


def markdown_report(told: Told) -> str:
    """Return the whole text."""
    verdict = told.verdict
    counts = Counter(result.verdict for result in told.results)
    said = ", ".join(f"{counts[each]} {each.value}" for each in Verdict if counts[each])
    who = "Your own service" if is_external(told.target) else f"Shop `{told.shop}`"
    lines = [
        f"# {_MARKS[verdict]}: {said} of {len(told.results)} scenarios",
        "",
        f"{who}, {told.seeds}, target `{told.target}`. {self_checks(told)}".rstrip(),
        "",
    ]
    troubled = [result for result in told.results if result.verdict is not Verdict.HELD]
    for number, result in enumerate(troubled):
        lines += _story(told, result, has_diagram=number < DIAGRAMS_MAX)
    lines += [f"- The suite proves less than it should: {_cell(doubt)}." for doubt in told.doubts]
    lines += [""] * bool(told.doubts)
    return "\n".join([*lines, *_promises(told), *_marks(told), *_scenarios(told)]) + "\n"


def _story(told: Told, result: ScenarioResult, *, has_diagram: bool) -> list[str]:
    lines = [
        f"## {_MARKS[result.verdict]}: {_name(result.name)}",
        "",
        f"*{_cell(result.summary)}*",
        "",
    ]
    lines += [f"- {_cell(sentence)}" for sentence in sentences(told, result)]
    lines += ["", "```sh", replay_command(told, result), "```", ""]
    stories = order_stories(result) if has_diagram else []
    for story in stories[:1]:
        lines += [f"What happened to order {story.number}:", "", "```mermaid"]
        lines += [mermaid_diagram(story.steps[:STEPS_MAX]).rstrip(), "```", ""]
    return lines


def _promises(told: Told) -> list[str]:
    lines = ["## What was promised", "", "| | promise | cases |", "|---|---|---:|"]
    for invariant in INVARIANTS.values():
        found = [i for r in told.results for i in r.invariants if i.name == invariant.name]
        cases = sum(each.evaluated for each in found)
        is_broken = any(each.verdict is Verdict.BROKEN for each in found)
        mark = "✗" if is_broken else "✓" if cases else "?" if found else "–"
        seen = cases if found else "cannot be seen here"
        lines.append(f"| {mark} | {_cell(invariant.promise)} | {seen} |")
    return [*lines, ""]


def _marks(told: Told) -> list[str]:
    if not told.marks:
        return []
    rows = [
        f"| {'✓' if mark.count else '?' if told.is_whole else '–'} | {_cell(mark.summary)} "
        f"| {mark.count} |"
        for mark in told.marks
    ]
    hit = sum(mark.count > 0 for mark in told.marks)
    return [
        f"<details><summary>{hit} of {len(told.marks)} things that have to happen sometimes "
        "did</summary>",
        "",
        "| | what | times |",
        "|---|---|---:|",
        *rows,
        "",
        "</details>",
        "",
    ]


def _scenarios(told: Told) -> list[str]:
    lines = [
        "<details><summary>All scenarios</summary>",
        "",
        "| verdict | scenario | faults that fired | cases | simulated |",
        "|---|---|---|---:|---:|",
    ]
    for result in told.results:
        fired = ", ".join(f"{kind} ×{n}" for kind, n in result.faults_fired.items()) or "none"
        cases = sum(each.evaluated for each in result.invariants)
        simulated = format_duration(result.simulated_s)
        name = f"**{_name(result.name)}**<br>{_cell(result.summary)}"
        lines.append(f"| {_MARKS[result.verdict]} | {name} | {fired} | {cases} | {simulated} |")
    left_out = [f"- left out: **{_name(n)}**, since {_cell(r)}" for n, r in told.left_out.items()]
    return [*lines, "", *left_out, "", "</details>"]


def _name(name: str) -> str:
    """Escape what Markdown would take for markup; an underscore within a word is none."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(name.split("\n")))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
