"""``/authenticate/{payment_id}``: the page where who pays approves a payment, or refuses it.

It works without JavaScript. Whoever has the address may answer: it is as hard to guess as a key.
"""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from psp_sim.change_payment import change_payment, find_payment, tell_of_change
from psp_sim.domain.errors import InvalidState, NotFound, PspError
from psp_sim.domain.lifecycle import authenticated
from psp_sim.domain.payment import Payment, Status
from psp_sim.http_nul import refuse_nul_in_target
from psp_sim.http_operation import BrokenConnection, NoAnswer, read_body
from psp_sim.http_pages import show_page
from psp_sim.provider import Provider

FORM_BYTES_MAX = 1000

_SAYINGS = {
    Status.PROCESSING: "You approved this payment. It is being processed.",
    Status.AUTHORIZED: "You approved this payment. The money is held for the shop.",
    Status.SUCCEEDED: "This payment has succeeded.",
    Status.FAILED: "This payment has failed. No money was taken.",
    Status.CANCELED: "The shop has canceled this payment.",
    Status.EXPIRED: "This payment has expired.",
}


def authenticate_routes(provider: Provider) -> list[BaseRoute]:
    """Return the routes of the page."""

    async def show(request: Request) -> Response:
        return await _page(provider, request, answers=False)

    async def answer(request: Request) -> Response:
        return await _page(provider, request, answers=True)

    path = "/authenticate/{payment_id}"
    return [Route(path, show, methods=["GET"]), Route(path, answer, methods=["POST"])]


async def _page(provider: Provider, request: Request, *, answers: bool) -> Response:
    now = provider.clock.now()
    if provider.faults.outage(now, provider.settings.time_scale) is not None:
        return BrokenConnection()
    try:
        refuse_nul_in_target(request.scope)
        if answers:
            return await _answer(provider, request)
        async with provider.database.transaction() as transaction:
            payment = await find_payment(transaction, request.path_params["payment_id"])
        return show_page("Your payment", _body(payment))
    except NotFound:
        return _refusal("There is no such payment", 404)
    except PspError as error:
        return _refusal(str(error), error.status)
    except ClientDisconnect:
        return NoAnswer()


async def _answer(provider: Provider, request: Request) -> Response:
    body = await read_body(request, FORM_BYTES_MAX)
    result = parse_qs(body.decode("utf-8", "replace")).get("result", [""])[0]
    if result not in ("approved", "refused"):
        return _refusal("Choose approve or refuse", 400)
    payment_id, now = request.path_params["payment_id"], provider.clock.now()
    try:
        async with provider.database.transaction() as transaction:
            await change_payment(
                provider,
                transaction,
                payment_id,
                lambda payment: authenticated(payment, is_approved=result == "approved", now=now),
            )
        tell_of_change(provider)
    except InvalidState:
        pass  # answered before, perhaps by a second click: the page shows what became of it
    # Relative, so that it holds behind any proxy; 303, so that a reload does not answer again.
    return RedirectResponse(payment_id, 303)


def _refusal(text: str, status: int) -> Response:
    return show_page("Your payment", f'<main class="card"><h1>{escape(text)}</h1></main>', status)


def _body(payment: Payment) -> str:
    asks = payment.status is Status.REQUIRES_ACTION
    buttons = (
        '<form method="post">'
        '<button class="main" name="result" value="approved">Approve</button>'
        '<button name="result" value="refused">Refuse</button></form>'
    )
    rest = buttons if asks else f"<p>{_SAYINGS[payment.status]}</p><p>You can close this page.</p>"
    return (
        f'<main class="card"><h1>{"Approve this payment?" if asks else "Your payment"}</h1>'
        f'<p class="sum">{escape(str(payment.money))}</p>'
        f'<p class="quiet">for {escape(payment.reference)}</p>{rest}'
        '<p class="quiet">A simulated bank: no real money moves.</p></main>'
    )
