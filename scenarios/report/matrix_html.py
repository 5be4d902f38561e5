"""The matrix as one HTML file that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib import resources

from scenarios.invariants import INVARIANTS
from scenarios.matrix import InvariantRow, Matrix, MutantRow
from scenarios.report.matrix_signs import EXPLAINED, Sign, sign_of

_CLASSES = {
    Sign.KILLED: "killed",
    Sign.BY_CHANCE: "chance",
    Sign.MISSED: "missed",
    Sign.UNPROVEN: "unproven",
    Sign.HELD: "idle",
    Sign.NOT_PLAYED: "out",
}


def matrix_html(matrix: Matrix, seed: int, target: str) -> str:
    """Return the whole page."""
    style = "".join(
        (resources.files("scenarios.report") / name).read_text(encoding="utf-8")
        for name in ("report.css", "matrix.css")
    )
    killed = len(matrix.rows) - len(matrix.survivors)
    body = [
        _head(matrix, killed, seed, target),
        _grid(matrix),
        _invariants(matrix),
        _mutants(matrix),
        _scenarios(matrix),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{killed} of {len(matrix.rows)} mutants killed</title>\n"
        f"<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )


def _head(matrix: Matrix, killed: int, seed: int, target: str) -> str:
    is_good = not (matrix.survivors or matrix.false_alarms)
    where = {"sim": "in virtual time", "live": "over real HTTP"}.get(target, target)
    pairs = sum(len(row.cells) for row in matrix.rows)
    which = "named by their scenarios" if matrix.named_only else "all there are"
    trouble = "".join(
        f'<p class="{kind}">{said}: {escape(", ".join(names))}.</p>'
        for kind, said, names in (
            ("broken", "False alarms on the correct shop", matrix.false_alarms),
            ("broken", "Survivors", matrix.survivors),
            ("unproven", "Unproven on the correct shop", matrix.unproven),
        )
        if names
    )
    return (
        f'<header><h1 class="{"held" if is_good else "broken"}">{"✓" if is_good else "✗"} '
        f"{killed} of {len(matrix.rows)} mutants killed</h1>"
        f"<p>{len(matrix.scenarios)} scenarios against shops that are broken on purpose, one bug "
        f"each: {pairs} pairs, {which}; seed {seed}, {escape(where)}.</p>{trouble}</header>"
    )


def _grid(matrix: Matrix) -> str:
    heads = "".join(
        f'<th scope="col"><a href="#scenario-{escape(name)}"><span>{escape(name)}</span></a></th>'
        for name in matrix.scenarios
    )
    rows = "".join(_row(matrix, row) for row in matrix.rows)
    legend = "".join(
        f'<li><span class="sign {_CLASSES[sign]}">{sign.value}</span> {said}</li>'
        for sign, said in EXPLAINED.items()
    )
    return (
        f'<h2 id="table">Who caught whom</h2><ul class="legend">{legend}</ul>'
        '<div class="wide matrix" tabindex="0" role="region" aria-labelledby="table">'
        f'<table><thead><tr><th scope="col">mutant</th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(matrix: Matrix, row: MutantRow) -> str:
    cells = "".join(_cell(row, scenario) for scenario in matrix.scenarios)
    state = "" if row.is_killed else ' class="broken"'
    return (
        f'<tr><th scope="row"><a href="#mutant-{row.name}"{state}>{_breakable(row.name)}</a> '
        f'<span class="bug">{row.bug}</span></th>{cells}</tr>'
    )


def _cell(row: MutantRow, scenario: str) -> str:
    sign = sign_of(row, scenario)
    cell = row.cells.get(scenario)
    broken = "" if cell is None or not cell.broken else f": {', '.join(cell.broken)}"
    said = f"{row.name} in {scenario}: {EXPLAINED.get(sign, 'not played')}{broken}"
    return f'<td class="sign {_CLASSES[sign]}" title="{escape(said)}">{sign.value}</td>'


def _invariants(matrix: Matrix) -> str:
    rows = "".join(_invariant(row) for row in matrix.invariants)
    return (
        '<h2>What each promise is good for</h2><div class="wide"><table><thead><tr>'
        '<th>promise</th><th class="number">kills</th><th>without it these would live on</th>'
        f"</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _invariant(row: InvariantRow) -> str:
    return (
        f"<tr><td>{escape(INVARIANTS[row.name].promise)}"
        f'<br><span class="soft"><code>{row.name}</code></span></td>'
        f'<td class="number">{len(row.kills)}</td>'
        f"<td>{_links('mutant', row.only_killer_of)}</td></tr>"
    )


def _mutants(matrix: Matrix) -> str:
    return "<h2>Each mutant</h2>" + "".join(_mutant(row) for row in matrix.rows)


def _mutant(row: MutantRow) -> str:
    mark = "held" if row.is_killed else "broken"
    said = "✓ killed" if row.is_killed else "✗ survived"
    lines = "".join(
        f'<tr><td><span class="sign {_CLASSES[sign_of(row, name)]}">{sign_of(row, name).value}'
        f"</span> {_links('scenario', [name])}</td>"
        f"<td>{_codes(row.cells[name].broken)}</td></tr>"
        for name in [*row.missed_by, *row.killed_by]
        if name in row.cells
    )
    return (
        f'<details id="mutant-{row.name}"><summary><span class="mark {mark}">{said}</span>'
        f'<b>{escape(row.name)}</b><span class="soft count">{row.bug}, caught by '
        f'{len(row.killed_by)}</span><span class="says">{escape(row.summary)}</span></summary>'
        '<div class="inside wide"><table><thead><tr><th>scenario</th><th>what broke</th></tr>'
        f"</thead><tbody>{lines}</tbody></table></div></details>"
    )


def _scenarios(matrix: Matrix) -> str:
    rows = "".join(
        f'<tr id="scenario-{escape(name)}"><td>{escape(name)}</td><td>'
        + _links("mutant", [row.name for row in matrix.rows if name in row.expected_by])
        + "</td><td>"
        + _links(
            "mutant",
            [r.name for r in matrix.rows if name in r.killed_by and name not in r.expected_by],
        )
        + "</td></tr>"
        for name in matrix.scenarios
    )
    return (
        '<h2>Each scenario</h2><div class="wide"><table><thead><tr><th>scenario</th>'
        "<th>must catch</th><th>catches as well</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _breakable(name: str) -> str:
    """Let a long name go on in the next line after an underscore."""
    return escape(name).replace("_", "_<wbr>")


def _links(kind: str, names: Sequence[str]) -> str:
    return ", ".join(f'<a href="#{kind}-{escape(n)}">{escape(n)}</a>' for n in names) or "–"


def _codes(names: Sequence[str]) -> str:
    return ", ".join(f"<code>{escape(name)}</code>" for name in names) or "–"
