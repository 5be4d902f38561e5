"""The report's pictures as plain Plotly figures: traces and axes, made without the library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scenarios.comparison.advice import PER_DAY_GROWTH, requests_per_day
from scenarios.comparison.compare import Result
from scenarios.comparison.ranking import dominated_by

# Colour, dash and marker of each strategy, in order. Every colour is 3:1 or more on white and on
# the dark page; who cannot tell two of them apart has the dash and the marker.
STYLES = (
    ("#0072b2", "solid", "circle"),
    ("#2e8ac9", "dot", "square"),
    ("#7a62c4", "solid", "diamond"),
    ("#c2569b", "dot", "triangle-up"),
    ("#a97800", "solid", "triangle-down"),
    ("#d55e00", "solid", "pentagon"),
    ("#7a7a7a", "solid", "hexagon"),
    ("#008a64", "dash", "cross"),
    ("#c8324b", "dashdot", "x"),
)
# A logarithm has no zero: what is faster than this is drawn here.
_FLOOR_S = 0.001

Chart = dict[str, Any]
Style = tuple[str, str, str]


def staleness_against_cost(results: Sequence[Result]) -> Chart:
    """Who is cheap, who is fast; a line joins those whom nobody beats in both."""
    dominated = dominated_by(results)
    points = [
        {
            "x": [max(r.measured.requests.total, 0.001)],
            "y": [max(r.measured.staleness.p95, _FLOOR_S)],
            "name": r.strategy.name,
            "mode": "markers",
            "hovertemplate": "%{x:.2f} requests, %{y:.3f} s",
            "cliponaxis": False,
            "marker": {
                "color": colour,
                "size": 12 if dominated[r.strategy.name] else 18,
                "symbol": symbol if dominated[r.strategy.name] else "star",
            },
        }
        for r, (colour, _, symbol) in zip(results, STYLES, strict=False)
    ]
    best = sorted(
        (max(r.measured.requests.total, 0.001), max(r.measured.staleness.p95, _FLOOR_S))
        for r in results
        if not dominated[r.strategy.name]
    )
    front = {
        "x": [x for x, _ in best],
        "y": [y for _, y in best],
        "mode": "lines",
        "line": {"shape": "hv", "dash": "dot", "color": "#888888"},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    return _chart(
        [front, *points],
        {"title": "requests per payment", "type": "log"},
        {"title": "staleness, 95th percentile (s)", "type": "log"},
    )


def staleness_distribution(results: Sequence[Result]) -> Chart:
    """Which share of the payments was known how soon."""
    traces = [
        _line(
            r,
            style,
            [max(each, _FLOOR_S) for each in r.curve],
            [100 * (n + 1) / len(r.curve) for n in range(len(r.curve))],
        )
        for r, style in zip(results, STYLES, strict=False)
    ]
    return _chart(
        traces,
        {"title": "staleness (s)", "type": "log"},
        {"title": "share of payments known (%)", "range": [0, 101]},
    )


def recovery(results: Sequence[Result]) -> Chart:
    """How many outcomes a shop does not know, through the weather and after."""
    weather = results[0].weather
    traces = [
        _line(r, style, [at / 60 for at, _ in r.unknown], [late for _, late in r.unknown])
        for r, style in zip(results, STYLES, strict=False)
    ]
    chart = _chart(
        traces,
        {"title": "minutes since the first customer"},
        {"title": "outcomes not known yet", "rangemode": "tozero"},
    )
    if weather.outage_s:
        start = weather.start_s / 60
        chart["layout"]["shapes"] = [
            {
                "type": "rect",
                "x0": start,
                "x1": start + weather.outage_s / 60,
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "fillcolor": "#d55e00",
                "opacity": 0.15,
                "line": {"width": 0},
            }
        ]
    return chart


def growth(results: Sequence[Result]) -> Chart:
    """What a day costs as the payments of a day grow."""
    traces = [
        _line(
            r,
            style,
            list(PER_DAY_GROWTH),
            [max(requests_per_day(r, n), 1.0) for n in PER_DAY_GROWTH],
        )
        for r, style in zip(results, STYLES, strict=False)
    ]
    return _chart(
        traces,
        {"title": "payments per day", "type": "log"},
        {"title": "requests per day", "type": "log"},
    )


def _line(result: Result, style: Style, x: Sequence[float], y: Sequence[float]) -> Chart:
    name = result.strategy.name
    colour, dash, _ = style
    line = {"color": colour, "width": 2, "dash": dash}
    return {"x": list(x), "y": list(y), "name": name, "mode": "lines", "line": line}


def _chart(data: list[Chart], x: Chart, y: Chart) -> Chart:
    layout = {
        "xaxis": {**x, "title": {"text": x["title"]}},
        "yaxis": {**y, "title": {"text": y["title"]}},
        "margin": {"t": 20, "r": 14, "l": 70},
        "legend": {
            "orientation": "h",
            "entrywidth": 158,
            "font": {"size": 12},
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
        },
    }
    return {"data": data, "layout": layout}
