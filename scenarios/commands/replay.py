"""``replay``: play a failure again and say whether it is still one."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from scenarios.commands import options as common
from scenarios.commands.options import EXIT_STATUS
from scenarios.commands.outputs import Outputs
from scenarios.invariants import INVARIANTS
from scenarios.mutants import CORRECT
from scenarios.report import terminal
from scenarios.report.files import check_file
from scenarios.run_suite import (
    SIMULATED,
    Task,
    is_external,
    services_quiet,
    side_by_side,
    try_service,
)
from scenarios.scenario import Scenario
from scenarios.search.judge_plan import NO_BUG
from scenarios.search.replay import (
    DOES_NOT_FIT,
    NO_LONGER_FIRES,
    NOT_REPRODUCED,
    NOTHING_PROVEN,
    REPRODUCED,
    Again,
    Replay,
    read_replay,
    seen_again,
)
from scenarios.search.tell import aimed
from scenarios.targets.target_file import load_target
from scenarios.verdict import RunResult

_STYLES = {
    REPRODUCED: "bold red",
    NOT_REPRODUCED: "green",
    NO_LONGER_FIRES: "yellow",
    NOTHING_PROVEN: "yellow",
    DOES_NOT_FIT: "yellow",
}


def add_to(command: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    command.add_argument("file", metavar="FILE")
    command.add_argument("--shop", metavar="correct|MUTANT", help="default: the file's own")
    command.add_argument(
        "--target",
        help="sim, live, or a .toml file that describes your own service; default: the file's own",
    )
    common.add_json(command)
    command.set_defaults(work=_work, jobs=None)


def _work(options: argparse.Namespace) -> int:
    replay = read_replay(Path(options.file))
    check_file(options.json)
    options.target = options.target or replay.target
    common.check_target(options, takes_files=True)
    if options.shop is not None:
        common.check_shop(options)
        common.check_shop_is_ours(options)
    elsewhere = CORRECT if is_external(options.target) else replay.shop
    replay = replace(replay, target=options.target, shop=options.shop or elsewhere)
    scenario = _scenario(replay)
    misfits = list(_misfits(replay, scenario))
    again = Again(misfits) if misfits else seen_again(replay, _play(replay, scenario))
    outputs = Outputs()
    outputs.hand_over(
        lambda console: _show(console, replay, again),
        lambda: _document(replay, again),
        options.json,
    )
    return outputs.status(EXIT_STATUS[again.verdict(replay)])


def _scenario(replay: Replay) -> Scenario:
    """Return what is to be played: the plan, with the one promise that it is about."""
    promises = (replay.invariant,) if replay.invariant in INVARIANTS else ()
    return replace(replay.plan.scenario, name=replay.name, invariants=promises)


def _misfits(replay: Replay, scenario: Scenario) -> Iterator[str]:
    """Say what of the plan the target cannot play, fault by fault, and why."""
    why_not = common.why_not_on(replay.target)
    if replay.invariant == NO_BUG and replay.target != SIMULATED:
        yield "an exception inside a service is seen in virtual time only"
    if reason := why_not(replace(scenario, faults=())):
        yield f"the plan: {reason}"
    for number, fault in enumerate(scenario.faults):
        if reason := why_not(replace(scenario, faults=(fault,), steps=())):
            yield f"fault {number + 1}, {aimed(replay.plan.faults[number])}: {reason}"


def _play(replay: Replay, scenario: Scenario) -> RunResult:
    task = Task(scenario, replay.plan.seed, replay.target, replay.shop)
    if is_external(replay.target) and (hint := try_service(replay.target)):
        terminal.show_hint(hint)
    with services_quiet(), side_by_side(replay.target, 1) as run_all:
        return next(run_all([task]))


def _show(console: Console, replay: Replay, again: Again) -> None:
    said = again.said(replay)
    console.print(
        f"[{_STYLES[said]}]{said}[/{_STYLES[said]}]: {replay.invariant} on {escape(_where(replay))}"
    )
    lines = [
        *again.misfits,
        *(f"{name}: {message}" for name, message in again.broken.items()),
        *(f"the fault {kind} never fired" for kind in again.never_fired),
        *([again.trouble] if again.trouble else []),
    ]
    if said == REPRODUCED and _is_same(replay, again) is False:
        lines.append("the run is not the same as it was: its trace differs from the file's")
    for line in lines:
        console.print(f"  {line}", markup=False)


def _document(replay: Replay, again: Again) -> dict[str, Any]:
    return {
        "said": again.said(replay),
        "name": replay.name,
        "shop": replay.shop,
        "target": replay.target,
        "invariant": replay.invariant,
        "does_not_fit": list(again.misfits),
        "broken": dict(again.broken),
        "faults_never_fired": list(again.never_fired),
        "trouble": again.trouble,
        "same_trace": _is_same(replay, again),
        "digest": again.digest,
    }


def _is_same(replay: Replay, again: Again) -> bool | None:
    return None if None in (again.digest, replay.digest) else again.digest == replay.digest


def _where(replay: Replay) -> str:
    if is_external(replay.target):
        return f"the service {load_target(Path(replay.target)).document.name}"
    return f"the shop {replay.shop}"
