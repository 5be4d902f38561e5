"""``run``: play scenarios and say which promises held."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from scenarios.commands import options as common
from scenarios.commands.options import EXIT_STATUS
from scenarios.commands.outputs import Outputs
from scenarios.errors import WrongUsage
from scenarios.known_causes import known_causes
from scenarios.marks import sum_of
from scenarios.mutants import CORRECT
from scenarios.report import documents, terminal
from scenarios.report.annotations import annotation_lines
from scenarios.report.files import check_file, check_folder
from scenarios.report.story import Beside, Told
from scenarios.report.write_reports import (
    new_folder,
    write_html,
    write_markdown,
    write_run_junit,
)
from scenarios.run_suite import SIMULATED, is_external, run_suite, services_quiet, try_service
from scenarios.scenario import Scenario
from scenarios.scenario_files import select
from scenarios.search.replay import Replay, replay_of, write_replay
from scenarios.targets.external_offer import not_judged
from scenarios.targets.target_file import load_target
from scenarios.verdict import ScenarioResult, Verdict

REPORT_FOLDER = "reports"
SEEDS_MAX = 1_000_000
SEED_DIGITS_MAX = 18

# By the name of the scenario.
Replays = Mapping[str, Replay]


def add_to(command: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    command.add_argument("scenarios", nargs="*", metavar="NAME|TAG|FILE", help="default: all")
    common.add_seed(command)
    command.add_argument(
        "--seeds", metavar="A..B", help="play each scenario with every seed from A to B"
    )
    common.add_shop(command)
    common.add_target(command, takes_files=True)
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
    _check_paths(options)
    scenarios, left_out = common.fitting(select(options.scenarios), options.target)
    hint = try_service(options.target) if is_external(options.target) else None
    if hint is not None:
        terminal.show_hint(hint)
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
    outputs = Outputs()
    replays = _replays(results, scenarios, options)
    results = [_with_replay(result, replays, options.out, outputs) for result in results]
    shown = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]}..{seeds[-1]}"
    marks = sum_of(result.marks for result in results)
    is_whole = _is_whole_suite(options)
    causes = _causes(results, scenarios) if is_external(options.target) else {}
    told = Told(results, shown, options.target, options.shop, left_out, marks, is_whole, causes)
    _report(options, told, replays, seeds[0], outputs)
    outputs.hand_over(
        lambda console: _show(console, told, hint),
        lambda: documents.run_document(told, seeds[0]),
        options.json,
    )
    return outputs.status(EXIT_STATUS[told.verdict])


def _causes(
    results: Sequence[ScenarioResult], scenarios: Sequence[Scenario]
) -> dict[str, list[str]]:
    by_name = {scenario.name: scenario for scenario in scenarios}
    with services_quiet():
        return {result.name: known_causes(by_name[result.name], result) for result in results}


def _check_paths(options: argparse.Namespace) -> None:
    """Raise WrongUsage for what could not be written once everything has been played.

    The folder that is there by default may be needed, or not.
    """
    for path in (options.html, options.junit, options.markdown, options.json):
        check_file(path)
    if options.report or options.out != REPORT_FOLDER:
        check_folder(options.out)


def _show(console: Console, told: Told, hint: str | None) -> None:
    terminal.show_results(console, told)
    for name, reason in told.left_out.items():
        console.print(f"left out: [bold]{name}[/bold], since {escape(reason)}")
    if is_external(told.target):
        for unsaid in not_judged(load_target(Path(told.target))):
            console.print(f"not judged: {escape(unsaid)}")
    if hint is not None and told.verdict is not Verdict.HELD:
        console.print(f"[yellow]hint: {escape(hint)}[/yellow]")


def _is_whole_suite(options: argparse.Namespace) -> bool:
    """Tell whether all is played that has to hit every mark."""
    return not options.scenarios and options.target == SIMULATED and options.shop == CORRECT


def _replays(
    results: Sequence[ScenarioResult], scenarios: Sequence[Scenario], options: argparse.Namespace
) -> Replays:
    by_name = {scenario.name: scenario for scenario in scenarios}
    return {
        result.name: replay_of(
            by_name[result.name], result.broken_run, options.shop, options.target
        )
        for result in results
        if result.broken_run is not None
    }


def _with_replay(
    result: ScenarioResult, replays: Replays, out: str, outputs: Outputs
) -> ScenarioResult:
    """Write what broke a scenario as a replay file, and say where it is."""
    if result.name not in replays:
        return result
    written = outputs.attempt(lambda: write_replay(replays[result.name], Path(out)))
    return replace(result, replay=None if written is None else str(written))


def _report(
    options: argparse.Namespace, told: Told, replays: Replays, first_seed: int, outputs: Outputs
) -> None:
    """Write what was asked for; where GitHub runs us, tell it what it shows beside the code."""
    if options.report:
        outputs.attempt(lambda: _report_all(options.out, told, replays, first_seed, outputs))
    for path, write in (
        (options.html, write_html),
        (options.junit, write_run_junit),
        (options.markdown, write_markdown),
    ):
        if path:
            outputs.attempt(partial(write, told, path))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        sys.stderr.writelines(f"{line}\n" for line in annotation_lines(told))


def _report_all(out: str, told: Told, replays: Replays, first_seed: int, outputs: Outputs) -> None:
    """Write all reports into a folder that can be moved: each names the replay files in it."""
    now = time.gmtime()
    folder = new_folder(Path(out), f"run-{time.strftime('%Y%m%d-%H%M%S', now)}")
    written = {
        name: outputs.attempt(partial(write_replay, replay, folder))
        for name, replay in replays.items()
    }
    beside = Beside(
        {name: path.name for name, path in written.items() if path is not None},
        time.strftime("%Y-%m-%d %H:%M UTC", now),
    )
    results = [replace(each, replay=beside.replays.get(each.name)) for each in told.results]
    movable = replace(told, results=results)
    outputs.attempt(lambda: write_html(told, str(folder / "index.html"), beside))
    outputs.attempt(lambda: write_run_junit(movable, str(folder / "junit.xml")))
    outputs.attempt(lambda: write_markdown(movable, str(folder / "summary.md")))
    document = documents.run_document(movable, first_seed)
    outputs.attempt(lambda: documents.write_document(document, str(folder / "run.json")))
    sys.stderr.write(f"reports are in {folder}\n")


def _seeds(options: argparse.Namespace) -> list[int]:
    if options.seeds is None:
        return [options.seed]
    first, dots, last = options.seeds.partition("..")
    if not (dots and first.isdecimal() and last.isdecimal()):
        raise WrongUsage(f"--seeds {options.seeds} is not a range: write it like 1..50")
    if max(len(first), len(last)) > SEED_DIGITS_MAX:
        raise WrongUsage(f"--seeds: a seed has at most {SEED_DIGITS_MAX} digits")
    seeds = range(int(first), int(last) + 1)
    if not seeds:
        raise WrongUsage(f"--seeds {options.seeds} is not a range: write it like 1..50")
    if len(seeds) > SEEDS_MAX:
        raise WrongUsage(f"--seeds {options.seeds} are more than {SEEDS_MAX:,} seeds")
    return list(seeds)
