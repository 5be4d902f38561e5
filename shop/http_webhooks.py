"""Where the provider's webhooks arrive, and where the secret they are signed with is rotated."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shop.domain.errors import MalformedRequest, ShopError, TooManyWebhooks
from shop.domain.peer_address import networks_in
from shop.domain.rate_limit import TokenBucket
from shop.domain.webhook_signature import SignedWebhook
from shop.http_support import (
    json_response,
    read_body,
    require_admin,
    require_allowed_peer,
    require_json,
)
from shop.ports import ReceiveWebhook, Shop, VerifyWebhook
from shop.register_endpoint import WEBHOOK_PATH, accepted_secrets, rotate_secret


class RotationBody(msgspec.Struct):
    """How long both secrets stay in force; None leaves it to the provider."""

    overlap_s: Annotated[float, msgspec.Meta(ge=0, le=10**7)] | None = None


def webhook_routes(shop: Shop, verify: VerifyWebhook, receive: ReceiveWebhook) -> list[Route]:
    """The routes of a shop that is told about outcomes."""
    settings = shop.settings
    allowed = networks_in(settings.webhook_allow_list)
    trusted = networks_in(settings.trusted_proxies)

    bucket = TokenBucket(settings.webhooks_per_second)

    async def take_webhook(request: Request) -> Response:
        shop.measured.requests["webhook"] += 1
        try:
            # Before anything else: a stranger neither gets to send a body nor spends our limit.
            require_allowed_peer(request, allowed, trusted)
            return await answer_webhook(request)
        except ShopError:
            shop.measured.failed["webhook"] += 1
            raise

    async def answer_webhook(request: Request) -> Response:
        """Check and store, nothing else: the provider waits, and there is time enough later."""
        wait_s = bucket.take(shop.clock.now())
        if wait_s > 0:
            sentence = f"more than {settings.webhooks_per_second:g} webhooks per second"
            raise TooManyWebhooks(sentence, wait_s)
        require_json(request)
        body = await read_body(
            request,
            limit_bytes=settings.webhook_body_limit_bytes,
            timeout_s=settings.body_timeout_s,
        )
        webhook = SignedWebhook(
            id=request.headers.get("webhook-id", ""),
            timestamp=request.headers.get("webhook-timestamp", ""),
            signature=request.headers.get("webhook-signature", ""),
            body=body,
        )
        secrets = await accepted_secrets(shop)
        tolerance_s = settings.webhook_tolerance_s
        verify(webhook, secrets, now=shop.clock.now(), tolerance_s=tolerance_s)
        await receive(shop, webhook)
        return json_response({"received": True})

    async def rotate_webhook_secret(request: Request) -> Response:
        require_admin(request, trusted)
        body = await read_body(
            request,
            limit_bytes=settings.order_body_limit_bytes,
            timeout_s=settings.body_timeout_s,
        )
        secrets = await rotate_secret(shop, _rotation(body).overlap_s)
        ends_at = secrets.previous_ends_at
        ends = None if ends_at is None else datetime.fromtimestamp(ends_at, UTC).isoformat()
        return json_response({"rotated": True, "previous_secret_expires_at": ends})

    return [
        Route(WEBHOOK_PATH, take_webhook, methods=["POST"]),
        Route("/_admin/rotate_webhook_secret", rotate_webhook_secret, methods=["POST"]),
    ]


def _rotation(body: bytes) -> RotationBody:
    if not body:
        return RotationBody()
    try:
        return msgspec.json.decode(body, type=RotationBody)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise MalformedRequest(f"the body must be {{}} or {{overlap_s}}: {problem}") from problem
