"""``compare``: what each way of learning an outcome costs, and how late it is."""

from __future__ import annotations

import argparse

from scenarios.commands import options as common
from scenarios.commands.outputs import Outputs
from scenarios.comparison.compare import DEFAULT_FAULTS, DEFAULT_PAYMENTS, compare
from scenarios.comparison.document import comparison_document
from scenarios.comparison.live import LIVE_PAYMENTS, compare_live
from scenarios.comparison.page import write_page
from scenarios.comparison.strategies import STRATEGIES
from scenarios.comparison.terminal import show_comparison
from scenarios.comparison.weather import weather_named
from scenarios.errors import WrongUsage
from scenarios.report import terminal
from scenarios.report.files import check_file
from scenarios.run_suite import LIVE

PAYMENTS_MIN, PAYMENTS_MAX = 10, 100_000


def add_to(command: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    command.add_argument("--payments", type=int, metavar="N", help="default: 1000; live: 30")
    command.add_argument(
        "--faults",
        metavar="NAME",
        help="fault presets, like calm,storm; default: calm,flaky,blackout",
    )
    command.add_argument("--html", metavar="FILE", help="write a report with plots")
    common.add_seed(command)
    common.add_target(command)
    common.add_json(command)
    command.set_defaults(work=_work)


def _work(options: argparse.Namespace) -> int:
    common.check_target(options)
    check_file(options.html)
    check_file(options.json)
    live = options.target == LIVE
    payments = _default_payments(live) if options.payments is None else options.payments
    if not PAYMENTS_MIN <= payments <= PAYMENTS_MAX:
        raise WrongUsage(f"--payments {payments} is not from {PAYMENTS_MIN} to {PAYMENTS_MAX}")
    faults = _default_faults(live) if options.faults is None else tuple(options.faults.split(","))
    for name in faults:
        weather_named(name, 1.0)
    with terminal.progress("comparing", len(faults) * len(STRATEGIES) * (2 if live else 1)) as bar:

        def advance(_: object) -> None:
            bar.advance(bar.task_ids[0])

        results = compare(payments, faults, options.seed, common.cores(options), advance)
        real = compare_live(payments, faults, options.seed, advance) if live else []
    document = comparison_document(results, real, options.seed, options.target)
    outputs = Outputs()
    if options.html:
        outputs.attempt(lambda: write_page(results, real, document, options.html))
    title = f"{payments} payments, seed {options.seed}"
    outputs.hand_over(
        lambda console: show_comparison(console, results, real, title),
        lambda: document,
        options.json,
    )
    return outputs.status(0)


def _default_payments(live: bool) -> int:
    return LIVE_PAYMENTS if live else DEFAULT_PAYMENTS


def _default_faults(live: bool) -> tuple[str, ...]:
    return DEFAULT_FAULTS[:1] if live else DEFAULT_FAULTS
