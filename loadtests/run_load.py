"""What ``make load`` runs: services are started with faults on, users come, the books must balance.

Exit status: 0 they balance, nothing failed and every threshold was kept to; 1 not; 2 wrong usage;
3 nothing could be shown.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import httpx

from loadtests.locust_run import CONSTANT, SHAPES, SOAK, SUITES, Load, run_locust
from loadtests.processes import CouldNotStart, last_lines
from loadtests.read_books import READ_TIMEOUT_S, Services
from loadtests.services import Target, consumer, shop_alone, whole_stack
from loadtests.signing import DIALECTS
from loadtests.steadiness import Samples, changes, grown, waiting_times
from loadtests.thresholds import (
    SoakLimits,
    Thresholds,
    WrongThresholds,
    crossed,
    read_thresholds,
)
from loadtests.verify import BROKEN, NOTHING_SHOWN, verify_books

WRONG_USAGE, INTERRUPTED = 2, 130
THRESHOLDS = Path(__file__).with_name("thresholds.toml")
REPORTS = Path("reports/load")
WITHOUT_FAULTS = "calm"
# As the provider names them; it is a program of its own here, of which nothing is imported.
PRESETS = (WITHOUT_FAULTS, "flaky", "storm", "blackout", "hostile")
PORT_MAX = 65535
_DURATION = re.compile(r"(\d+)(s|m)?")


class CannotWrite(Exception):
    """The reports have no place to go to."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the load test; return the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.webhook_url and options.suite != "webhooks":
        parser.error("--webhook-url goes with --suite webhooks")
    if options.webhook_url and not os.environ.get("LOAD_WEBHOOK_SECRET"):
        parser.error("set LOAD_WEBHOOK_SECRET to the secret that the consumer verifies with")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        thresholds = read_thresholds(options.thresholds, tuple(SUITES))
        _check_reports(options.reports)
        with tempfile.TemporaryDirectory(prefix="load-") as folder:
            return _run(options, thresholds, Path(folder))
    except (WrongThresholds, CannotWrite) as problem:
        print(f"load: {problem}", file=sys.stderr)
        return WRONG_USAGE
    except CouldNotStart as problem:
        print(f"load: {problem}", file=sys.stderr)
        return NOTHING_SHOWN
    except httpx.HTTPError as problem:
        print(f"load: a service no longer answers as it should: {problem!r}", file=sys.stderr)
        return BROKEN
    except KeyboardInterrupt:
        return INTERRUPTED


def _check_reports(folder: Path) -> None:
    """Make the folder, and see that files can be made there. Raises CannotWrite."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as problem:
        raise CannotWrite(f"cannot write into {folder}: {problem.strerror}") from problem


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.run_load",
        description="Let users come under load and faults, then check that nothing was lost.",
    )
    add = parser.add_argument
    add("--suite", choices=SUITES, default="mixed", help="who comes; default: mixed")
    add("--users", type=_positive, default=20, help="users at a time; default: 20")
    add("--spawn-rate", type=_positive, help="new users a second; default: all")
    add("--time", type=_seconds, default=20, metavar="DURATION", help="20s or 2m; default: 20s")
    add("--shape", choices=SHAPES, default=CONSTANT, help="how the load grows; default: constant")
    faults = "faults of the provider by name; default: flaky"
    add("--preset", choices=PRESETS, default="flaky", help=faults)
    add("--workers", type=_workers, default=0, help="processes beside locust's master; default: 0")
    add("--web-port", type=_port, help="show locust's page on this port while it runs")
    add("--thresholds", type=Path, default=THRESHOLDS, metavar="FILE", help="what to keep to")
    add("--reports", type=Path, default=REPORTS, metavar="DIR", help="where HTML and CSV go")
    add("--webhook-url", help="with --suite webhooks: a consumer that runs already; its secret")
    add("--dialect", choices=DIALECTS, default="standard", help="is in LOAD_WEBHOOK_SECRET")
    return parser


def _positive(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")


def _workers(text: str) -> int:
    return 0 if text == "0" else _positive(text)


def _port(text: str) -> int:
    port = _positive(text)
    if port > PORT_MAX:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to {PORT_MAX}")
    return port


def _seconds(text: str) -> int:
    found = _DURATION.fullmatch(text)
    if found and int(found[1]) > 0:
        return int(found[1]) * (60 if found[2] == "m" else 1)
    raise argparse.ArgumentTypeError(f"{text!r} is not a duration: write it like 20s or 2m")


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    # Once only: a second Ctrl-C must not break off the tidying up after the first.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


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
        status = _verify(target.books, options.preset)
    problems = [
        *(_told(failure) for failure in result["failures"]),
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


def _told(failure: Mapping[str, Any]) -> str:
    return f"{failure['what']} failed {failure['count']:,} times: {failure['why']}."


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
        return nullcontext(consumer(options.webhook_url, secret, options.dialect))
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


def _verify(books: Services | None, preset: str) -> int:
    """Lift all faults, tell how often they fired, and compare the books. Raises httpx.HTTPError."""
    if books is None:
        return 0
    fired = _lift_faults(books)
    told = ", ".join(f"{kind} ×{count}" for kind, count in sorted(fired.items())) or "none"
    print(f"Faults that fired: {told}.\n", flush=True)
    status = verify_books(books)
    if status == 0 and not fired and preset != WITHOUT_FAULTS:
        print(f"No fault of {preset} fired, so nothing was shown: let it run for longer.")
        return NOTHING_SHOWN
    return status


def _lift_faults(books: Services) -> Mapping[str, int]:
    with httpx.Client(base_url=books.psp_url, trust_env=False, timeout=READ_TIMEOUT_S) as client:
        fired: dict[str, int] = client.get("/_control/faults").raise_for_status().json()["fired"]
        client.delete("/_control/faults").raise_for_status()
    return fired


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
