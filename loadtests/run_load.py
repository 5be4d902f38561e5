"""What ``make load`` runs: services are started with faults on, users come, the books must balance.

Exit status: 0 they balance, nothing failed and every threshold was kept to; 1 not; 2 wrong usage;
3 nothing could be shown.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from loadtests.arguments import (
    PRESETS,
    check_reports,
    check_web_port,
    port_number,
    positive,
    seconds,
    zero_or_more,
)
from loadtests.command import exit_status
from loadtests.end_orphans import temporary_folder
from loadtests.locust_run import CONSTANT, SHAPES, SOAK, SUITES, Load, run_locust
from loadtests.processes import CouldNotStart, last_lines
from loadtests.services import Target, consumer, shop_alone, whole_stack
from loadtests.signing import DIALECTS
from loadtests.steadiness import Samples, changes, grown, waiting_times
from loadtests.target_address import check_target
from loadtests.thresholds import (
    SoakLimits,
    Thresholds,
    crossed,
    read_thresholds,
)
from loadtests.verify import BROKEN, lift_and_verify

THRESHOLDS = Path(__file__).with_name("thresholds.toml")
REPORTS = Path("reports/load")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the load test; return the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.webhook_url and options.suite != "webhooks":
        parser.error("--webhook-url goes with --suite webhooks")
    if options.webhook_url and not os.environ.get("LOAD_WEBHOOK_SECRET"):
        parser.error("set LOAD_WEBHOOK_SECRET to the secret that the consumer verifies with")
    return exit_status("load", lambda: _run_in_folder(options))


def _run_in_folder(options: argparse.Namespace) -> int:
    thresholds = read_thresholds(options.thresholds, tuple(SUITES))
    if options.webhook_url:
        check_target(options.webhook_url, allow_public=options.allow_public_targets)
    if options.web_port:
        check_web_port(options.web_port)
    check_reports(options.reports)
    with temporary_folder("load-") as folder:
        return _run(options, thresholds, folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.run_load",
        description="Let users come under load and faults, then check that nothing was lost.",
    )
    add = parser.add_argument
    add("--suite", choices=SUITES, default="mixed", help="who comes; default: mixed")
    add("--users", type=positive, default=20, help="users at a time; default: 20")
    add("--spawn-rate", type=positive, help="new users a second; default: all")
    add("--time", type=seconds, default=20, metavar="DURATION", help="20s or 2m; default: 20s")
    add("--shape", choices=SHAPES, default=CONSTANT, help="how the load grows; default: constant")
    faults = "faults of the provider by name; default: flaky"
    add("--preset", choices=PRESETS, default="flaky", help=faults)
    workers = "processes beside locust's master; default: 0"
    add("--workers", type=zero_or_more, default=0, help=workers)
    add("--web-port", type=port_number, help="show locust's page on this port while it runs")
    add("--thresholds", type=Path, default=THRESHOLDS, metavar="FILE", help="what to keep to")
    add("--reports", type=Path, default=REPORTS, metavar="DIR", help="where HTML and CSV go")
    add("--webhook-url", help="with --suite webhooks: a consumer that runs already; its secret")
    allow = "flood a public address too; else it has to be of this machine or private"
    add("--allow-public-targets", action="store_true", help=allow)
    add("--dialect", choices=DIALECTS, default="standard", help="is in LOAD_WEBHOOK_SECRET")
    return parser


def _run(options: argparse.Namespace, thresholds: Thresholds, folder: Path) -> int:
    if importlib.util.find_spec("locust") is None:
        raise CouldNotStart("locust is missing: run make setup, or install psp-scenarios[load]")
    # Only now: what it imports comes with locust. And not later: an import that Ctrl-C breaks off
    # lets Python end as if nobody had caught that.
    from loadtests.memory_watch import watched_memory

    with _target(options, folder) as target:
        print(f"{options.users} users ({options.suite}) for {options.time} s at {target.told}.\n")
        sys.stdout.flush()
        with watched_memory(target.process_ids, options.time) as memory:
            result = run_locust(_load(options), target.environment, folder)
        for line in table(result["requests"]):
            print(line)
        print(f"\nReports: {options.reports}/{options.suite}.html and {options.suite}_*.csv")
        if result["silence"] and not result["answered"]:
            raise CouldNotStart(f"{target.told}: {result['silence']}")
        status = lift_and_verify(target.books, options.preset) if target.books else 0
    problems = [
        *([f"{result['silence']}."] if result["silence"] else []),
        *told_failures(result["failures"]),
        *crossed(thresholds.requests, options.suite, result["requests"]),
    ]
    if options.shape == SOAK:
        history = options.reports / f"{options.suite}_stats_history.csv"
        problems += _judge_steadiness(thresholds.soak, memory, waiting_times(history))
    status = BROKEN if problems else status
    for sentence in problems:
        print(f"✗ {sentence}")
    if status == BROKEN:
        for name in target.process_ids:
            print(f"The {name} last said: {last_lines(name, folder)}")
    else:
        print("✓ Nothing failed, and every threshold was kept to.")
    return status


def told_failures(failures: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each way in which requests failed."""
    return [f"{one['what']} failed {one['count']:,} times: {one['why']}." for one in failures]


def _judge_steadiness(limits: SoakLimits, memory: Samples, waiting: Samples) -> list[str]:
    """Show how memory and waiting times moved; return a sentence for each that grew too much."""
    print("\nFirst third → last third of the run:")
    problems = []
    for samples, unit, limit in (
        (memory, "MB", limits.memory_growth_percent_max),
        (waiting, "ms", limits.p50_growth_percent_max),
    ):
        found = changes(samples, unit)
        for one in found:
            print(f"  {one.told()}")
        problems += [] if limit is None else grown(found, limit)
    print()
    return problems


def _target(options: argparse.Namespace, folder: Path) -> AbstractContextManager[Target]:
    if options.webhook_url:
        secret = os.environ.get("LOAD_WEBHOOK_SECRET", "")
        may_be_public = options.allow_public_targets
        return nullcontext(
            consumer(options.webhook_url, secret, options.dialect, may_be_public=may_be_public)
        )
    if options.suite == "webhooks":
        return shop_alone(folder)
    return whole_stack(folder, options.preset)


def _load(options: argparse.Namespace) -> Load:
    return Load(
        suite=options.suite,
        users=options.users,
        spawn_rate=options.spawn_rate or options.users,
        time_s=options.time,
        shape=options.shape,
        workers=options.workers,
        web_port=options.web_port,
        reports=options.reports,
    )


def table(requests: Sequence[dict[str, Any]]) -> list[str]:
    """Return the figures of each kind of request as lines of a table."""
    widths = "{:<28}{:>9}{:>10}{:>10}{:>9}{:>9}{:>9}"
    heads = ("request", "count", "failures", "a second", "p50 ms", "p95 ms", "p99 ms")
    return [
        widths.format(*heads),
        *(
            widths.format(
                f"{one['type']:<5}{one['name']}",
                f"{one['count']:,}",
                f"{one['failures']:,}",
                f"{one['per_second']:.1f}",
                *(f"{one[name]:,.0f}" for name in ("p50_ms", "p95_ms", "p99_ms")),
            )
            for one in requests
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
