"""A broken shop as a process: ``python -m scenarios.mutants NAME serve …``."""

from __future__ import annotations

import sys

from scenarios.mutants import MUTANTS
from shop.__main__ import main as serve_shop


def main(arguments: list[str]) -> int:
    """Serve the named mutant with the shop's own options; return the exit status."""
    if not arguments or arguments[0] not in MUTANTS:
        print(f"name a mutant first: {', '.join(MUTANTS)}", file=sys.stderr)
        return 2
    name, *rest = arguments
    return serve_shop(rest, MUTANTS[name].parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
