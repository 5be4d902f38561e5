"""While a run lasts, refuse what would leave the world: threads, real time, sockets, real chance.

The loop's own methods already refuse; this catches libraries that go around the loop. Whatever is
refused ends the run with an error that names the caller, even if the application swallows it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from scenarios.world.call_watch import watching
from scenarios.world.errors import RealNetworkForbidden, ThreadForbidden, WorldError
from scenarios.world.loop import VirtualTimeLoop
from scenarios.world.outlets import Outlet, outlets
from scenarios.world.refusals import NO_NETWORK, NO_THREADS, refused

_NETWORK_EVENTS = frozenset(
    f"socket.{name}"
    for name in (
        *("connect", "bind", "getaddrinfo", "gethostbyname", "gethostbyaddr", "getnameinfo"),
        *("sendto", "sendmsg"),
    )
)
_PROCESS_EVENTS = frozenset(
    {
        *("subprocess.Popen", "os.system", "os.fork", "os.forkpty"),
        *("os.posix_spawn", "os.exec", "os.spawn", "pty.spawn"),
    }
)

_guarded: dict[int, VirtualTimeLoop] = {}


@contextmanager
def no_way_out(loop: VirtualTimeLoop, *, every_call: bool = False) -> Iterator[None]:
    """Refuse ways out of this thread's run; other threads of the process go on as they were.

    ``every_call`` watches every single call as well: the run takes about twice as long.
    """
    _install_audit_hook()
    if not _guarded:
        for outlet in _outlets():
            outlet.close()
    thread = threading.get_ident()
    _guarded[thread] = loop
    try:
        if not every_call:
            yield
            return
        with watching(lambda *what: _fail(loop, *what)):
            yield
    finally:
        del _guarded[thread]
        if not _guarded:
            for outlet in reversed(_outlets()):
                outlet.open()


@cache
def _outlets() -> list[Outlet]:
    return outlets(_refuse)


def _refuse(kind: type[WorldError], what: str, advice: str) -> None:
    loop = _guarded.get(threading.get_ident())
    if loop is not None:
        raise refused(loop, kind, what, advice)


def _fail(loop: VirtualTimeLoop, kind: type[WorldError], what: str, advice: str) -> None:
    refused(loop, kind, what, advice)


@cache
def _install_audit_hook() -> None:
    # An audit hook can never be removed, so there is one per process and it is idle between runs.
    sys.addaudithook(_audit)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _guarded or (event not in _NETWORK_EVENTS and event not in _PROCESS_EVENTS):
        return
    if event in _NETWORK_EVENTS:
        where = [str(each) for each in arguments if isinstance(each, str | tuple)]
        _refuse(RealNetworkForbidden, f"{event} {' '.join(where)}".rstrip(), NO_NETWORK)
    else:
        _refuse(ThreadForbidden, event, NO_THREADS)
