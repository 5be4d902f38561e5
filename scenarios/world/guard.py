"""While a run lasts, refuse what would leave virtual time: threads, real pauses, real sockets.

The loop's own methods already refuse; this catches libraries that go around the loop.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scenarios.world.errors import RealNetworkForbidden, ThreadForbidden
from scenarios.world.loop import VirtualTimeLoop
from scenarios.world.refusals import NO_NETWORK, NO_THREADS, refused

_NO_PAUSES = "virtual time does not pass while the process sleeps: await asyncio.sleep instead"
_NETWORK_EVENTS = frozenset(
    {"socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"}
)
_PROCESS_EVENTS = frozenset({"subprocess.Popen", "os.system", "os.fork", "os.posix_spawn"})

_guarded: dict[int, VirtualTimeLoop] = {}
_hook_is_installed = False


@contextmanager
def no_way_out(loop: VirtualTimeLoop) -> Iterator[None]:
    """Refuse ways out of this thread's run; other threads of the process go on as they were."""
    _install_audit_hook()
    thread = threading.get_ident()
    start, sleep = threading.Thread.start, time.sleep

    def refuse_start(self: threading.Thread) -> None:
        if threading.get_ident() == thread:
            raise refused(
                loop, ThreadForbidden, f"threading.Thread.start ({self.name})", NO_THREADS
            )
        start(self)

    def refuse_sleep(seconds: float, /) -> None:
        if threading.get_ident() == thread:
            raise refused(loop, ThreadForbidden, "time.sleep", _NO_PAUSES)
        sleep(seconds)

    _guarded[thread] = loop
    threading.Thread.start = refuse_start  # type: ignore[method-assign]
    time.sleep = refuse_sleep  # type: ignore[assignment]
    try:
        yield
    finally:
        threading.Thread.start = start  # type: ignore[method-assign]
        time.sleep = sleep
        del _guarded[thread]


def _install_audit_hook() -> None:
    # An audit hook can never be removed, so there is one per process and it is idle between runs.
    global _hook_is_installed
    if not _hook_is_installed:
        sys.addaudithook(_audit)
        _hook_is_installed = True


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _guarded or (event not in _NETWORK_EVENTS and event not in _PROCESS_EVENTS):
        return
    loop = _guarded.get(threading.get_ident())
    if loop is None:
        return
    if event in _NETWORK_EVENTS:
        where = [str(each) for each in arguments if isinstance(each, str | tuple)]
        raise refused(loop, RealNetworkForbidden, f"{event} {' '.join(where)}".rstrip(), NO_NETWORK)
    raise refused(loop, ThreadForbidden, event, NO_THREADS)
