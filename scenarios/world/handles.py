"""Handles and timers as asyncio knows them, without the debugging aids that cost half of a step."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any


class SlimHandle(asyncio.Handle):
    """A callback that is due now."""

    __slots__ = ()

    _context: contextvars.Context
    _callback: Callable[..., object]
    _args: tuple[Any, ...]

    def __init__(
        self,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: contextvars.Context | None,
    ) -> None:
        self._context = contextvars.copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None


class SlimTimer(asyncio.TimerHandle):
    """A callback that is due at ``when`` seconds; the loop keeps the exact time."""

    __slots__ = ()

    _context: contextvars.Context
    _callback: Callable[..., object]
    _args: tuple[Any, ...]
    _scheduled: bool

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: contextvars.Context | None,
    ) -> None:
        self._when = when
        self._scheduled = True
        self._context = contextvars.copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None
