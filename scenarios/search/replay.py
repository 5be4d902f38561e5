"""Replay files: one failure as JSON, and what playing it again says."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from scenarios.errors import WrongUsage
from scenarios.mutants import CORRECT, MUTANTS
from scenarios.scenario import Scenario
from scenarios.search.plan import Plan, plan_of, read_plan
from scenarios.verdict import RunResult, Verdict

SCHEMA = "psp-scenarios/replay/1"
REPRODUCED = "reproduced"
NOT_REPRODUCED = "not reproduced"
NO_LONGER_FIRES = "the fault no longer fires"

_REQUIRED = ("schema", "name", "shop", "plan", "expect")


@dataclass(frozen=True)
class Replay:
    """A failure to play again: the plan, the shop it broke, and the invariant that it broke.

    ``digest`` is the hash of the trace at the time; another one means that the code has changed.
    """

    name: str
    shop: str
    plan: Plan
    invariant: str
    message: str = ""
    digest: str | None = None
    story: Sequence[str] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the file's content."""
        return {
            "schema": SCHEMA,
            "name": self.name,
            "shop": self.shop,
            "plan": self.plan.document,
            "expect": {
                "invariant": self.invariant,
                "message": self.message,
                "digest": self.digest,
            },
            "story": list(self.story),
            "versions": dict(self.versions) or _versions(),
        }


def write_replay(replay: Replay, folder: Path) -> Path:
    """Write a replay file into a folder, which is made if need be. Raises WrongUsage."""
    return write_text(folder / f"{replay.name}.replay.json", _text(replay.document()))


def write_text(path: Path, text: str) -> Path:
    """Write a file and the folders above it. Raises WrongUsage."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise WrongUsage(f"cannot write {path}: {problem.strerror}") from problem
    return path


def read_replay(path: Path) -> Replay:
    """Read and check a replay file. Raises WrongUsage with one line that names what is wrong."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise WrongUsage(f"cannot read {path}: {problem.strerror}") from problem
    except ValueError as problem:
        raise WrongUsage(f"{path} is not JSON: {problem}") from problem
    try:
        return _replay(document)
    except WrongUsage as problem:
        raise WrongUsage(f"{path}: {problem}") from problem


def _replay(document: object) -> Replay:
    if not isinstance(document, Mapping) or document.get("schema") != SCHEMA:
        raise WrongUsage(f'it is no replay file: "schema" is not "{SCHEMA}"')
    missing = [key for key in _REQUIRED if key not in document]
    if missing:
        raise WrongUsage(f"{missing[0]!r} is missing")
    shop, expect = document["shop"], document["expect"]
    if shop != CORRECT and shop not in MUTANTS:
        raise WrongUsage(f"shop {shop!r} is not known: use {CORRECT} or a mutant")
    if not isinstance(expect, Mapping) or not isinstance(expect.get("invariant"), str):
        raise WrongUsage("expect has no invariant")
    return Replay(
        name=str(document["name"]),
        shop=str(shop),
        plan=read_plan(document["plan"]),
        invariant=expect["invariant"],
        message=str(expect.get("message") or ""),
        digest=expect.get("digest"),
        story=tuple(str(line) for line in document.get("story", ())),
        versions=dict(document.get("versions") or {}),
    )


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), "psp-scenarios": version("psp-scenarios")}


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def replay_of(scenario: Scenario, run: RunResult, shop: str) -> Replay:
    """Return the replay of a scenario's broken run."""
    broken = next(result for result in run.invariants if result.verdict is Verdict.BROKEN)
    name = scenario.name if shop == CORRECT else f"{shop}-{scenario.name}"
    return Replay(
        name=name,
        shop=shop,
        plan=plan_of(scenario, run.seed),
        invariant=broken.name,
        message=broken.message or "",
        digest=run.digest,
    )


def said_of(replay: Replay, broken: Mapping[str, str | None], never_fired: Sequence[str]) -> str:
    """Return what a new run of the plan says about the old failure."""
    if replay.invariant in broken:
        return REPRODUCED
    return NO_LONGER_FIRES if never_fired else NOT_REPRODUCED
