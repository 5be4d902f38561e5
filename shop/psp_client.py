"""The provider over HTTP: a question comes in, what is known afterwards goes out.

No answer, a timeout and an answer that cannot be read are all the same here: unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import msgspec

from shop import wire
from shop.domain.errors import ProviderUnavailable, UnreadableAnswer
from shop.domain.order import Order
from shop.domain.payment import (
    NoAnswer,
    Payment,
    PaymentOutcome,
    PaymentRefused,
    PaymentReported,
    Refund,
)
from shop.domain.refund import WantedRefund
from shop.plain_call import Answer, exchange

# Answers that say nothing final about this request: it may succeed when repeated unchanged.
_NOT_FINAL = frozenset({408, 409, 425, 429})
# What a provider answers that does not have what was asked for: the thing, or the operation.
_NOT_THERE = (404, 405, 410, 501)


class PspClient:
    """What the shop asks of the provider.

    Args:
        base_url: such as ``http://psp:8080``
        timeout_s: the longest a whole exchange may take
    """

    def __init__(
        self, transport: httpx.AsyncBaseTransport, *, base_url: str, key: str, timeout_s: float
    ) -> None:
        self._transport = transport
        self._base_url = base_url.rstrip("/")
        self._authorization = f"Bearer {key}"
        self._timeout_s = timeout_s

    async def request_payment(self, order: Order, idempotency_key: str) -> PaymentOutcome:
        """Ask for the order's money. Repeating this with the same key asks for it once."""
        body = {
            "amount": order.amount_minor,
            "currency": order.currency,
            "reference": order.id,
        }
        try:
            answer = await self._exchange("POST", "/v1/payments", body, idempotency_key)
            if 200 <= answer.status < 300:
                return PaymentReported(_payment_in(answer))
        except (ProviderUnavailable, UnreadableAnswer) as problem:
            return NoAnswer(problem.detail)
        return _unsuccessful(answer)

    async def fetch_payment(self, payment_id: str) -> Payment:
        """How a payment stands. Raises ProviderUnavailable or UnreadableAnswer."""
        return _payment_in(await self._ask("GET", f"/v1/payments/{quote(payment_id, safe='')}"))

    async def fetch_payment_if_changed(
        self, payment_id: str, etag: str | None
    ) -> tuple[Payment | None, str | None]:
        """The payment and its ETag; None for the payment if it is as it was at ``etag``.

        Raises ProviderUnavailable or UnreadableAnswer.
        """
        headers = {} if etag is None else {"if-none-match": etag}
        path = f"/v1/payments/{quote(payment_id, safe='')}"
        answer = await self._exchange("GET", path, headers=headers)
        if answer.status == 304 and etag is not None:
            return None, etag
        _expect_success(answer)
        return _payment_in(answer), answer.headers.get("etag")

    async def wait_for_payment(
        self, payment_id: str, after_sequence: int, wait_s: float
    ) -> Payment:
        """The payment as soon as its sequence is above this one, or after ``wait_s`` as it is.

        Raises ProviderUnavailable or UnreadableAnswer.
        """
        query = urlencode({"wait": f"{wait_s:g}", "after_sequence": max(after_sequence, 0)})
        path = f"/v1/payments/{quote(payment_id, safe='')}?{query}"
        answer = await self._exchange("GET", path, timeout_s=wait_s + self._timeout_s)
        _expect_success(answer)
        return _payment_in(answer)

    async def list_events(self, after: str | None, limit: int) -> wire.EventPage:
        """The events after a cursor or an event's id.

        Raises ProviderUnavailable or UnreadableAnswer.
        """
        query = {"limit": str(limit)} | ({} if after is None else {"after": after})
        answer = await self._ask("GET", f"/v1/events?{urlencode(query)}")
        return wire.decode(answer.body, wire.EventPage)

    def event_stream_request(self, last_event_id: str | None) -> httpx.Request:
        """What opens the stream of events, from the one after ``last_event_id``.

        Who has seen none yet asks from the beginning of the log: a stream that begins "now" leaves
        out what happened before a first connection broke off.
        """
        headers = {"authorization": self._authorization, "accept": "text/event-stream"}
        url = f"{self._base_url}/v1/events/stream"
        if last_event_id is None:
            return httpx.Request("GET", f"{url}?after=0", headers=headers)
        return httpx.Request("GET", url, headers={**headers, "last-event-id": last_event_id})

    async def request_refund(
        self, payment_id: str, wanted: WantedRefund
    ) -> Refund | PaymentRefused | NoAnswer:
        """Ask for a refund. Repeating this with the same key asks for it once."""
        body: dict[str, Any] = {"payment": payment_id, "amount": wanted.amount_minor}
        if wanted.reason is not None:
            body["reason"] = wanted.reason
        try:
            answer = await self._exchange("POST", "/v1/refunds", body, wanted.idempotency_key)
            if 200 <= answer.status < 300:
                return wire.decode(answer.body, wire.RefundBody).as_refund()
        except (ProviderUnavailable, UnreadableAnswer) as problem:
            return NoAnswer(problem.detail)
        return _unsuccessful(answer)

    async def list_refunds(self, payment_id: str) -> tuple[Refund, ...]:
        """Every refund of a payment. Raises ProviderUnavailable or UnreadableAnswer."""
        query = urlencode({"payment": payment_id, "limit": 100})
        page = wire.decode((await self._ask("GET", f"/v1/refunds?{query}")).body, wire.RefundPage)
        return tuple(body.as_refund() for body in page.data)

    async def find_payments(self, reference: str) -> tuple[Payment, ...]:
        """Every payment for an order. Raises ProviderUnavailable or UnreadableAnswer."""
        query = urlencode({"reference": reference, "limit": 100})
        page = wire.decode((await self._ask("GET", f"/v1/payments?{query}")).body, wire.PaymentPage)
        return tuple(body.as_payment() for body in page.data)

    async def create_endpoint(self, url: str, idempotency_key: str) -> wire.EndpointBody:
        """Register for every event. Raises ProviderUnavailable or UnreadableAnswer."""
        answer = await self._ask(
            "POST", "/v1/webhook_endpoints", {"url": url, "events": ["*"]}, idempotency_key
        )
        return wire.decode(answer.body, wire.EndpointBody)

    async def read_endpoint(self, endpoint_id: str) -> wire.EndpointBody | None:
        """The endpoint as the provider has it, or None if it no longer does.

        Raises ProviderUnavailable or UnreadableAnswer.
        """
        answer = await self._exchange("GET", _endpoint_path(endpoint_id))
        if answer.status in (404, 410):
            return None
        _expect_success(answer)
        return wire.decode(answer.body, wire.EndpointBody)

    async def change_endpoint_url(self, endpoint_id: str, url: str, idempotency_key: str) -> bool:
        """Have webhooks sent to this URL; False if that cannot be changed at this provider.

        Raises ProviderUnavailable.
        """
        return await self._repair(
            "PATCH", _endpoint_path(endpoint_id), {"url": url}, idempotency_key
        )

    async def enable_endpoint(self, endpoint_id: str, idempotency_key: str) -> bool:
        """Have webhooks sent again; False if that cannot be asked of this provider.

        Raises ProviderUnavailable.
        """
        path = _endpoint_path(endpoint_id) + "/enable"
        return await self._repair("POST", path, {}, idempotency_key)

    async def recover_events(self, endpoint_id: str, since: str, idempotency_key: str) -> bool:
        """Have everything after this event sent again; False if this provider does not do that.

        Raises ProviderUnavailable.
        """
        path = _endpoint_path(endpoint_id) + "/recover"
        return await self._repair("POST", path, {"since": since}, idempotency_key)

    async def _repair(self, method: str, path: str, body: Any, idempotency_key: str) -> bool:
        answer = await self._exchange(method, path, body, idempotency_key)
        if answer.status in _NOT_THERE:
            return False
        _expect_success(answer)
        return True

    async def rotate_secret(
        self, endpoint_id: str, idempotency_key: str, overlap_s: float | None
    ) -> wire.EndpointBody:
        """Ask for a new signing secret. Raises ProviderUnavailable or UnreadableAnswer."""
        path = _endpoint_path(endpoint_id) + "/rotate_secret"
        body = {} if overlap_s is None else {"overlap_s": overlap_s}
        answer = await self._ask("POST", path, body, idempotency_key)
        return wire.decode(answer.body, wire.EndpointBody)

    async def _ask(
        self, method: str, path: str, body: Any = None, idempotency_key: str | None = None
    ) -> Answer:
        answer = await self._exchange(method, path, body, idempotency_key)
        _expect_success(answer)
        return answer

    async def _exchange(
        self,
        method: str,
        path: str,
        body: Any = None,
        idempotency_key: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> Answer:
        headers = {
            "authorization": self._authorization,
            "accept": "application/json",
            **(headers or {}),
        }
        if idempotency_key is not None:
            headers["idempotency-key"] = idempotency_key
        content = b""
        if body is not None:
            headers["content-type"] = "application/json"
            content = msgspec.json.encode(body)
        try:
            return await exchange(
                self._transport,
                method,
                self._base_url + path,
                headers,
                content,
                timeout_s=timeout_s or self._timeout_s,
            )
        except (httpx.HTTPError, TimeoutError) as problem:
            raise ProviderUnavailable(
                f"no answer from the provider: {type(problem).__name__} {problem}".rstrip()
            ) from problem


def _endpoint_path(endpoint_id: str) -> str:
    return f"/v1/webhook_endpoints/{quote(endpoint_id, safe='')}"


def _payment_in(answer: Answer) -> Payment:
    return wire.decode(answer.body, wire.PaymentBody).as_payment()


def _expect_success(answer: Answer) -> None:
    if not 200 <= answer.status < 300:
        raise ProviderUnavailable(f"the provider answered {answer.status}: {_reason_in(answer)}")


def _unsuccessful(answer: Answer) -> PaymentRefused | NoAnswer:
    """A definite refusal only if the status and the body both say so."""
    reason = f"the provider answered {answer.status}: {_reason_in(answer)}"
    final = 400 <= answer.status < 500 and answer.status not in _NOT_FINAL
    if final and _problem_in(answer).definite is not False:
        return PaymentRefused(reason)
    return NoAnswer(reason, _retry_after_s(answer))


def _problem_in(answer: Answer) -> wire.ProblemBody:
    try:
        return wire.decode(answer.body, wire.ProblemBody)
    except UnreadableAnswer:
        return wire.ProblemBody()


def _reason_in(answer: Answer) -> str:
    problem = _problem_in(answer)
    return (problem.detail or problem.code or "no reason given")[:500]


def _retry_after_s(answer: Answer) -> float | None:
    """Retry-After in seconds; its other form, a date, is left to our own delays."""
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
