"""What several commands take: their common options, read and checked in one place."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from scenarios.errors import WrongUsage
from scenarios.mutants import CORRECT, MUTANTS
from scenarios.run_suite import LIVE, SIMULATED, TARGETS, is_external
from scenarios.scenario import Scenario
from scenarios.targets.external_fit import why_not_external
from scenarios.targets.live import why_not_live
from scenarios.targets.target_file import load_target
from scenarios.verdict import Verdict

DEFAULT_SEED = 1
EXTERNAL_JOBS_PER_CORE = 4
EXIT_STATUS = {Verdict.HELD: 0, Verdict.BROKEN: 1, Verdict.UNPROVEN: 3}


def add_seed(command: argparse.ArgumentParser) -> None:
    """Let the command take ``--seed``."""
    command.add_argument("--seed", type=int, default=DEFAULT_SEED, help="default: 1")


def add_json(command: argparse.ArgumentParser) -> None:
    """Let the command take ``--json``."""
    command.add_argument("--json", metavar="FILE", help="write JSON to FILE, or - for stdout")


def add_shop(command: argparse.ArgumentParser) -> None:
    """Let the command take ``--shop``."""
    command.add_argument(
        "--shop", default=CORRECT, metavar="correct|MUTANT", help="default: correct"
    )


def add_target(command: argparse.ArgumentParser, *, takes_files: bool = False) -> None:
    """Let the command take ``--target`` and ``--jobs``."""
    places = "sim (default), live, or a .toml file that describes your own service"
    command.add_argument(
        "--target", default=SIMULATED, help=places if takes_files else "sim (default) or live"
    )
    command.add_argument("--jobs", type=int, metavar="N", help="processes; default: one per core")


def check_shop(options: argparse.Namespace) -> None:
    """Raise WrongUsage for a shop that there is not."""
    if options.shop != CORRECT and options.shop not in MUTANTS:
        raise WrongUsage(
            f"--shop {options.shop} is not known: use {CORRECT} or {', '.join(MUTANTS)}"
        )


def check_shop_is_ours(options: argparse.Namespace) -> None:
    """Raise WrongUsage where a broken shop of ours is asked for on somebody's own service."""
    if is_external(options.target) and options.shop != CORRECT:
        raise WrongUsage("--shop is a choice among our own shops; --target FILE brings its own")


def check_target(options: argparse.Namespace, *, takes_files: bool = False) -> None:
    """Raise WrongUsage for a target that there is not, or a number of processes that cannot be."""
    if takes_files and is_external(options.target):
        load_target(Path(options.target))
    elif options.target not in TARGETS:
        allowed = [*TARGETS, *(["a .toml file that describes your service"] * takes_files)]
        raise WrongUsage(f"--target {options.target} is not known: use {' or '.join(allowed)}")
    if options.jobs is not None and options.jobs < 1:
        raise WrongUsage(f"--jobs {options.jobs} is not 1 or more")


def jobs(options: argparse.Namespace) -> int:
    """Return how many runs go on at once; live ones mostly wait, so several share a core."""
    cores = os.cpu_count() or 1
    if is_external(options.target):
        if not load_target(Path(options.target)).shares_nothing:
            return 1
        return int(options.jobs or EXTERNAL_JOBS_PER_CORE * cores)
    return int(options.jobs or (2 * cores if options.target == LIVE else cores))


def cores(options: argparse.Namespace) -> int:
    """Return how many processes to use for work that only computes."""
    return int(options.jobs or os.cpu_count() or 1)


def why_not_on(target: str) -> Callable[[Scenario], str | None]:
    """Return a function that says why a scenario cannot be played on the target, or None."""
    if target == SIMULATED:
        return lambda _: None
    if is_external(target):
        return partial(why_not_external, target=load_target(Path(target)))
    return why_not_live


def fitting(scenarios: list[Scenario], target: str) -> tuple[list[Scenario], dict[str, str]]:
    """Part the scenarios that the target can play from those that it cannot, with the reason."""
    why_not = why_not_on(target)
    reasons = {scenario.name: why_not(scenario) for scenario in scenarios}
    left_out = {name: reason for name, reason in reasons.items() if reason is not None}
    return [scenario for scenario in scenarios if scenario.name not in left_out], left_out
