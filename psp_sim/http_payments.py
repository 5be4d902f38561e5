"""``/v1/payments``: from HTTP to the verbs and back."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from psp_sim.accept_payment import PaymentRequest, accept_payment
from psp_sim.change_payment import change_payment, find_payment
from psp_sim.domain.errors import InvalidRequest
from psp_sim.domain.event import render_payment
from psp_sim.domain.idempotency import Answer
from psp_sim.domain.lifecycle import Change, authenticated, canceled, captured
from psp_sim.domain.money import parse_amount, parse_money
from psp_sim.domain.payment import Payment, Status
from psp_sim.http_models import (
    METADATA_CHARACTERS_MAX,
    METADATA_ENTRIES_MAX,
    PAYMENT_METHOD_CHARACTERS_MAX,
    REFERENCE_CHARACTERS_MAX,
    AuthenticatePayment,
    CancelPayment,
    CapturePayment,
    CreatePayment,
)
from psp_sim.http_once import once_on_money
from psp_sim.http_operation import decode, operation, page, page_of
from psp_sim.http_query import base_url, choice_of, time_of, wait_of, whole_of
from psp_sim.json_text import json_text
from psp_sim.long_poll import look_until
from psp_sim.provider import Provider
from psp_sim.store import list_payments
from sqlport import Transaction


def payment_routes(provider: Provider) -> list[BaseRoute]:
    """Return the routes of payments."""
    one = "/v1/payments/{payment_id}"
    return [
        operation(provider, "/v1/payments", "POST", "create_payment", _create),
        operation(provider, "/v1/payments", "GET", "list_payments", _list),
        operation(provider, one, "GET", "read_payment", _read),
        operation(provider, f"{one}/capture", "POST", "capture_payment", _capture),
        operation(provider, f"{one}/cancel", "POST", "cancel_payment", _cancel),
        operation(provider, f"{one}/authenticate", "POST", "authenticate_payment", _authenticate),
    ]


async def _create(provider: Provider, request: Request, body: bytes) -> Response:
    document = decode(body, CreatePayment)
    wanted = PaymentRequest(
        money=parse_money(document.amount, document.currency),
        reference=_reference(document.reference),
        payment_method=_payment_method(document.payment_method),
        metadata=check_metadata(document.metadata),
        capture_method=document.capture_method,
        action_base=provider.settings.public_url.rstrip("/") or base_url(request),
    )

    async def create(transaction: Transaction) -> Answer:
        return Answer(201, await accept_payment(provider, transaction, wanted))

    return await once_on_money(provider, request, document, create)


async def _capture(provider: Provider, request: Request, body: bytes) -> Response:
    document = decode(body or b"{}", CapturePayment)
    amount_minor = None if document.amount is None else parse_amount(document.amount)
    now = provider.clock.now()
    return await _change(provider, request, document, lambda p: captured(p, amount_minor, now))


async def _cancel(provider: Provider, request: Request, body: bytes) -> Response:
    return await _change(provider, request, decode(body or b"{}", CancelPayment), canceled)


async def _authenticate(provider: Provider, request: Request, body: bytes) -> Response:
    document = decode(body, AuthenticatePayment)
    is_approved, now = document.result == "approved", provider.clock.now()
    return await _change(
        provider,
        request,
        document,
        lambda payment: authenticated(payment, is_approved=is_approved, now=now),
    )


async def _change(
    provider: Provider,
    request: Request,
    document: msgspec.Struct,
    change: Callable[[Payment], Change],
) -> Response:
    payment_id = request.path_params["payment_id"]

    async def work(transaction: Transaction) -> Answer:
        payment = await change_payment(provider, transaction, payment_id, change)
        return Answer(200, json_text(render_payment(payment)))

    return await once_on_money(provider, request, document, work)


async def _list(provider: Provider, request: Request, _: bytes) -> Response:
    after, limit = page_of(request)
    reference = request.query_params.get("reference")
    status = choice_of(request, "status", tuple(Status))
    created_from, created_before = (
        time_of(request, "created_from"),
        time_of(request, "created_before"),
    )
    async with provider.database.transaction() as transaction:
        payments = await list_payments(
            transaction, after, limit + 1, reference, status, created_from, created_before
        )
    rows = [(position, render_payment(payment)) for position, payment in payments]
    return JSONResponse(page(rows, limit))


async def _read(provider: Provider, request: Request, _: bytes) -> Response:
    """Show a payment; with ``wait`` hold the answer until its sequence is above the one given."""
    payment_id, wait_s = request.path_params["payment_id"], wait_of(request)
    after_sequence = whole_of(request, "after_sequence")
    payment = await look_until(
        provider,
        wait_s if after_sequence is not None else 0.0,
        lambda transaction: find_payment(transaction, payment_id),
        lambda found: found.sequence > (after_sequence or 0),
    )
    # Whatever changes a payment is an event of it, so that its sequence tells its versions apart.
    tag = f'"{payment.id}-{payment.sequence}"'
    if _matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers={"etag": tag})
    return JSONResponse(render_payment(payment), headers={"etag": tag})


def _matches(if_none_match: str, tag: str) -> bool:
    """Compare weakly, as RFC 9110 (13.1.2) has it."""
    asked = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return tag in asked or "*" in asked


def _reference(reference: str) -> str:
    if not 1 <= len(reference) <= REFERENCE_CHARACTERS_MAX:
        raise InvalidRequest(f"reference must have 1 to {REFERENCE_CHARACTERS_MAX} characters")
    return reference


def _payment_method(name: str) -> str:
    if len(name) > PAYMENT_METHOD_CHARACTERS_MAX:
        limit = PAYMENT_METHOD_CHARACTERS_MAX
        raise InvalidRequest(f"payment_method takes up to {limit} characters")
    return name


def check_metadata(metadata: dict[str, str]) -> dict[str, str]:
    """Return metadata that is within the limits. Raises InvalidRequest."""
    if not metadata:
        return metadata
    too_long = any(
        max(len(key), len(value)) > METADATA_CHARACTERS_MAX for key, value in metadata.items()
    )
    if len(metadata) > METADATA_ENTRIES_MAX or too_long:
        raise InvalidRequest(
            f"metadata takes up to {METADATA_ENTRIES_MAX} entries "
            f"of at most {METADATA_CHARACTERS_MAX} characters"
        )
    return metadata
