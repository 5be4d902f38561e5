"""Replay files: one failure as JSON, and what playing it again says."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from scenarios.errors import WrongUsage
from scenarios.invariants import INVARIANTS
from scenarios.mutants import CORRECT, MUTANTS
from scenarios.report.files import write_file
from scenarios.run_suite import SIMULATED, is_external
from scenarios.scenario import Scenario
from scenarios.search.judge_plan import CAME_TO_REST, NO_BUG
from scenarios.search.plan import Plan, plan_of, read_plan
from scenarios.targets.target_file import load_target
from scenarios.verdict import RunResult, Verdict

SCHEMA = "psp-scenarios/replay/1"
REPRODUCED = "reproduced"
NOT_REPRODUCED = "not reproduced"
NO_LONGER_FIRES = "the fault no longer fires"
NOTHING_PROVEN = "nothing was proven"
DOES_NOT_FIT = "does not fit this target"

# File systems take 255, of which endings need some.
_NAME_BYTES_MAX = 200
_EXPECTED = (*INVARIANTS, CAME_TO_REST, NO_BUG)
_REQUIRED = ("schema", "name", "shop", "plan", "expect")


@dataclass(frozen=True)
class Replay:
    """A failure to play again: the plan, the shop it broke, and the invariant that it broke.

    ``digest`` is the hash of the trace at the time; another one means that the code has changed.
    ``target`` is where it was found, in the words of ``--target``.
    """

    name: str
    shop: str
    plan: Plan
    invariant: str
    message: str = ""
    digest: str | None = None
    story: Sequence[str] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    target: str = SIMULATED

    def document(self) -> dict[str, Any]:
        """Return the file's content."""
        return {
            "schema": SCHEMA,
            "name": self.name,
            "shop": self.shop,
            **({} if self.target == SIMULATED else {"target": self.target}),
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
    return write_text(folder / f"{file_name(replay.name)}.replay.json", _text(replay.document()))


def write_text(path: Path, text: str) -> Path:
    """Write a file and the folders above it. Raises WrongUsage."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise WrongUsage(f"cannot write {path}: {problem.strerror}") from problem
    write_file(path, text)
    return path


def file_name(name: str) -> str:
    """Return a name as part of a file's: cut where it is too long for that, yet unlike others."""
    written = name.encode(errors="surrogateescape")
    if len(written) <= _NAME_BYTES_MAX:
        return name
    digest = hashlib.sha256(written).hexdigest()[:8]
    return written[:_NAME_BYTES_MAX].decode(errors="ignore") + f"-{digest}"


def read_replay(path: Path) -> Replay:
    """Read and check a replay file. Raises WrongUsage with one line that names what is wrong."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise WrongUsage(f"cannot read {path}: {problem.strerror}") from problem
    except ValueError as problem:
        raise WrongUsage(f"{path} is not JSON: {problem}") from problem
    except RecursionError as problem:
        raise WrongUsage(f"{path}: it is nested too deeply") from problem
    try:
        return _replay(document)
    except WrongUsage as problem:
        raise WrongUsage(f"{path}: {problem}") from problem
    except RecursionError as problem:
        raise WrongUsage(f"{path}: it is nested too deeply") from problem


def _replay(document: object) -> Replay:
    if not isinstance(document, Mapping) or document.get("schema") != SCHEMA:
        raise WrongUsage(f'it is no replay file: "schema" is not "{SCHEMA}"')
    missing = [key for key in _REQUIRED if key not in document]
    if missing:
        raise WrongUsage(f"{missing[0]!r} is missing")
    shop, expect = _text_of(document, "shop"), document["expect"]
    if shop != CORRECT and shop not in MUTANTS:
        raise WrongUsage(f"shop {shop!r} is not known: use {CORRECT} or a mutant")
    if not isinstance(expect, Mapping):
        raise WrongUsage(f"expect {expect!r} is no object")
    story, versions = document.get("story", []), document.get("versions", {})
    if not isinstance(story, list):
        raise WrongUsage(f"story {story!r} is no list")
    if not isinstance(versions, Mapping):
        raise WrongUsage(f"versions {versions!r} is no object")
    return Replay(
        name=_text_of(document, "name"),
        shop=shop,
        plan=read_plan(document["plan"]),
        invariant=_invariant(expect),
        message=_text_or_none(expect, "message") or "",
        digest=_text_or_none(expect, "digest"),
        story=tuple(str(line) for line in story),
        versions=dict(versions),
        target=_text_or_none(document, "target") or SIMULATED,
    )


def _invariant(expect: Mapping[str, Any]) -> str:
    """Return what is expected to break: with any other name, nothing could ever be reproduced."""
    named = _text_of(expect, "invariant")
    if named not in _EXPECTED:
        raise WrongUsage(f"expect.invariant {named!r} is not known: use {', '.join(_EXPECTED)}")
    return named


def _text_of(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str):
        raise WrongUsage(f"{key} {value!r} is no text")
    return value


def _text_or_none(document: Mapping[str, Any], key: str) -> str | None:
    return None if document.get(key) is None else _text_of(document, key)


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), "psp-scenarios": version("psp-scenarios")}


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def replay_of(scenario: Scenario, run: RunResult, shop: str, target: str) -> Replay:
    """Return the replay of a scenario's broken run."""
    broken = next(result for result in run.invariants if result.verdict is Verdict.BROKEN)
    broke = load_target(Path(target)).document.name if is_external(target) else shop
    return Replay(
        name=scenario.name if broke == CORRECT else f"{_in_a_path(broke)}-{scenario.name}",
        shop=shop,
        plan=plan_of(scenario, run.seed),
        invariant=broken.name,
        message=broken.message or "",
        digest=run.digest,
        target=target,
    )


def _in_a_path(name: str) -> str:
    """Return a name that somebody chose without what has a meaning in a path."""
    return "".join(each if each.isalnum() or each in "-_." else "-" for each in name)


@dataclass(frozen=True, slots=True)
class Again:
    """What playing a failure again gave. ``misfits`` says what its target cannot play; if there is
    something, nothing was played. ``trouble`` is what kept the run from showing anything.
    """

    misfits: Sequence[str] = ()
    broken: Mapping[str, str] = field(default_factory=dict)
    never_fired: Sequence[str] = ()
    trouble: str | None = None
    digest: str | None = None

    def said(self, replay: Replay) -> str:
        """Return what that says about the old failure."""
        if self.misfits:
            return DOES_NOT_FIT
        if replay.invariant in self.broken:
            return REPRODUCED
        if self.never_fired:
            return NO_LONGER_FIRES
        return NOTHING_PROVEN if self.trouble else NOT_REPRODUCED

    def verdict(self, replay: Replay) -> Verdict:
        """Return the verdict: a promise that broke is broken, be it another than the file's."""
        if self.broken:
            return Verdict.BROKEN
        return Verdict.HELD if self.said(replay) == NOT_REPRODUCED else Verdict.UNPROVEN


def seen_again(replay: Replay, run: RunResult) -> Again:
    """Return what a run of the replay's plan gave."""
    broken = {each.name: each.message or "" for each in run.invariants if each.violations}
    if run.did_not_converge and not broken and run.invariants:
        broken[CAME_TO_REST] = run.did_not_converge
    cases = {each.name: each.evaluated for each in run.invariants}
    trouble = run.trouble
    if not trouble and not cases.get(replay.invariant, 1):
        trouble = f"{replay.invariant} was never put to the test"
    kinds = replay.plan.scenario.fault_kinds
    never_fired = [kind for kind in kinds if not run.faults_fired.get(kind)]
    return Again((), broken, never_fired, trouble, run.digest)
