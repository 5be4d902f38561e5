"""``run``: play scenarios and say which promises held."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.markup import escape

from scenarios.commands import options as common
from scenarios.commands.options import EXIT_STATUS
from scenarios.errors import WrongUsage
from scenarios.marks import sum_of
from scenarios.mutants import CORRECT
from scenarios.report import documents, terminal
from scenarios.report.annotations import annotation_lines
from scenarios.report.story import Told
from scenarios.report.write_reports import (
    new_folder,
    write_html,
    write_markdown,
    write_run_junit,
)
from scenarios.run_suite import SIMULATED, is_external, run_suite, try_service
from scenarios.scenario import Scenario
from scenarios.scenario_files import select
from scenarios.search.replay import replay_of, write_replay
from scenarios.verdict import ScenarioResult

REPORT_FOLDER = "reports"


def add_to(command: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
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
        default=REPORT_FOLDER,
        help=f"where replay files of broken scenarios go; default: {REPORT_FOLDER}/",
    )
    common.add_json(command)
    command.add_argument("--html", metavar="FILE", help="write one page with all there is to see")
    command.add_argument("--junit", metavar="FILE", help="write JUnit XML")
    command.add_argument("--markdown", metavar="FILE", help="write a summary for a CI job")
    command.add_argument(
        "--report", action="store_true", help="write all of these into DIR; DIR/latest leads there"
    )
    command.set_defaults(work=_work)


def _work(options: argparse.Namespace) -> int:
    common.check_target(options, takes_files=True)
    common.check_shop(options)
    common.check_shop_is_ours(options)
    seeds = _seeds(options)
    scenarios, left_out = common.fitting(select(options.scenarios), options.target)
    if is_external(options.target):
        try_service(options.target)
    reports = (options.html, options.junit, options.markdown, options.report)
    with terminal.progress("playing", len(scenarios)) as bar:
        results = run_suite(
            scenarios,
            seeds,
            options.target,
            options.shop,
            common.jobs(options),
            lambda _: bar.advance(bar.task_ids[0]),
            keeps_evidence=any(reports),
        )
    results = [_with_replay(result, scenarios, options) for result in results]
    shown = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]}..{seeds[-1]}"
    marks = sum_of(result.marks for result in results)
    is_whole = _is_whole_suite(options)
    told = Told(results, shown, options.target, options.shop, left_out, marks, is_whole)
    console = terminal.make_console(to_stderr=options.json == documents.STANDARD_OUTPUT)
    terminal.show_results(console, told)
    for name, reason in left_out.items():
        console.print(f"left out: [bold]{name}[/bold], since {escape(reason)}")
    _report(options, told, seeds[0])
    return EXIT_STATUS[told.verdict]


def _is_whole_suite(options: argparse.Namespace) -> bool:
    """Tell whether all is played that has to hit every mark."""
    return not options.scenarios and options.target == SIMULATED and options.shop == CORRECT


def _with_replay(
    result: ScenarioResult, scenarios: Sequence[Scenario], options: argparse.Namespace
) -> ScenarioResult:
    """Write what broke a scenario as a replay file, and say where it is."""
    if result.broken_run is None:
        return result
    scenario = next(scenario for scenario in scenarios if scenario.name == result.name)
    replay = replay_of(scenario, result.broken_run, options.shop, options.target)
    return replace(result, replay=str(write_replay(replay, Path(options.out))))


def _report(options: argparse.Namespace, told: Told, first_seed: int) -> None:
    """Write what was asked for; where GitHub runs us, tell it what it shows beside the code."""
    if options.report:
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        folder = new_folder(Path(options.out), f"run-{stamp}")
        write_html(told, str(folder / "index.html"))
        write_run_junit(told, str(folder / "junit.xml"))
        write_markdown(told, str(folder / "summary.md"))
        _write_json(told, first_seed, str(folder / "run.json"))
        sys.stderr.write(f"reports are in {folder}\n")
    if options.html:
        write_html(told, options.html)
    if options.junit:
        write_run_junit(told, options.junit)
    if options.markdown:
        write_markdown(told, options.markdown)
    if options.json:
        _write_json(told, first_seed, options.json)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        sys.stderr.writelines(f"{line}\n" for line in annotation_lines(told))


def _write_json(told: Told, first_seed: int, path: str) -> None:
    documents.write_document(documents.run_document(told, first_seed), path)


def _seeds(options: argparse.Namespace) -> list[int]:
    if options.seeds is None:
        return [options.seed]
    first, dots, last = options.seeds.partition("..")
    if not (dots and first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
        raise WrongUsage(f"--seeds {options.seeds} is not a range: write it like 1..50")
    return list(range(int(first), int(last) + 1))
