"""The shop as it is, but each event takes so many milliseconds more to process.

``python -m benchmarks.slow_shop 100 serve …`` takes the options of ``python -m shop serve``.
"""

from __future__ import annotations

import asyncio
import sys

from shop.__main__ import main
from shop.domain.inbox import InboxRow
from shop.parts import Parts
from shop.ports import Shop
from shop.process_inbox import process_event


def parts_taking(extra_s: float) -> Parts:
    """The correct steps, with this much added to the processing of each event."""

    async def process_slowly(shop: Shop, row: InboxRow) -> None:
        await asyncio.sleep(extra_s)
        await process_event(shop, row)

    return Parts(process_event=process_slowly)


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:], parts_taking(float(sys.argv[1]) / 1000)))
