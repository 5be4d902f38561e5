"""The diagrams show every step, whoever takes part, and what was lost."""

from __future__ import annotations

from xml.etree import ElementTree

from scenarios.report.diagram_mermaid import mermaid_diagram
from scenarios.report.diagram_svg import svg_diagram
from scenarios.report.diagram_text import text_diagram
from scenarios.report.timeline import TimelineStep, participants, written_moment

STEPS = [
    TimelineStep(0.019, "customer", "shop", "POST /orders"),
    TimelineStep(0.027, "shop", "customer", "201", is_answer=True),
    TimelineStep(2.0, "psp", "shop", "payment.succeeded (drop)", "fault", arrives=False),
    TimelineStep(3.0, "shop", None, "crashes; & <burns> #1", "fault"),
    TimelineStep(12345.0, "shop", "warehouse", "ship the goods", "broken"),
]


def test_participants_stand_in_the_order_of_an_orders_way() -> None:
    assert participants(STEPS) == ["customer", "shop", "psp", "warehouse"]


def test_the_terminal_shows_a_line_for_each_step_with_its_way_and_its_mark() -> None:
    head, first, answer, lost, note, last = text_diagram(STEPS)
    assert [head.index(name) for name in participants(STEPS)] == sorted(
        head.index(name) for name in participants(STEPS)
    )
    assert "▶" in first and "POST /orders" in first  # noqa: PT018
    assert "◀" in answer and "╌" in answer  # noqa: PT018
    assert "✗" in lost and "◀" not in lost and "⚡" in lost  # noqa: PT018
    assert "crashes; & <burns> #1" in note
    assert last.startswith("3 h 25 min ✗".rjust(13))


def test_mermaid_gets_no_sign_that_ends_a_statement() -> None:
    lines = mermaid_diagram(STEPS).splitlines()
    assert lines[0] == "sequenceDiagram"
    assert "    shop-->>customer: 0.027 s: 201" in lines
    assert "    psp-xshop: 2.000 s: ⚡ payment.succeeded (drop)" in lines
    assert "    Note over shop: 3.000 s: ⚡ crashes#59; & <burns> #35;1" in lines


def test_svg_is_well_formed_and_has_every_text() -> None:
    root = ElementTree.fromstring(svg_diagram(STEPS, "a <title>"))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {step.text for step in STEPS} <= set(texts)
    assert set(participants(STEPS)) <= set(texts)


def test_moments_are_written_for_people() -> None:
    assert [written_moment(s) for s in (0.5, 130, 90000)] == ["0.500 s", "2 min 10 s", "25 h 0 min"]
