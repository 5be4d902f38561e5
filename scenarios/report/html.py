"""The result of a run as one HTML file that needs nothing else: no script, no font, no network."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from importlib import resources
from importlib.metadata import version
from urllib.parse import quote

from psp_sim.domain.duration import format_duration
from scenarios.invariants import INVARIANTS
from scenarios.report.diagram_svg import svg_diagram
from scenarios.report.overview_html import overview, promise_id
from scenarios.report.plots import answering_plot, shipping_plot, timeline_plot
from scenarios.report.story import (
    Beside,
    OrderStory,
    Told,
    order_stories,
    replay_command,
    self_checks,
    sentences,
)
from scenarios.run_suite import is_external
from scenarios.verdict import InvariantResult, ScenarioResult, Verdict

MARKS = {Verdict.HELD: "✓ held", Verdict.BROKEN: "✗ broken", Verdict.UNPROVEN: "? unproven"}
NOT_SEEN = '<span class="soft">cannot be seen here</span>'
HAPPENED = '<span class="mark held">✓ happened</span>'
# So many are told at once; the others unfold.
OPEN_STORIES = 5
# Colour and shape of what the timelines show.
_LEGEND = (
    ("good", '<circle class="good" cx="8" cy="8" r="4"/>', "webhook accepted"),
    ("bad", '<path class="bad" d="M8 3 l5 9 h-10 z"/>', "webhook refused"),
    ("lost", '<path class="lost" d="M4 4 L12 12 M4 12 L12 4"/>', "webhook without an answer"),
    ("shop", '<circle class="shop" cx="8" cy="8" r="4"/>', "status that a customer sees"),
    ("ship", '<rect class="ship" x="4" y="4" width="8" height="8"/>', "goods leave"),
)


def html_report(told: Told, beside: Beside | None = None) -> str:
    """Return the whole page; ``beside`` is what lies in one folder with it."""
    style = (resources.files("scenarios.report") / "report.css").read_text(encoding="utf-8")
    verdict = told.verdict
    troubled = [result for result in told.results if result.verdict is not Verdict.HELD]
    body = [
        _head(told, verdict, beside),
        overview(troubled),
        *(
            _story(told, result, beside, is_open=number < OPEN_STORIES)
            for number, result in enumerate(troubled)
        ),
        _promises(told.results),
        _marks(told),
        _scenarios(told, beside),
        _plots(told.results),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{verdict.value}: {len(told.results)} scenarios</title>\n"
        f"<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )


def _head(told: Told, verdict: Verdict, beside: Beside | None) -> str:
    counts = Counter(result.verdict for result in told.results)
    shares = "".join(
        f'<span class="{each.value}" style="flex:{counts[each]}"></span>'
        for each in (Verdict.BROKEN, Verdict.UNPROVEN, Verdict.HELD)
        if counts[each]
    )
    said = ", ".join(f"{counts[each]} {each.value}" for each in Verdict if counts[each])
    fired = sum(sum(result.faults_fired.values()) for result in told.results)
    world_s = sum(result.simulated_s for result in told.results)
    where = {"sim": "in virtual time", "live": "over real HTTP"}.get(
        told.target, f"the service of {told.target}"
    )
    who = "" if is_external(told.target) else f"shop <b>{escape(told.shop)}</b>, "
    return (
        f'<header><h1><span class="{verdict.value}">{MARKS[verdict]}</span></h1>'
        f"<p>{said} of {len(told.results)} scenarios: {who}{escape(told.seeds)}, "
        f"{escape(where)}.</p>"
        f'<div class="bar" role="img" aria-label="{said}">{shares}</div>'
        f'<p class="soft">{fired} faults fired in {format_duration(world_s)} of the world’s '
        f"time. {self_checks(told)}</p>"
        f'<p class="soft">{_made_by(beside)}.</p>'
        + "".join(f'<p class="unproven">Not proven: {escape(each)}.</p>' for each in told.doubts)
        + "</header>"
    )


def _made_by(beside: Beside | None) -> str:
    made = f"psp-scenarios {version('psp-scenarios')}"
    return made if beside is None else f"{made}, {beside.made}"


def _story(told: Told, result: ScenarioResult, beside: Beside | None, *, is_open: bool) -> str:
    """Tell a failure; after the first few it is folded, for there is an overview on top."""
    text = "".join(f"<p>{escape(line)}</p>" for line in sentences(told, result))
    stories = order_stories(result)
    first = "".join(_order(result, each) for each in stories[:1])
    rest = stories[1:]
    more = "".join(_folded(f"Order {o.number}, step by step", _order(result, o)) for o in rest)
    attributes = f'class="story {result.verdict.value}" id="{escape(result.name)}"'
    title = (
        f'<h3><span class="mark {result.verdict.value}">{MARKS[result.verdict]}</span> '
        f"{escape(result.name)}</h3>"
    )
    content = (
        f'<p class="soft">{escape(result.summary)}</p>{text}'
        f"{_again(told, result, beside)}{first}{more}"
    )
    if is_open:
        return f"<section {attributes}>{title}{content}</section>"
    return f"<details {attributes}><summary>{title}</summary>{content}</details>"


def _again(told: Told, result: ScenarioResult, beside: Beside | None) -> str:
    command = escape(_command(told, result, beside))
    if beside is None or result.name not in beside.replays:
        return f"<p>Play it again:</p><pre>{command}</pre>"
    file = beside.replays[result.name]
    # A colon in a name would make the first part of it a scheme.
    link = f"./{quote(os.fsencode(file))}"
    return (
        f'<p>Play it again, with the file <a href="{link}">{escape(file)}</a> beside this page:</p>'
        f"<pre>{command}</pre>"
    )


def _command(told: Told, result: ScenarioResult, beside: Beside | None) -> str:
    if beside is None or result.name not in beside.replays:
        return replay_command(told, result)
    return replay_command(told, replace(result, replay=beside.replays[result.name]))


def _order(result: ScenarioResult, story: OrderStory) -> str:
    title = f"{result.name}: order {story.number}, {story.id}"
    return f'<div class="wide">{svg_diagram(story.steps, title)}</div>'


def _folded(name: str, content: str) -> str:
    return f'<details class="inner"><summary>{escape(name)}</summary>{content}</details>'


def _promises(results: Sequence[ScenarioResult]) -> str:
    rows = []
    for invariant in INVARIANTS.values():
        found = [each for r in results for each in r.invariants if each.name == invariant.name]
        broken_in = [
            r.name
            for r in results
            if any(i.name == invariant.name and i.verdict is Verdict.BROKEN for i in r.invariants)
        ]
        cases = sum(each.evaluated for each in found)
        verdict = Verdict.BROKEN if broken_in else Verdict.HELD if cases else Verdict.UNPROVEN
        links = ", ".join(f'<a href="#{escape(n)}">{escape(n)}</a>' for n in broken_in)
        mark = f'<span class="mark {verdict.value}">{MARKS[verdict]}</span>' if found else NOT_SEEN
        rows.append(
            f'<tr id="{promise_id(invariant.name)}"><td>{mark}</td>'
            f"<td>{escape(invariant.promise)}"
            f'<br><span class="soft"><code>{invariant.name}</code></span></td>'
            f'<td>{links or "–"}</td><td class="number">{cases}</td></tr>'
        )
    return (
        '<h2>What was promised</h2><div class="wide"><table><thead><tr><th>verdict</th>'
        '<th>promise</th><th>broken in</th><th class="number">cases</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _marks(told: Told) -> str:
    if not told.marks:
        return ""
    missing = '<span class="mark unproven">? never</span>' if told.is_whole else "–"
    rows = "".join(
        f"<tr><td>{HAPPENED if mark.count else missing}</td><td>{escape(mark.summary)}"
        f'<br><span class="soft"><code>{mark.name}</code></span></td>'
        f'<td class="number">{mark.count}</td></tr>'
        for mark in told.marks
    )
    hit = sum(mark.count > 0 for mark in told.marks)
    return (
        "<h2>What has to happen sometimes</h2>"
        '<p class="soft">A fault that fired need not have hurt anybody. These are the situations '
        f"for which the faults are there: {hit} of {len(told.marks)} came about.</p>"
        '<div class="wide"><table><thead><tr><th></th><th>it happened that</th>'
        f'<th class="number">times</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _scenarios(told: Told, beside: Beside | None) -> str:
    return (
        f"<h2>What was played</h2>{_legend()}"
        + "".join(_scenario(told, result, beside) for result in told.results)
        + "".join(
            f'<p class="soft">Left out: <b>{escape(name)}</b>, since {escape(reason)}.</p>'
            for name, reason in told.left_out.items()
        )
    )


def _scenario(told: Told, result: ScenarioResult, beside: Beside | None) -> str:
    verdict = result.verdict.value
    cases = sum(each.evaluated for each in result.invariants)
    fired = ", ".join(f"{kind} ×{n}" for kind, n in result.faults_fired.items()) or "no faults"
    timeline = ""
    if result.told is not None and result.told.evidence is not None:
        timeline = f'<div class="wide">{timeline_plot(result.told.evidence)}</div>'
    diagrams = "".join(
        _folded(f"Order {story.number}, step by step", _order(result, story))
        for story in order_stories(result)[:1]
        if result.verdict is Verdict.HELD
    )
    return (
        f'<details><summary><span class="mark {verdict}">{MARKS[result.verdict]}</span>'
        f'<b>{escape(result.name)}</b><span class="soft count">{cases} cases, '
        f"{format_duration(result.simulated_s)}</span>"
        f'<span class="says">{escape(result.summary)}</span></summary><div class="inside">'
        f"<p>Faults: {escape(fired)}.</p>{timeline}{_invariants(result)}{diagrams}"
        f'<p class="soft"><code>{escape(_command(told, result, beside))}</code></p></div></details>'
    )


def _invariants(result: ScenarioResult) -> str:
    rows = "".join(
        f"<tr><td>{_mark(each)}</td>"
        f"<td><code>{each.name}</code>{_violations(each.violations)}</td>"
        f'<td class="number">{each.evaluated}</td></tr>'
        for each in result.invariants
    )
    return (
        '<div class="wide"><table><thead><tr><th>verdict</th><th>invariant, with evidence</th>'
        f'<th class="number">cases</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _mark(invariant: InvariantResult) -> str:
    if invariant.verdict is Verdict.UNPROVEN:
        return '<span class="soft">not at stake</span>'
    return f'<span class="mark {invariant.verdict.value}">{MARKS[invariant.verdict]}</span>'


def _violations(violations: Sequence[str]) -> str:
    return "".join(f'<br><span class="broken">{escape(text)}</span>' for text in violations)


def _legend() -> str:
    items = "".join(
        f'<li><svg class="plot" width="16" height="16" aria-hidden="true">{shape}</svg> {name}</li>'
        for _, shape, name in _LEGEND
    )
    return f'<ul class="legend">{items}</ul>'


def _plots(results: Sequence[ScenarioResult]) -> str:
    if not any(result.told and result.told.evidence for result in results):
        return ""
    return (
        "<h2>How soon</h2><h3>From an order to its goods</h3>"
        '<p class="soft">Seconds where a webhook came through; hours where the housekeeping or a '
        f'late retry had to find it.</p><div class="wide">{shipping_plot(results)}</div>'
        "<h3>How long the service took to answer a webhook</h3>"
        f'<div class="wide">{answering_plot(results)}</div>'
    )
