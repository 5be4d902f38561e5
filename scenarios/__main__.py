"""The command line: list, run, matrix."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from scenarios.errors import Unreachable, WrongUsage
from scenarios.matrix import run_matrix
from scenarios.mutants import CORRECT, MUTANTS
from scenarios.report import documents, terminal
from scenarios.run_suite import LIVE, SIMULATED, TARGETS, run_suite
from scenarios.scenario import Scenario
from scenarios.scenario_files import select
from scenarios.targets.live import why_not_live
from scenarios.verdict import Verdict, overall

DEFAULT_SEED = 1
EXIT_STATUS = {Verdict.HELD: 0, Verdict.BROKEN: 1, Verdict.UNPROVEN: 3}
WRONG_USAGE = 2
NOTHING_PROVEN = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.work
    try:
        return command(options)
    except WrongUsage as problem:
        print(f"psp-scenarios: {problem}", file=sys.stderr)
        return WRONG_USAGE
    except Unreachable as problem:
        print(f"psp-scenarios: {problem}", file=sys.stderr)
        return NOTHING_PROVEN
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="psp-scenarios", description="Prove whether a webhook consumer is correct."
    )
    commands = parser.add_subparsers(dest="command", required=True)

    listing = commands.add_parser("list", help="show scenarios, invariants, mutants and faults")
    listing.add_argument("--json", metavar="FILE", help="write JSON to FILE, or - for stdout")
    listing.set_defaults(work=_list)

    run = commands.add_parser("run", help="play scenarios and say which promises held")
    run.add_argument("scenarios", nargs="*", metavar="NAME|TAG|FILE", help="default: all")
    run.add_argument("--seed", type=int, default=DEFAULT_SEED, help="default: 1")
    run.add_argument(
        "--seeds", metavar="A..B", help="play each scenario with every seed from A to B"
    )
    run.add_argument("--shop", default=CORRECT, metavar="correct|MUTANT", help="default: correct")
    _add_common(run)
    run.set_defaults(work=_run)

    matrix = commands.add_parser("matrix", help="play every scenario against every broken shop")
    matrix.add_argument("--seed", type=int, default=DEFAULT_SEED, help="default: 1")
    _add_common(matrix)
    matrix.set_defaults(work=_matrix)
    return parser


def _add_common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--target", default=SIMULATED, help="sim (default) or live")
    command.add_argument("--jobs", type=int, metavar="N", help="processes; default: one per core")
    command.add_argument("--json", metavar="FILE", help="write JSON to FILE, or - for stdout")


def _list(options: argparse.Namespace) -> int:
    scenarios = select([])
    if options.json != documents.STANDARD_OUTPUT:
        terminal.show_list(terminal.make_console(), scenarios)
    if options.json:
        documents.write_document(documents.list_document(scenarios), options.json)
    return 0


def _run(options: argparse.Namespace) -> int:
    _check_common(options)
    if options.shop != CORRECT and options.shop not in MUTANTS:
        raise WrongUsage(
            f"--shop {options.shop} is not known: use {CORRECT} or {', '.join(MUTANTS)}"
        )
    seeds = _seeds(options)
    scenarios, left_out = _fitting(select(options.scenarios), options.target)
    with terminal.progress("playing", len(scenarios)) as bar:
        results = run_suite(
            scenarios,
            seeds,
            options.target,
            options.shop,
            _jobs(options),
            lambda _: bar.advance(bar.task_ids[0]),
        )
    console = terminal.make_console(to_stderr=options.json == documents.STANDARD_OUTPUT)
    shown = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]}..{seeds[-1]}"
    terminal.show_results(console, results, shown)
    for name, reason in left_out.items():
        console.print(f"left out: [bold]{name}[/bold], since {reason}")
    if options.json:
        document = documents.run_document(results, seeds[0], options.target, options.shop)
        documents.write_document(document, options.json)
    return EXIT_STATUS[overall(results)]


def _matrix(options: argparse.Namespace) -> int:
    _check_common(options)
    scenarios, _ = _fitting(select([]), options.target)
    with terminal.progress("playing mutants", len(MUTANTS) + 1) as bar:
        table = run_matrix(
            scenarios,
            options.seed,
            options.target,
            _jobs(options),
            lambda _name, _broken: bar.advance(bar.task_ids[0]),
        )
    console = terminal.make_console(to_stderr=options.json == documents.STANDARD_OUTPUT)
    terminal.show_matrix(console, table)
    if options.json:
        document = documents.matrix_document(table, options.seed, options.target)
        documents.write_document(document, options.json)
    if table.false_alarms or table.survivors:
        return EXIT_STATUS[Verdict.BROKEN]
    return EXIT_STATUS[Verdict.UNPROVEN if table.unproven else Verdict.HELD]


def _check_common(options: argparse.Namespace) -> None:
    if options.target not in TARGETS:
        raise WrongUsage(f"--target {options.target} is not known: use {' or '.join(TARGETS)}")
    if options.jobs is not None and options.jobs < 1:
        raise WrongUsage(f"--jobs {options.jobs} is not 1 or more")


def _fitting(scenarios: list[Scenario], target: str) -> tuple[list[Scenario], dict[str, str]]:
    """Part the scenarios that the target can play from those that it cannot, with the reason."""
    if target != LIVE:
        return scenarios, {}
    reasons = {scenario.name: why_not_live(scenario) for scenario in scenarios}
    left_out = {name: reason for name, reason in reasons.items() if reason is not None}
    return [scenario for scenario in scenarios if scenario.name not in left_out], left_out


def _seeds(options: argparse.Namespace) -> list[int]:
    if options.seeds is None:
        return [options.seed]
    first, dots, last = options.seeds.partition("..")
    if not (dots and first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
        raise WrongUsage(f"--seeds {options.seeds} is not a range: write it like 1..50")
    return list(range(int(first), int(last) + 1))


def _jobs(options: argparse.Namespace) -> int:
    """Return how many processes to use; live runs mostly wait, so two of them share a core."""
    cores = os.cpu_count() or 1
    return int(options.jobs or (2 * cores if options.target == LIVE else cores))


if __name__ == "__main__":
    sys.exit(main())
