"""What did not hold, on top of a page: scenarios and promises, each a link to where it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape

from scenarios.report.story import broken_of
from scenarios.verdict import ScenarioResult, Verdict

# One failure stands at the top by itself.
OVERVIEW_MIN = 2
_SIGNS = {Verdict.BROKEN: "✗", Verdict.UNPROVEN: "?"}


def promise_id(invariant: str) -> str:
    """Return the anchor of a promise."""
    return f"promise-{invariant}"


def overview(troubled: Sequence[ScenarioResult]) -> str:
    """Return the list; nothing where there is next to nothing to list."""
    if len(troubled) < OVERVIEW_MIN:
        return ""
    return (
        '<nav class="overview" aria-label="what did not hold"><h2>What did not hold</h2>'
        f"{_promises(troubled)}<ul>{''.join(map(_scenario, troubled))}</ul></nav>"
    )


def _promises(troubled: Sequence[ScenarioResult]) -> str:
    broken = Counter(each.name for result in troubled for each in broken_of(result))
    links = ", ".join(
        f'<a href="#{promise_id(name)}"><code>{escape(name)}</code></a> ×{count}'
        for name, count in broken.most_common()
    )
    return f"<p>Promises that broke, and in how many scenarios: {links}.</p>" if links else ""


def _scenario(result: ScenarioResult) -> str:
    verdict = result.verdict.value
    return (
        f'<li><span class="mark {verdict}">{_SIGNS.get(result.verdict, "")}</span> '
        f'<a href="#{escape(result.name)}">{escape(result.name)}</a></li>'
    )
