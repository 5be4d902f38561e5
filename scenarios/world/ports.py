"""What a host's application is given, and what it must be."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import httpx

from sqlport import Database

Scope = MutableMapping[str, Any]
AsgiMessage = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[AsgiMessage]]
Send = Callable[[AsgiMessage], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

CrashMode = Literal["kill", "power"]
CrashSite = Literal["commit", "request", "response"]
CrashWhen = Literal["before", "after"]


class Clock(Protocol):
    """A wall clock."""

    def now(self) -> float:
        """Return the time in Unix seconds, UTC."""
        ...


@dataclass(frozen=True, slots=True)
class HostEnvironment:
    """Everything that one incarnation of a host may use of the world."""

    name: str
    incarnation: int
    clock: Clock
    random: random.Random
    transport: httpx.AsyncBaseTransport
    database: Database


AppFactory = Callable[[HostEnvironment], AsgiApp | Awaitable[AsgiApp]]
