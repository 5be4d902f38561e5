"""The simulated network: requests go in by host name, and answers, delays or failures come out.

Message level: one message per request, one per instant of an answer. The network's own timers
belong to nobody, so they outlive the hosts that caused them.
"""

from __future__ import annotations

import asyncio
import contextvars
import re
from collections import Counter
from collections.abc import Callable
from typing import Literal, Protocol

import httpx

from scenarios.world.exchange import Answer, ArrivingBody, Exchange, Headers, Outcome, Parcel
from scenarios.world.latency import LOCAL_NETWORK, LatencyProfile
from scenarios.world.loop import VirtualTimeLoop, to_us
from scenarios.world.randomness import keyed_fraction
from scenarios.world.rules import (
    Delay,
    Direction,
    Lose,
    Message,
    Pass,
    Rule,
    Rules,
    Unreachable,
    Verdict,
)
from scenarios.world.trace import Trace

HARNESS_ADDRESS = "127.0.0.1"

# Linux gives up on a connection that nobody answers after about this long (tcp_syn_retries = 6).
SYSTEM_CONNECT_TIMEOUT_S = 127.0

Readiness = Literal["accepting", "refusing", "silent"]
MessageKey = Callable[[httpx.Request], str]

_IDENTIFIER = re.compile(r"(?<=/)(?=[^/]{4})[^/]*\d[^/]*")


class Destination(Protocol):
    """A host as the network sees it."""

    address: str

    def readiness(self) -> Readiness:
        """Return what becomes of a connection attempt right now."""
        ...

    def serve(self, exchange: Exchange) -> None:
        """Begin to handle a request that has arrived."""
        ...


def message_key(request: httpx.Request) -> str:
    """Return the method and the path, identifiers blanked so that their values do not matter."""
    return f"{request.method} {blanked(request.url.path)}"


def blanked(path: str) -> str:
    """Return a path with a star for each identifier in it."""
    return _IDENTIFIER.sub("*", path)


class Network:
    """Who can reach whom, how long it takes, and what is lost on the way."""

    def __init__(
        self,
        loop: VirtualTimeLoop,
        trace: Trace,
        seed: int,
        *,
        latency: LatencyProfile = LOCAL_NETWORK,
        message_key: MessageKey = message_key,
    ) -> None:
        self.rules = Rules()
        self.hosts: dict[str, Destination] = {}
        self.message_key = message_key
        self.loop = loop
        self.trace = trace
        self._seed = seed
        self._latency = latency
        self._context = contextvars.Context()
        self._exchanges = 0
        self._keys: Counter[str] = Counter()

    def install(self, rule: Rule) -> None:
        """Put a rule in force for every message that leaves from now on."""
        self.rules.active.append(rule)

    def remove(self, rule: Rule) -> None:
        """Take a rule out of force."""
        self.rules.active.remove(rule)

    def address_of(self, name: str) -> str:
        """Return a host's address; everybody else is the harness."""
        host = self.hosts.get(name)
        return host.address if host else HARNESS_ADDRESS

    def next_number(self, key: str) -> tuple[int, str]:
        """Return a new exchange's number and its full key: the given one and its count."""
        self._exchanges += 1
        self._keys[key] += 1
        return self._exchanges, f"{key}#{self._keys[key]}"

    # -- the way there ------------------------------------------------------------------------

    def send_request(self, exchange: Exchange, connect_timeout_s: float | None) -> None:
        """Let a request leave its source."""
        exchange.sent_us = self.loop.now_us
        self.trace.record(
            "request_sent",
            id=exchange.number,
            source=exchange.source,
            destination=exchange.destination,
            method=exchange.method,
            path=exchange.target,
            key=exchange.key,
            body=exchange.body,
        )
        if exchange.destination not in self.hosts:
            exchange.settle(httpx.ConnectError("[Errno -2] Name or service not known"))
            return
        verdict = self._decide(exchange, "request")
        if isinstance(verdict, Unreachable):
            self._leave_unanswered(exchange, connect_timeout_s)
            return
        self._expire_later(exchange, exchange.read_timeout_s, httpx.ReadTimeout, exchange.sent_us)
        if isinstance(verdict, Lose):
            self.trace.record("request_lost", id=exchange.number)
            return
        delay_us = self._delay_us(exchange, "request", verdict)
        exchange.request_arrives_us = self.loop.now_us + delay_us
        self._after(delay_us, self._arrive, exchange, connect_timeout_s)

    def _arrive(self, exchange: Exchange, connect_timeout_s: float | None) -> None:
        host = self.hosts[exchange.destination]
        readiness = host.readiness()
        if readiness == "accepting":
            self.trace.record("request_arrived", id=exchange.number)
            host.serve(exchange)
        elif readiness == "refusing":
            refusal = httpx.ConnectError("All connection attempts failed")
            delay_us = self._delay_us(exchange, "response", Pass())
            self._after(delay_us, exchange.settle, refusal)
        else:
            self._leave_unanswered(exchange, connect_timeout_s)

    def _leave_unanswered(self, exchange: Exchange, connect_timeout_s: float | None) -> None:
        self.trace.record("request_lost", id=exchange.number)
        limit_s = SYSTEM_CONNECT_TIMEOUT_S if connect_timeout_s is None else connect_timeout_s
        self._expire_later(exchange, limit_s, httpx.ConnectTimeout, exchange.sent_us)

    def _expire_later(
        self,
        exchange: Exchange,
        limit_s: float | None,
        kind: type[httpx.TransportError],
        since_us: int,
    ) -> None:
        if limit_s is not None:
            delay_us = max(0, since_us + to_us(limit_s) - self.loop.now_us)
            exchange.timer = self._after(delay_us, self._expire, exchange, kind)

    def _expire(self, exchange: Exchange, kind: type[httpx.TransportError]) -> None:
        exchange.settle(kind(""))
        self.leave(exchange)

    # -- the way back -------------------------------------------------------------------------

    def depart(self, exchange: Exchange, status: int = 0, headers: Headers | None = None) -> Parcel:
        """Return the parcel of an answer that leaves now; fill it before time passes."""
        now_us = self.loop.now_us
        parcel = exchange.parcel
        if parcel is not None and parcel.departed_us == now_us:
            return parcel
        parcel = exchange.parcel = Parcel(now_us, status, headers or [])
        exchange.parcels += 1
        verdict = self._decide(exchange, "response")
        if exchange.answer_lost or isinstance(verdict, Lose | Unreachable):
            self.trace.record("response_lost", id=exchange.number)
            exchange.answer_lost = parcel.lost = True
            return parcel
        delay_us = self._delay_us(exchange, "response", verdict)
        # Later parts of one answer cannot overtake earlier ones: they share a connection.
        exchange.answer_arrives_us = max(exchange.answer_arrives_us, now_us + delay_us)
        self._after(exchange.answer_arrives_us - now_us, self._come_back, exchange, parcel)
        return parcel

    def cut(self, exchange: Exchange) -> None:
        """Close the server's end of the connection; the client hears of it one message later."""
        exchange.answered = True
        self.depart(exchange).cut = True

    def vanish(self, exchange: Exchange) -> None:
        """The server lost power: the half of an answer that it was sending never left."""
        if exchange.parcel is not None and exchange.parcel.departed_us == self.loop.now_us:
            exchange.parcel.lost = True

    def _come_back(self, exchange: Exchange, parcel: Parcel) -> None:
        if parcel.lost or exchange.client_gone:
            return
        if exchange.rest is not None:
            exchange.rest.feed(parcel)
            return
        kind = "disconnect_arrived" if parcel.cut else "response_arrived"
        took_us = self.loop.now_us - exchange.sent_us
        self.trace.record(kind, id=exchange.number, complete=parcel.complete, took_us=took_us)
        exchange.settle(self._outcome(exchange, parcel))

    def _outcome(self, exchange: Exchange, parcel: Parcel) -> Outcome:
        if parcel.cut or not parcel.status:
            return httpx.RemoteProtocolError("Server disconnected without sending a response.")
        if parcel.complete:
            return Answer(parcel.status, parcel.headers, b"".join(parcel.chunks), None)
        exchange.rest = ArrivingBody(
            parcel.chunks, exchange.read_timeout_s, lambda: self.leave(exchange)
        )
        return Answer(parcel.status, parcel.headers, b"", exchange.rest)

    def leave(self, exchange: Exchange) -> None:
        """The client goes away; the server sees a disconnect one message later."""
        if exchange.client_gone:
            return
        exchange.client_gone = True
        exchange.stop_timer()
        verdict = self._decide(exchange, "disconnect")
        if isinstance(verdict, Pass | Delay):
            delay_us = self._delay_us(exchange, "disconnect", verdict)
            arrives_us = max(exchange.request_arrives_us, self.loop.now_us + delay_us)
            self._after(arrives_us - self.loop.now_us, self._disconnect, exchange)

    def _disconnect(self, exchange: Exchange) -> None:
        if exchange.on_disconnect is not None and not exchange.answered:
            self.trace.record("client_left", id=exchange.number)
            exchange.on_disconnect()

    # -- both ways ----------------------------------------------------------------------------

    def _decide(self, exchange: Exchange, direction: Direction) -> Verdict:
        if not self.rules.active:
            return _PASS
        there = direction != "response"
        return self.rules.decide(
            Message(
                sender=exchange.source if there else exchange.destination,
                receiver=exchange.destination if there else exchange.source,
                direction=direction,
                method=exchange.method,
                path=exchange.path,
                key=exchange.key,
            )
        )

    def _delay_us(self, exchange: Exchange, direction: Direction, verdict: Verdict) -> int:
        fraction = keyed_fraction(self._seed, "message", exchange.key, direction, exchange.parcels)
        added_us = to_us(verdict.by_s) if isinstance(verdict, Delay) else 0
        return self._latency.delay_us(fraction) + added_us

    def _after(
        self, delay_us: int, callback: Callable[..., object], *args: object
    ) -> asyncio.TimerHandle:
        return self.loop.call_after_us(delay_us, callback, *args, context=self._context)


_PASS = Pass()
