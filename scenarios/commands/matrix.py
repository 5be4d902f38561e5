"""``matrix``: play every scenario against every broken shop."""

from __future__ import annotations

import argparse

from scenarios.commands import options as common
from scenarios.commands.options import EXIT_STATUS
from scenarios.commands.outputs import Outputs
from scenarios.matrix import Matrix, run_matrix
from scenarios.mutants import MUTANTS
from scenarios.report import documents, terminal
from scenarios.report.files import check_file
from scenarios.report.matrix_terminal import show_matrix
from scenarios.report.write_reports import write_matrix_html
from scenarios.scenario_files import select
from scenarios.verdict import Verdict


def add_to(command: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    common.add_seed(command)
    common.add_target(command)
    command.add_argument(
        "--named", action="store_true", help="only the pairs in which a scenario names the mutant"
    )
    common.add_json(command)
    command.add_argument("--html", metavar="FILE", help="write the table as one page")
    command.set_defaults(work=_work)


def _work(options: argparse.Namespace) -> int:
    common.check_target(options)
    check_file(options.html)
    check_file(options.json)
    scenarios, _ = common.fitting(select([]), options.target)
    with terminal.progress("playing mutants", len(MUTANTS) + 1) as bar:
        table = run_matrix(
            scenarios,
            options.seed,
            options.target,
            common.jobs(options),
            lambda _name, _broken: bar.advance(bar.task_ids[0]),
            named_only=options.named,
        )
    outputs = Outputs()
    if options.html:
        outputs.attempt(
            lambda: write_matrix_html(table, options.seed, options.target, options.html)
        )
    outputs.hand_over(
        lambda console: show_matrix(console, table),
        lambda: documents.matrix_document(table, options.seed, options.target),
        options.json,
    )
    return outputs.status(_exit_status(table))


def _exit_status(table: Matrix) -> int:
    if table.false_alarms or table.survivors:
        return EXIT_STATUS[Verdict.BROKEN]
    return EXIT_STATUS[Verdict.UNPROVEN if table.unproven else Verdict.HELD]
