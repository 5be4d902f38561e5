"""A failure as files: replay, story with diagrams, and a test to paste into a suite."""

from __future__ import annotations

import json
import pprint
from dataclasses import dataclass, replace
from pathlib import Path

from scenarios.report.diagram_mermaid import mermaid_diagram
from scenarios.report.diagram_svg import svg_diagram
from scenarios.report.diagram_text import text_diagram
from scenarios.search.judge_plan import play_and_keep
from scenarios.search.plan import Plan
from scenarios.search.replay import Replay, write_replay, write_text
from scenarios.search.tell import Story, promise_of, tell

_TEST = '''"""{promise}

Found by searching, and shrunk: {faults}. Paste it into a test suite as it is.
"""

from scenarios.search.judge_plan import play_plan
from scenarios.search.plan import read_plan

PLAN = {plan}


def test_{name}():
    broken = play_plan(read_plan(PLAN), {shop!r}).broken
    assert {invariant!r} not in broken, broken
'''


@dataclass(frozen=True, slots=True)
class Written:
    """One failure, told and written; ``replay`` is None where that could not be written."""

    replay: Path | None
    story: Story


def write_failure(plan: Plan, invariant: str, shop: str, folder: Path) -> Written:
    """Tell a failure and write its files into a folder. Raises WrongUsage."""
    story = tell(plan, invariant, shop)
    return Written(write_told(story, plan, invariant, shop, folder), story)


def write_told(story: Story, plan: Plan, invariant: str, shop: str, folder: Path) -> Path:
    """Write the files of a failure that was told; return its replay file. Raises WrongUsage."""
    found = recorded(plan, invariant, shop, f"{shop}-{invariant}")
    path = write_replay(replace(found, story=story.sentences), folder)
    stem = folder / found.name
    title = f"{invariant} broken by the shop {shop}"
    write_text(stem.with_name(f"{found.name}.svg"), svg_diagram(story.steps, title))
    write_text(stem.with_name(f"{found.name}.md"), _markdown(title, story))
    write_text(stem.with_name(f"test_{_identifier(found.name)}.py"), _test_of(found))
    return path


def recorded(plan: Plan, invariant: str, shop: str, name: str) -> Replay:
    """Play a plan once and note what a replay of it has to show."""
    outcome, done = play_and_keep(plan, shop)
    digest = None if done is None else done.world.trace.digest()
    return Replay(name, shop, plan, invariant, outcome.broken.get(invariant, ""), digest)


def _markdown(title: str, story: Story) -> str:
    lines = "\n".join(f"- {sentence}" for sentence in story.sentences)
    diagram = mermaid_diagram(story.steps)
    plain = "\n".join(text_diagram(story.steps))
    return f"# {title}\n\n{lines}\n\n```mermaid\n{diagram}```\n\n```\n{plain}\n```\n"


def _test_of(found: Replay) -> str:
    kinds = ", ".join(str(fault["kind"]) for fault in found.plan.faults) or "no fault at all"
    # Through JSON, so that tuples and numbers read as they do in the replay file.
    plan = json.loads(json.dumps(found.plan.document))
    return _TEST.format(
        promise=promise_of(found.invariant),
        faults=kinds,
        plan=pprint.pformat(plan, width=96, sort_dicts=False),
        name=_identifier(found.name),
        shop=found.shop,
        invariant=found.invariant,
    )


def _identifier(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)
