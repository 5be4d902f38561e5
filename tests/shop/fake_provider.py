"""A provider with an event log, an event stream, held questions, ETags, refunds and repairs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx

from tests.shop.fakes import FakeWorld

EVENT_TIME = "2026-01-01T00:00:00Z"


class FakeProvider(FakeWorld):
    """``happen`` changes a payment and tells of it in the log; nobody is sent a webhook."""

    def __init__(self, *, page: int = 2) -> None:
        super().__init__()
        self.page = page
        self.log: list[dict[str, Any]] = []
        self.changed = asyncio.Event()
        self.refunds: dict[str, dict[str, Any]] = {}
        self.refund_script: list[str | tuple[int, dict[str, Any]]] = []
        self.can_repair = True
        self.recovered: list[str] = []
        self.cut_stream_after: int | None = None
        self.streams: list[str | None] = []
        self.holds = True

    def happen(self, payment_id: str, kind: str, **changes: Any) -> dict[str, Any]:
        """The next event of a payment, which has these fields from now on."""
        payment = self.payments[payment_id]
        payment |= {"sequence": payment["sequence"] + 1, **changes}
        if kind.startswith("payment."):
            payment["status"] = kind.removeprefix("payment.")
        return self.tell(kind, json.loads(json.dumps(payment)), payment["sequence"])

    def tell(self, kind: str, data: Any, sequence: int = 0) -> dict[str, Any]:
        """An event of any kind, at the end of the log."""
        event = {
            "id": f"evt_{len(self.log) + 1}",
            "type": kind,
            "timestamp": EVENT_TIME,
            "sequence": sequence,
            "data": data,
        }
        self.log.append(event)
        self.changed.set()
        self.changed = asyncio.Event()
        return event

    def settle(self, payment_id: str, status: str = "succeeded", **changes: Any) -> dict[str, Any]:
        return self.happen(payment_id, f"payment.{status}", **changes)

    def refunded(self, payment_id: str, status: str) -> dict[str, Any]:
        """The payment's only refund has come this far."""
        (refund,) = self.refunds.values()
        refund["status"] = status
        return self.happen(payment_id, f"refund.{status}", refunds=[dict(refund)])

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if self.down or request.method == "POST" or request.url.host == "warehouse":
            return await super().handle_async_request(request)
        if path == "/v1/events/stream":
            self.note(request)
            return self._stream(request)
        if path.startswith("/v1/payments/"):
            self.note(request)
            return await self._payment(request)
        return await super().handle_async_request(request)

    def _provider(self, request: httpx.Request) -> httpx.Response:
        method, path = request.method, request.url.path
        if method == "GET" and path == "/v1/events":
            return self._events(request)
        if method == "GET" and path == "/v1/refunds":
            return httpx.Response(200, json={"data": list(self.refunds.values()), "next": None})
        if method == "POST" and path == "/v1/refunds":
            return self._scripted_refund(request)
        if method == "PATCH" or path.endswith(("/enable", "/recover")):
            return self._repair(request)
        return super()._provider(request)

    async def _payment(self, request: httpx.Request) -> httpx.Response:
        payment = self.payments[request.url.path.rsplit("/", 1)[1]]
        wait_s = float(request.url.params.get("wait", 0))
        after = int(request.url.params.get("after_sequence", -1))
        if self.holds and wait_s and payment["sequence"] <= after:
            try:
                async with asyncio.timeout(wait_s):
                    while payment["sequence"] <= after:
                        await self.changed.wait()
            except TimeoutError:
                pass
        etag = f'"{payment["id"]}-{payment["sequence"]}-{payment["status"]}"'
        if request.headers.get("if-none-match") == etag:
            return httpx.Response(304, headers={"etag": etag})
        return httpx.Response(200, json=payment, headers={"etag": etag})

    def _position(self, after: str | None) -> int:
        if after is None:
            return 0
        if after.startswith("cursor_"):
            return int(after.removeprefix("cursor_"))
        return [event["id"] for event in self.log].index(after) + 1

    def _events(self, request: httpx.Request) -> httpx.Response:
        start = self._position(request.url.params.get("after"))
        end = start + self.page
        more = f"cursor_{end}" if end < len(self.log) else None
        return httpx.Response(200, json={"data": self.log[start:end], "next": more})

    def _scripted_refund(self, request: httpx.Request) -> httpx.Response:
        step = self.refund_script.pop(0) if self.refund_script else "ok"
        if isinstance(step, tuple):
            return httpx.Response(step[0], json=step[1])
        key, body = request.headers["idempotency-key"], json.loads(request.content)
        refund = self.refunds.setdefault(
            key,
            {
                "id": f"re_{len(self.refunds) + 1}",
                "object": "refund",
                "status": "pending",
                "reason": None,
                "failure": None,
                **body,
            },
        )
        if step == "lose_response":
            raise httpx.ReadTimeout("no answer")
        return httpx.Response(201, json=refund)

    def _repair(self, request: httpx.Request) -> httpx.Response:
        endpoint = self.endpoints.get(request.url.path.split("/")[3])
        if endpoint is None or not self.can_repair:
            return httpx.Response(404, json={"code": "not_found"})
        body = json.loads(request.content or b"{}")
        if request.method == "PATCH":
            endpoint |= body
        elif request.url.path.endswith("/enable"):
            endpoint |= {"status": "enabled", "disabled_reason": None}
        else:
            self.recovered.append(body["since"])
        return httpx.Response(200, json=endpoint)

    def _stream(self, request: httpx.Request) -> httpx.Response:
        last = request.headers.get("last-event-id")
        self.streams.append(last)
        return httpx.Response(200, stream=_Stream(self, self._position(last)))


class _Stream(httpx.AsyncByteStream):
    """Every event from a position on, as it happens; cut off after so many if that is set."""

    def __init__(self, provider: FakeProvider, position: int) -> None:
        self._provider = provider
        self._position = position

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b": hello\n\n"
        sent = 0
        while True:
            for event in self._provider.log[self._position :]:
                if sent == self._provider.cut_stream_after:
                    raise httpx.ReadError("connection reset")
                sent += 1
                self._position += 1
                text = f"id: {event['id']}\nevent: {event['type']}\ndata: {json.dumps(event)}\n\n"
                yield text.encode()
            await self._provider.changed.wait()
