"""What ``make load`` runs: services are started, buyers buy, and then the books must balance.

Exit status: 0 they balance and nothing failed; 1 not; 2 wrong usage; 3 nothing could be shown.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import httpx

from loadtests.conservation import Books, account, findings
from loadtests.processes import CouldNotStart, last_lines, running, started
from loadtests.read_books import Services, read_settled_books

BROKEN, NOTHING_SHOWN, INTERRUPTED = 1, 3, 130
LOCUSTFILE = Path(__file__).with_name("locustfile.py")
SETTLE_AFTER = "200ms"
RETRIES = "1s,2s,4s,8s"
# The shop asks about an order that is still pending after a minute: that must have its chance.
SETTLED_WITHIN_S = 90.0
# Buyers that wait when the time is up may see their orders paid: as long as they would have waited.
STOP_TIMEOUT_S = 35
LOCUST_START_S = 30
SERVICES = PROVIDER, WAREHOUSE, SHOP = "provider", "warehouse", "shop"
_DURATION = re.compile(r"(\d+)(s|m)?")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the load test; return the exit status."""
    options = _parser().parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        with tempfile.TemporaryDirectory(prefix="load-") as folder:
            return _run(options, Path(folder))
    except CouldNotStart as problem:
        print(f"load: {problem}", file=sys.stderr)
        return NOTHING_SHOWN
    except httpx.HTTPError as problem:
        print(f"load: a service no longer answers as it should: {problem!r}", file=sys.stderr)
        return BROKEN
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.run_load",
        description="Let buyers order under load, then check that no payment or order was lost.",
    )
    parser.add_argument("--users", type=_positive, default=20, help="buyers at a time; default: 20")
    parser.add_argument("--spawn-rate", type=_positive, help="new buyers a second; default: all")
    parser.add_argument(
        "--time", type=_seconds, default=20, metavar="DURATION", help="like 20s or 2m; default: 20s"
    )
    return parser


def _positive(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")


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


def _run(options: argparse.Namespace, folder: Path) -> int:
    with _services(folder) as services:
        print(
            f"{options.users} buyers for {options.time} s at {services.shop_url}; "
            f"the provider settles a payment after {SETTLE_AFTER}.\n",
            flush=True,
        )
        result = _let_buyers_buy(options, services.shop_url, folder)
        for line in table(result["requests"]):
            print(line)
        print(flush=True)
        books, waited_s, pending = read_settled_books(services, SETTLED_WITHIN_S)
    if pending:
        print(f"After {waited_s:.0f} s of waiting, {pending} are still pending.")
    else:
        print(f"Everything settled within {waited_s:.1f} s after the last buyer left.")
    status = verdict(books, result["failures"], pending)
    if status == BROKEN:
        for name in SERVICES:
            print(f"The {name} last said: {last_lines(name, folder)}")
    return status


@contextmanager
def _services(folder: Path) -> Iterator[Services]:
    """Start provider, warehouse and shop on free ports. Raises CouldNotStart."""
    if importlib.util.find_spec("locust") is None:
        raise CouldNotStart("locust is missing: run make setup, or install psp-scenarios[load]")
    key = f"sk_test_{secrets.token_hex(12)}"
    local = ("serve", "--host", "127.0.0.1", "--port", "0", "--database")
    provider = ("psp_sim", *local, f"sqlite:///{folder}/psp.sqlite3")
    delays = ("--settle-after", SETTLE_AFTER, "--retry-schedule", RETRIES)
    merchant = ("shop", *local, f"sqlite:///{folder}/shop.sqlite3")
    with ExitStack() as stack:
        psp_url = stack.enter_context(
            running(PROVIDER, (*provider, *delays), folder, {"PSP_API_KEY": key})
        )
        warehouse_url = stack.enter_context(
            running(WAREHOUSE, ("loadtests.warehouse", "--port", "0"), folder)
        )
        links = ("--psp", psp_url, "--warehouse-url", f"{warehouse_url}/fulfilments")
        shop_url = stack.enter_context(
            running(SHOP, (*merchant, *links), folder, {"SHOP_PSP_KEY": key})
        )
        yield Services(psp_url, key, shop_url, warehouse_url)


def _let_buyers_buy(options: argparse.Namespace, shop_url: str, folder: Path) -> dict[str, Any]:
    """Run locust, which needs a process of its own, to its end; return its figures.

    Raises CouldNotStart.
    """
    result_file = folder / "result.json"
    command = (
        *("locust", "--locustfile", str(LOCUSTFILE), "--host", shop_url, "--headless"),
        *("--users", str(options.users), "--spawn-rate", str(options.spawn_rate or options.users)),
        *("--run-time", f"{options.time}s", "--stop-timeout", str(STOP_TIMEOUT_S)),
        *("--only-summary", "--exit-code-on-error", "0"),
    )
    environment = {"LOAD_RESULT_FILE": str(result_file)}
    with started("locust", command, folder, environment) as process:
        _wait(process, options.time)
    if process.returncode != 0 or not result_file.exists():
        raise CouldNotStart(f"locust did not finish: {last_lines('locust', folder)}")
    result: dict[str, Any] = json.loads(result_file.read_text(encoding="utf-8"))
    return result


def _wait(process: subprocess.Popen[bytes], run_s: int) -> None:
    started_at = time.monotonic()
    is_watched = sys.stderr.isatty()
    while process.poll() is None:
        passed_s = time.monotonic() - started_at
        if passed_s > run_s + STOP_TIMEOUT_S + LOCUST_START_S:
            return
        if is_watched:
            print(f"\r  {min(passed_s, run_s):.0f} of {run_s} s", end="", file=sys.stderr)
        time.sleep(0.2)
    if is_watched:
        print("\r" + " " * 20, end="\r", file=sys.stderr)


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


def verdict(books: Books, failures: Sequence[dict[str, Any]], pending: str) -> int:
    """Print the account and every finding; return the exit status."""
    for sentence in account(books):
        print(sentence)
    problems = findings(books)
    for failure in failures:
        problems.append(f"{failure['what']} failed {failure['count']:,} times: {failure['why']}.")
    for sentence in problems:
        print(f"✗ {sentence}")
    if problems or pending:
        print("The books do not balance, or something failed.")
        return BROKEN
    if not books.captured:
        print("No order was paid, so nothing was shown.")
        return NOTHING_SHOWN
    print("✓ The books balance: each captured payment is one paid order and one fulfilment.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
