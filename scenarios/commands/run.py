"""``run``: play scenarios and say which promises held."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.markup import escape

from scenarios.commands import options as common
from scenarios.commands.options import EXIT_STATUS, Commands
from scenarios.errors import WrongUsage
from scenarios.mutants import CORRECT
from scenarios.report import documents, terminal
from scenarios.run_suite import is_external, run_suite, services_quiet
from scenarios.scenario import Scenario
from scenarios.scenario_files import select
from scenarios.search.replay import replay_of, write_replay
from scenarios.targets.external import check_external
from scenarios.verdict import ScenarioResult, overall

REPLAY_FOLDER = "reports"


def add_to(commands: Commands) -> None:
    """Declare the command and its options."""
    command = commands.add_parser("run", help="play scenarios and say which promises held")
    command.add_argument("scenarios", nargs="*", metavar="NAME|TAG|FILE", help="default: all")
    common.add_seed(command)
    command.add_argument(
        "--seeds", metavar="A..B", help="play each scenario with every seed from A to B"
    )
    common.add_shop(command)
    common.add_target(command)
    command.add_argument(
        "--out",
        metavar="DIR",
        default=REPLAY_FOLDER,
        help=f"where replay files of broken scenarios go; default: {REPLAY_FOLDER}/",
    )
    common.add_json(command)
    command.set_defaults(work=_work)


def _work(options: argparse.Namespace) -> int:
    common.check_target(options, takes_files=True)
    common.check_shop(options)
    seeds = _seeds(options)
    scenarios, left_out = common.fitting(select(options.scenarios), options.target)
    if is_external(options.target):
        if options.shop != CORRECT:
            raise WrongUsage("--shop is a choice among our own shops; --target FILE brings its own")
        with services_quiet():
            asyncio.run(check_external(options.target))
    with terminal.progress("playing", len(scenarios)) as bar:
        results = run_suite(
            scenarios,
            seeds,
            options.target,
            options.shop,
            common.jobs(options),
            lambda _: bar.advance(bar.task_ids[0]),
        )
    results = [_with_replay(result, scenarios, options) for result in results]
    console = terminal.make_console(to_stderr=options.json == documents.STANDARD_OUTPUT)
    shown = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]}..{seeds[-1]}"
    terminal.show_results(console, results, shown)
    for name, reason in left_out.items():
        console.print(f"left out: [bold]{name}[/bold], since {escape(reason)}")
    if options.json:
        document = documents.run_document(results, seeds[0], options.target, options.shop, left_out)
        documents.write_document(document, options.json)
    return EXIT_STATUS[overall(results)]


def _with_replay(
    result: ScenarioResult, scenarios: Sequence[Scenario], options: argparse.Namespace
) -> ScenarioResult:
    """Write what broke a scenario as a replay file, and say where it is.

    On somebody's own service playing the scenario again is all that can be done.
    """
    if result.broken_run is None or is_external(options.target):
        return result
    scenario = next(scenario for scenario in scenarios if scenario.name == result.name)
    replay = replay_of(scenario, result.broken_run, options.shop)
    return replace(result, replay=str(write_replay(replay, Path(options.out))))


def _seeds(options: argparse.Namespace) -> list[int]:
    if options.seeds is None:
        return [options.seed]
    first, dots, last = options.seeds.partition("..")
    if not (dots and first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
        raise WrongUsage(f"--seeds {options.seeds} is not a range: write it like 1..50")
    return list(range(int(first), int(last) + 1))
