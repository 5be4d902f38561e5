"""What the virtual loop refuses: threads, sockets, subprocesses; each with a clear sentence."""

from __future__ import annotations

import asyncio
import sys
import sysconfig
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePath
from types import FrameType
from typing import Any, Protocol

from scenarios.world.errors import RealNetworkForbidden, ThreadForbidden, WorldError

_THREADS = ("run_in_executor", "set_default_executor", "subprocess_exec", "subprocess_shell")
_NETWORK = (
    "create_connection",
    "create_server",
    "create_datagram_endpoint",
    "create_unix_connection",
    "create_unix_server",
    "connect_accepted_socket",
    "connect_read_pipe",
    "connect_write_pipe",
    "getaddrinfo",
    "getnameinfo",
    "sock_accept",
    "sock_connect",
    "sock_recv",
    "sock_recv_into",
    "sock_recvfrom",
    "sock_recvfrom_into",
    "sock_sendall",
    "sock_sendfile",
    "sock_sendto",
    "sendfile",
    "start_tls",
    "add_reader",
    "add_writer",
    "remove_reader",
    "remove_writer",
)

NO_THREADS = "the simulated world has no threads: make the code async from end to end"
NO_NETWORK = "the simulated world has no real network: use the transport that was passed in"

_LIBRARIES = tuple(
    str(Path(folder).resolve())
    for folder in {
        sysconfig.get_path("stdlib"),
        sysconfig.get_path("purelib"),
        str(Path(__file__).parent),
    }
)


class _Failing(Protocol):
    def fail(self, error: BaseException) -> None: ...


def refuse_outside_world(loop_class: type[_Failing]) -> None:
    """Replace each method that reaches out of the process by one that says why not."""
    for name in _THREADS:
        setattr(loop_class, name, _refusal(name, ThreadForbidden, NO_THREADS))
    for name in _NETWORK:
        setattr(loop_class, name, _refusal(name, RealNetworkForbidden, NO_NETWORK))


def _refusal(name: str, kind: type[WorldError], advice: str) -> Callable[..., Any]:
    def refuse(loop: _Failing, *arguments: object, **_: object) -> None:
        raise refused(loop, kind, f"loop.{name}{_functions(arguments)}", advice)

    refuse.__name__ = name
    return refuse


def refused(loop: _Failing, kind: type[WorldError], what: str, advice: str) -> WorldError:
    """Return the error, and fail the run with it even if the application swallows it."""
    error = kind(f"{what} was called by {caller()}; {advice}")
    loop.fail(error)
    return error


def _functions(arguments: tuple[object, ...]) -> str:
    names = [name for each in arguments if callable(each) for name in _names(each)]
    return f" (to run {names[-1]})" if names else ""


def _names(function: Any) -> list[str]:
    if isinstance(function, partial):
        return [name for each in (function.func, *function.args) for name in _names(each)]
    name = getattr(function, "__qualname__", None)
    return [name] if name else []


def caller() -> str:
    """Return the nearest code of a service or test on the stack, and the task that it runs in."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_library(frame.f_code.co_filename):
        frame = frame.f_back
    task = asyncio.current_task()
    in_task = f" in {task.get_name()!r}" if task else ""
    if frame is None:
        return f"a library{in_task}"
    path = PurePath(frame.f_code.co_filename)
    return f"{path.parent.name}/{path.name}:{frame.f_lineno} {frame.f_code.co_name}{in_task}"


def _is_library(filename: str) -> bool:
    return filename.startswith("<") or filename.startswith(_LIBRARIES)
