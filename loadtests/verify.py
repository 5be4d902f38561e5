"""The books after a load: is every captured payment one paid order and one fulfilment?

Against a topology that runs: ``python -m loadtests.verify --psp URL --shop URL --warehouse URL``,
with the provider's key in ``LOAD_PSP_KEY``. Exit status: 0 they balance; 1 not; 3 nothing was sold.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import httpx

from loadtests.arguments import WITHOUT_FAULTS
from loadtests.conservation import Books, account, findings
from loadtests.control_faults import lift_faults
from loadtests.read_books import Services, read_settled_books

BROKEN, NOTHING_SHOWN = 1, 3
# The shop asks about an order that is still pending after a minute: that must have its chance.
SETTLED_WITHIN_S = 90.0


def verify_books(services: Services, within_s: float = SETTLED_WITHIN_S) -> int:
    """Wait until everything is settled, print the account; return the exit status.

    Raises httpx.HTTPError.
    """
    books, waited_s, pending = read_settled_books(services, within_s)
    if pending:
        print(f"After {waited_s:.0f} s of waiting, {pending} are still pending.")
    else:
        print(f"Everything settled within {waited_s:.1f} s after the last buyer left.")
    return verdict(books, pending)


def lift_and_verify(services: Services, preset: str) -> int:
    """Lift all faults, tell how often they fired, and compare the books; return the exit status.

    Raises httpx.HTTPError.
    """
    fired = lift_faults(services.psp_url)
    told = ", ".join(f"{kind} ×{count}" for kind, count in sorted(fired.items())) or "none"
    print(f"Faults that fired: {told}.\n", flush=True)
    status = verify_books(services)
    if status == 0 and not fired and preset != WITHOUT_FAULTS:
        print(f"No fault of {preset} fired, so nothing was shown: let it run for longer.")
        return NOTHING_SHOWN
    return status


def verdict(books: Books, pending: str) -> int:
    """Print the account and every finding; return the exit status."""
    for sentence in account(books):
        print(sentence)
    problems = findings(books)
    for sentence in problems:
        print(f"✗ {sentence}")
    if problems or pending:
        print("The books do not balance.")
        return BROKEN
    if not books.captured:
        print("No order was paid, so nothing was shown.")
        return NOTHING_SHOWN
    print("✓ The books balance: each captured payment is one paid order and one fulfilment.")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the verification; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.verify", description=__doc__)
    for name in ("psp", "shop", "warehouse"):
        parser.add_argument(f"--{name}", required=True, metavar="URL")
    parser.add_argument("--within", type=float, default=SETTLED_WITHIN_S, metavar="SECONDS")
    options = parser.parse_args(arguments)
    key = os.environ.get("LOAD_PSP_KEY", "")
    try:
        return verify_books(
            Services(options.psp, key, options.shop, options.warehouse), options.within
        )
    except httpx.HTTPError as problem:
        print(f"verify: a service does not answer as it should: {problem!r}", file=sys.stderr)
        return NOTHING_SHOWN


if __name__ == "__main__":
    sys.exit(main())
