"""``explore``: search for plans that break a promise, shrink them, tell what they do."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from psp_sim.domain.duration import parse_duration
from scenarios.commands import options as common
from scenarios.commands.options import EXIT_STATUS
from scenarios.commands.outputs import Outputs
from scenarios.errors import WrongUsage
from scenarios.report import terminal
from scenarios.report.exploration import explore_document, show_search
from scenarios.report.files import check_file, check_folder
from scenarios.search.explore import SHRINK_FOR_S, Budget, Search, search
from scenarios.search.tell import tell
from scenarios.search.workers import cores
from scenarios.search.write_failure import Written, write_told
from scenarios.stop_requests import INTERRUPTED, noted_stop
from scenarios.verdict import Verdict

RUNS = 5000
FOLDER = "reports"


def add_to(command: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    common.add_shop(command)
    common.add_seed(command)
    length = command.add_mutually_exclusive_group()
    length.add_argument("--runs", type=int, metavar="N", help=f"plans to play; default: {RUNS}")
    length.add_argument("--for", dest="how_long", metavar="TIME", help="how long, such as 30s")
    limit = f"processor time for shrinking each failure; default: {SHRINK_FOR_S:g}s"
    command.add_argument("--shrink-for", metavar="TIME", default=SHRINK_FOR_S, help=limit)
    command.add_argument("--first", action="store_true", help="stop at the first failure")
    command.add_argument("--jobs", type=int, metavar="N", help="processes; default: one per core")
    command.add_argument("--cluster", metavar="ADDRESS", help="a Dask scheduler to work for us")
    command.add_argument("--out", metavar="DIR", default=FOLDER, help=f"default: {FOLDER}/")
    common.add_json(command)
    command.set_defaults(work=_work)


def _work(options: argparse.Namespace) -> int:
    common.check_shop(options)
    budget = _budget(options)
    check_file(options.json)
    if options.out != FOLDER:
        check_folder(options.out)
    total = budget.runs if budget.runs is not None else budget.seconds
    with noted_stop() as is_to_stop, terminal.progress("exploring", total or 1) as bar:

        def advance(done: Search) -> None:
            reached = done.runs if budget.runs is not None else done.wall_s
            doing = "stopping (once more: at once)" if is_to_stop() else "exploring"
            said = f"{doing}: {done.runs} plans, {done.broken_plans} break a promise"
            bar.update(bar.task_ids[0], completed=reached, description=said)

        found = search(
            options.shop,
            options.seed,
            budget,
            options.jobs or cores(),
            options.cluster,
            advance,
            is_to_stop,
        )
    outputs = Outputs()
    written = _written(found, Path(options.out), outputs)
    outputs.hand_over(
        lambda console: show_search(console, found, written),
        lambda: explore_document(found, written),
        options.json,
    )
    return outputs.status(_exit_status(found))


def _exit_status(found: Search) -> int:
    if found.stopped:
        return INTERRUPTED
    if not found.runs:
        return EXIT_STATUS[Verdict.UNPROVEN]
    return EXIT_STATUS[Verdict.BROKEN if found.failures else Verdict.HELD]


def _budget(options: argparse.Namespace) -> Budget:
    if options.jobs is not None and options.jobs < 1:
        raise WrongUsage(f"--jobs {options.jobs} is not 1 or more")
    shrink_for_s = _duration("--shrink-for", options.shrink_for)
    if options.how_long is not None:
        seconds = _duration("--for", options.how_long)
        return Budget(seconds=seconds, first=options.first, shrink_for_s=shrink_for_s)
    runs = RUNS if options.runs is None else options.runs
    if runs < 1:
        raise WrongUsage(f"--runs {runs} is not 1 or more")
    return Budget(runs=runs, first=options.first, shrink_for_s=shrink_for_s)


def _duration(option: str, text: str | float) -> float:
    try:
        return parse_duration(text)
    except ValueError as problem:
        raise WrongUsage(f"{option}: {problem}") from problem


def _written(found: Search, folder: Path, outputs: Outputs) -> list[Written]:
    written = []
    for failure in found.failures:
        if failure.shrunk is not None:
            plan, invariant = failure.shrunk.plan, failure.invariant
            story = tell(plan, invariant, found.shop)
            write = partial(write_told, story, plan, invariant, found.shop, folder)
            written.append(Written(outputs.attempt(write), story))
    return written
