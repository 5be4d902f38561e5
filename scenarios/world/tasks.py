"""A task with a fixed place in every set, which can say where it waits and be closed for good."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import PurePath
from typing import Any

_CLOSE_ATTEMPTS = 100
_LISTED = 12


class VirtualTask(asyncio.Task[Any]):
    """A task whose hash is its number: sets of tasks iterate alike in every process."""

    __slots__ = ("context", "number")

    def __init__(
        self,
        number: int,
        coro: Coroutine[Any, Any, Any],
        *,
        loop: asyncio.AbstractEventLoop,
        name: str,
        context: contextvars.Context,
    ) -> None:
        self.number = number
        self.context = context
        super().__init__(coro, loop=loop, name=name, context=context)

    def __hash__(self) -> int:
        return self.number

    @property
    def failed_unseen(self) -> bool:
        """Whether the task raised and nobody has asked for its result."""
        return bool(self._log_traceback)

    def close_coroutine(self) -> None:
        """End the coroutine where it stands; whatever its ``finally`` blocks raise is dropped.

        Code that awaits or swallows on its way out is suspended once more, hence the attempts. The
        innermost coroutine goes first: an outer one would end, and drop it while it still waits.
        """
        if self.done():
            return
        outermost = self.get_coro()
        for _ in range(_CLOSE_ATTEMPTS):
            coroutine = _innermost(outermost)
            with suppress(BaseException):  # nobody is left to tell
                self.context.run(coroutine.close)
            if getattr(outermost, "cr_frame", None) is None:
                return

    def describe(self) -> str:
        """Return the task's name and the place in the code where it waits."""
        return f"{self.get_name()} at {_innermost_place(self.get_coro())}"


def describe_all(tasks: list[VirtualTask]) -> str:
    """Return one line that names the tasks, oldest first, and does not grow without end."""
    shown = ", ".join(task.describe() for task in tasks[:_LISTED]) or "nothing"
    return shown if len(tasks) <= _LISTED else f"{shown} and {len(tasks) - _LISTED} more"


def _innermost(coroutine: Any) -> Any:
    while getattr(getattr(coroutine, "cr_await", None), "cr_frame", None) is not None:
        coroutine = coroutine.cr_await
    return coroutine


def _innermost_place(coroutine: Any) -> str:
    place = getattr(coroutine, "__qualname__", "?")
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is not None:
            path = PurePath(frame.f_code.co_filename)
            place = f"{path.parent.name}/{path.name}:{frame.f_lineno} {frame.f_code.co_name}"
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
    return place
