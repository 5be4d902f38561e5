"""``replay``: play a failure again and say whether it is still one."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from scenarios.commands import options as common
from scenarios.commands.options import EXIT_STATUS
from scenarios.errors import WrongUsage
from scenarios.report import documents, terminal
from scenarios.run_suite import Task, run_task
from scenarios.search.replay import (
    NO_LONGER_FIRES,
    NOT_REPRODUCED,
    REPRODUCED,
    Replay,
    read_replay,
    said_of,
)
from scenarios.verdict import RunResult, Verdict

_VERDICTS = {
    REPRODUCED: Verdict.BROKEN,
    NOT_REPRODUCED: Verdict.HELD,
    NO_LONGER_FIRES: Verdict.UNPROVEN,
}
_STYLES = {REPRODUCED: "bold red", NOT_REPRODUCED: "green", NO_LONGER_FIRES: "yellow"}


def add_to(command: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    command.add_argument("file", metavar="FILE")
    command.add_argument("--shop", metavar="correct|MUTANT", help="default: the file's own")
    common.add_target(command)
    common.add_json(command)
    command.set_defaults(work=_work)


def _work(options: argparse.Namespace) -> int:
    common.check_target(options)
    replay = read_replay(Path(options.file))
    if options.shop is not None:
        common.check_shop(options)
        replay = replace(replay, shop=options.shop)
    scenario = replace(replay.plan.scenario, name=replay.name)
    _, left_out = common.fitting([scenario], options.target)
    if left_out:
        raise WrongUsage(
            f"{options.file} cannot be played on {options.target}, since {left_out[scenario.name]}"
        )
    run = run_task(Task(scenario, replay.plan.seed, options.target, replay.shop))
    broken = {
        result.name: result.message for result in run.invariants if result.verdict is Verdict.BROKEN
    }
    if run.did_not_converge and not broken:
        broken["came_to_rest"] = run.did_not_converge
    never_fired = [kind for kind in scenario.fault_kinds if not run.faults_fired.get(kind)]
    said = said_of(replay, broken, never_fired)
    _show(options, replay, run, said, broken, never_fired)
    return EXIT_STATUS[_VERDICTS[said]]


def _show(
    options: argparse.Namespace,
    replay: Replay,
    run: RunResult,
    said: str,
    broken: dict[str, Any],
    never_fired: list[str],
) -> None:
    console = terminal.make_console(to_stderr=options.json == documents.STANDARD_OUTPUT)
    console.print(
        f"[{_STYLES[said]}]{said}[/{_STYLES[said]}]: {replay.invariant} on the shop {replay.shop}"
    )
    for name, message in broken.items():
        console.print(f"  {name}: {message}", markup=False)
    for kind in never_fired:
        console.print(f"  the fault {kind} never fired")
    is_same = None if None in (run.digest, replay.digest) else run.digest == replay.digest
    if said == REPRODUCED and is_same is False:
        console.print("  the run is not the same as it was: its trace differs from the file's")
    if options.json:
        documents.write_document(
            {
                "said": said,
                "name": replay.name,
                "shop": replay.shop,
                "target": options.target,
                "invariant": replay.invariant,
                "broken": broken,
                "faults_never_fired": never_fired,
                "same_trace": is_same,
                "digest": run.digest,
            },
            options.json,
        )
