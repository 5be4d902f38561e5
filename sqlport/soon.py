"""An answer within a time, from a driver that may not end when it is asked to."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def soon(work: Coroutine[Any, Any, T], limit_s: float) -> T:
    """Return what the work returns. Raises TimeoutError after ``limit_s`` seconds.

    With a server that says nothing, a driver goes on waiting for it when it is cancelled: then the
    work is left behind, and ends when the server is heard of again.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait([task], timeout=limit_s)
        if not task.done():
            raise TimeoutError
        return task.result()
    finally:
        if not task.done():
            task.add_done_callback(_forget)
            task.cancel()


def _forget(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()
