"""Requests that act once per ``Idempotency-Key``: from HTTP to the work and back."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from psp_sim.answer_once import Work, answer_once
from psp_sim.change_payment import tell_of_change
from psp_sim.domain.idempotency import fingerprint, parse_key
from psp_sim.http_operation import JsonText, header_of
from psp_sim.provider import Provider


async def once(
    provider: Provider,
    request: Request,
    document: msgspec.Struct,
    work: Work,
    *,
    scope: str,
    needs_key: bool,
) -> Response:
    """Do the work; a retry with the same key gets the same answer again, marked as replayed.

    ``scope`` keeps keys apart, so that a payment's answer never replays for an endpoint. Raises
    IdempotencyKeyMissing if one is needed, and what ``answer_once`` raises.
    """
    header = header_of(request, b"idempotency-key")
    key = f"{scope}:{parse_key(header)}" if needs_key or header is not None else None
    canonical = msgspec.json.encode(document, order="sorted")
    asked = fingerprint(request.method, request.scope["path"], canonical)
    answer = await answer_once(provider, key, asked, work)
    headers = [(b"idempotent-replayed", b"true")] if answer.replayed else []
    return JsonText(answer.body, answer.status, *headers)


async def once_on_money(
    provider: Provider, request: Request, document: msgspec.Struct, work: Work
) -> Response:
    """Do work that moves money: it needs a key, and what it did is told at once."""
    response = await once(provider, request, document, work, scope="payment", needs_key=True)
    tell_of_change(provider)
    return response
