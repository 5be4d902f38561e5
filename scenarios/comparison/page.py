"""The comparison as one HTML file that needs nothing else: tables, pictures, and what to choose."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from importlib import resources
from typing import Any

from scenarios.comparison import charts
from scenarios.comparison.compare import Result
from scenarios.comparison.document import by_weather
from scenarios.comparison.terminal import seconds
from scenarios.plotly_bundle import plotly_js, policy_of
from scenarios.report.files import write_file

_PICTURES = (
    (
        "Staleness against cost",
        charts.staleness_against_cost,
        "Left is cheap, low is fast. ★: no other strategy is both cheaper and no later.",
    ),
    (
        "How late the news was",
        charts.staleness_distribution,
        "Which share of the payments the shop knew about within how long. Dashed: webhooks; "
        "dashes and dots: with reconciliation.",
    ),
    (
        "Outcomes not known, and how that recovers",
        charts.recovery,
        "Payments that had settled without their shop knowing. Shaded: the provider is away.",
    ),
    (
        "Cost as the business grows",
        charts.growth,
        "What was measured, carried on: questions about a payment grow, background ones do not.",
    ),
)
_COLUMNS = (
    "strategy",
    "requests per payment",
    "predicted",
    *("useful", "wasted", "304", "failed"),
    "connections held",
    "predicted",
    "staleness, mean (s)",
    "predicted",
    *("p50", "p95", "p99", "max"),
    "not learnt",
    *("API/s", "peak"),
)


def write_page(
    results: Sequence[Result], live: Sequence[Result], document: dict[str, Any], path: str
) -> None:
    """Write the report. Raises WrongUsage if the file cannot be written."""
    write_file(path, page_of(results, live, document))


def page_of(results: Sequence[Result], live: Sequence[Result], document: dict[str, Any]) -> str:
    """Return the whole page. Its policy allows these very scripts and nothing from anywhere."""
    figures: list[charts.Chart] = []
    sections = [_weather(name, each, figures) for name, each in by_weather(results).items()]
    sections += [
        f"<h2>{html.escape(name)}, over real HTTP</h2>{_meaning(each)}{_table(each)}"
        f"{_differences(each)}"
        for name, each in by_weather(live).items()
    ]
    draw = resources.files("scenarios.comparison").joinpath("draw.js").read_text(encoding="utf-8")
    data = json.dumps(figures).replace("</", "<\\/")
    scripts = [plotly_js().replace("</script", "<\\/script"), draw]
    return _TEMPLATE.format(
        policy=policy_of(scripts),
        style=resources.files("scenarios.comparison").joinpath("page.css").read_text("utf-8"),
        subtitle=f"{document['payments']} payments in each run, seed {document['seed']}",
        advice="".join(
            f"<p>{html.escape(document[said])}</p>"
            for said in ("advice", "live_check")
            if said in document
        ),
        sections="".join(sections),
        data=data,
        plotly=scripts[0],
        draw=scripts[1],
    )


def _weather(name: str, results: Sequence[Result], figures: list[charts.Chart]) -> str:
    pictures = []
    for title, make, caption in _PICTURES:
        pictures.append(
            f"<figure><h3>{title}</h3>"
            f'<div class="chart" role="img" aria-label="{title}" data-chart="{len(figures)}"></div>'
            f"<figcaption>{caption}</figcaption></figure>"
        )
        figures.append(make(results))
    return (
        f"<h2>{html.escape(name)}</h2>{_meaning(results)}{_table(results)}{_differences(results)}"
        f'<div class="charts">{"".join(pictures)}</div>'
    )


def _meaning(results: Sequence[Result]) -> str:
    meaning = results[0].weather.meaning
    return f"<p>{html.escape(meaning[0].upper() + meaning[1:])}.</p>"


def _table(results: Sequence[Result]) -> str:
    head = "".join(f"<th>{column}</th>" for column in _COLUMNS)
    return (
        f'<div class="wide" tabindex="0"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(map(_row, results))}</tbody></table></div>"
    )


def _row(result: Result) -> str:
    m, p, name = result.measured, result.predicted, result.strategy.name
    cells = (
        f"{m.requests.total:.2f}",
        f"<i>{p.requests_per_payment:.2f}</i>",
        *(f"{getattr(m.requests, k):.2f}" for k in ("useful", "wasted", "not_modified", "failed")),
        f"{m.held_mean:.1f}",
        f"<i>{p.held_mean:.1f}</i>",
        seconds(m.staleness.mean),
        f"<i>{seconds(p.staleness.mean)}</i>",
        *(seconds(getattr(m.staleness, key)) for key in ("p50", "p95", "p99", "max")),
        str(m.unresolved),
        f"{m.api_per_second:.2f}",
        f"{m.api_per_second_peak:.2f}",
    )
    meaning = html.escape(result.strategy.meaning)
    return (
        f'<tr><th scope="row">{html.escape(name)}<small>{meaning}</small></th>'
        f"{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    )


def _differences(results: Sequence[Result]) -> str:
    lines = [
        f"<li><b>{html.escape(r.strategy.name)}</b>: {d.figure} {seconds(d.measured)}, predicted "
        f"{seconds(d.predicted)}: {html.escape(d.why)}</li>"
        for r in results
        for d in r.differences
    ]
    if not lines:
        return "<p>No figure differs from its prediction by more than sampling error.</p>"
    return (
        f"<details><summary>{len(lines)} figures differ by more than sampling error: why"
        f"</summary><ul>{''.join(lines)}</ul></details>"
    )


_TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="content-security-policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Polling beside webhooks</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>Polling beside webhooks</h1>
<p>{subtitle}</p>
<section class="advice"><h2>What to choose</h2>{advice}</section>
{sections}
</main>
<script type="application/json" id="charts">{data}</script>
<script>{plotly}</script>
<script>{draw}</script>
</body>
</html>
"""
