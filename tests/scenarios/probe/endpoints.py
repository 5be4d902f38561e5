"""Webhook endpoints that are right, and ones that are wrong in one way each."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = base64.b64decode(SECRET.removeprefix("whsec_"))
TOLERANCE_S = 300


class Refused(Exception):
    """This call is answered with 400."""


@dataclass(frozen=True)
class Call:
    id: str
    timestamp: str
    signature: str
    body: bytes

    def expected(self, body: bytes | None = None) -> str:
        content = f"{self.id}.{self.timestamp}.".encode() + (self.body if body is None else body)
        return base64.b64encode(hmac.digest(KEY, content, hashlib.sha256)).decode()


def is_in_time(call: Call) -> None:
    if not (call.timestamp.isascii() and call.timestamp.isdecimal() and len(call.timestamp) < 12):
        raise Refused
    if abs(time.time() - int(call.timestamp)) > TOLERANCE_S:
        raise Refused


def is_signed(call: Call, expected: str | None = None) -> None:
    if f"v1,{expected or call.expected()}" not in call.signature.split(" "):
        raise Refused


def is_an_event(call: Call) -> dict[str, Any]:
    try:
        event = json.loads(call.body)
    except ValueError as problem:
        raise Refused from problem
    if not isinstance(event, dict):
        raise Refused
    return event


def correct(call: Call) -> None:
    is_in_time(call)
    is_signed(call)
    is_an_event(call)


def accepts_everything(call: Call) -> None:
    """No check at all."""


def refuses_everything(call: Call) -> None:
    raise Refused


def breaks_on_malformed(call: Call) -> None:
    """The shape of the header is taken for granted."""
    int(call.timestamp)
    for entry in call.signature.split(" "):
        _version, signature = entry.split(",")
        base64.b64decode(signature.encode("ascii"), validate=True)
    correct(call)


def parses_before_verifying(call: Call) -> None:
    json.loads(call.body)
    correct(call)


def verifies_what_it_wrote_itself(call: Call) -> None:
    is_in_time(call)
    event = is_an_event(call)
    again = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
    is_signed(call, call.expected(again))


def looks_only_into_the_past(call: Call) -> None:
    if not (call.timestamp.isascii() and call.timestamp.isdecimal() and len(call.timestamp) < 12):
        raise Refused
    if time.time() - int(call.timestamp) > TOLERANCE_S:
        raise Refused
    is_signed(call)
    is_an_event(call)


def has_no_patience_with_clocks(call: Call) -> None:
    if not (call.timestamp.isascii() and call.timestamp.isdecimal() and len(call.timestamp) < 12):
        raise Refused
    if not 0 <= time.time() - int(call.timestamp) < 30:
        raise Refused
    is_signed(call)
    is_an_event(call)


def never_looks_at_the_time(call: Call) -> None:
    is_signed(call)
    is_an_event(call)


def reads_the_last_signature_only(call: Call) -> None:
    is_in_time(call)
    if call.signature.split(" ")[-1] != f"v1,{call.expected()}":
        raise Refused
    is_an_event(call)


def takes_any_scheme(call: Call) -> None:
    is_in_time(call)
    if call.expected() not in [entry.split(",")[-1] for entry in call.signature.split(" ")]:
        raise Refused
    is_an_event(call)


def knows_its_types_only(call: Call) -> None:
    correct(call)
    if json.loads(call.body)["type"] != "payment.succeeded":
        raise Refused


def takes_small_bodies_only(call: Call) -> None:
    if len(call.body) > 10_000:
        raise Refused
    correct(call)


def takes_no_new_fields(call: Call) -> None:
    correct(call)
    if {"added_later"} & json.loads(call.body).keys():
        raise Refused


class knows_each_event_once:  # noqa: N801 - named like the others, which are functions
    """An event that comes again is an error."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def __call__(self, call: Call) -> None:
        correct(call)
        if call.id in self.seen:
            raise Refused
        self.seen.add(call.id)


class tires:  # noqa: N801
    """After the first calls it refuses all there is."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self, call: Call) -> None:
        self.left -= 1
        if self.left < 0:
            raise Refused
        correct(call)


def endpoint(judge: Callable[[Call], object], *, delay_s: float = 0.0) -> ASGIApp:
    """Return an application that answers 200, or 400 for Refused, or breaks."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        call = Call(
            request.headers.get("webhook-id", ""),
            request.headers.get("webhook-timestamp", ""),
            request.headers.get("webhook-signature", ""),
            await request.body(),
        )
        await asyncio.sleep(delay_s)
        try:
            judge(call)
            response = Response(status_code=200)
        except Refused:
            response = Response(status_code=400)
        except Exception:  # what a framework makes of a handler that breaks
            response = Response(status_code=500)
        await response(scope, receive, send)

    return app


async def redirects(scope: Scope, receive: Receive, send: Send) -> None:
    await RedirectResponse("/webhooks/", 308)(scope, receive, send)


async def is_too_busy(scope: Scope, receive: Receive, send: Send) -> None:
    await Response(status_code=429)(scope, receive, send)
