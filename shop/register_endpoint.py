"""Our public URL comes in; an endpoint at the provider and the secret it signs with come out.

Whatever is wanted is stored, with its idempotency key, before the provider is asked for it. So an
answer that gets lost, or a crash at any moment, leaves a wish that is simply asked for again.
"""

from __future__ import annotations

import logging

from shop import endpoint_store
from shop.domain.errors import (
    EndpointNotRegistered,
    ProviderUnavailable,
    SecretNotKnownYet,
    UnreadableAnswer,
    UnusableSecret,
)
from shop.domain.retry import delay_after
from shop.domain.webhook_signature import WebhookSecrets, key_of
from shop.endpoint_store import Endpoint
from shop.ports import Shop
from shop.queues import Due
from shop.repair_endpoint import note_gone, note_registered_late, note_settled, repair
from shop.settings import WEBHOOKS_AND_RECONCILIATION
from shop.wire import EndpointBody, unix_time_of

WEBHOOK_PATH = "/webhooks/psp"
_OVERLAP_IF_NOT_TOLD_S = 86400.0
_LOG = logging.getLogger("shop")


def webhook_url(shop: Shop) -> str:
    """Where the provider is to send webhooks."""
    return shop.settings.public_url.rstrip("/") + WEBHOOK_PATH


async def announce_endpoint(shop: Shop) -> None:
    """At startup: have the endpoint made, or, if it was made before, looked after."""
    async with shop.database.transaction() as transaction:
        await endpoint_store.move_to_url(transaction, webhook_url(shop))
        await endpoint_store.announce_endpoint(
            transaction, webhook_url(shop), shop.new_id("key"), shop.clock.now()
        )


async def accepted_secrets(shop: Shop) -> tuple[str, ...]:
    """The secrets that a webhook may be signed with now. Raises SecretNotKnownYet."""
    async with shop.database.transaction() as transaction:
        endpoint = await endpoint_store.load_endpoint(transaction, webhook_url(shop))
    if endpoint is None or endpoint.secrets is None:
        raise SecretNotKnownYet("the provider has not told us its secret yet: try again later")
    return endpoint.secrets.accepted_at(shop.clock.now())


async def take_endpoint_work(shop: Shop) -> Due[Endpoint]:
    """The endpoint if something is to be done about it, leased for as long as asking can take."""
    now, url, lease_s = shop.clock.now(), webhook_url(shop), 3 * shop.settings.psp_timeout_s
    async with shop.database.transaction() as transaction:
        is_due = await endpoint_store.take_endpoint(transaction, url, now, lease_s)
        endpoint = await endpoint_store.load_endpoint(transaction, url) if is_due else None
        look_s = shop.settings.look_interval_s
        next_at = await endpoint_store.next_endpoint_work_at(transaction, url, now, look_s)
    return Due([] if endpoint is None else [endpoint], next_at)


async def look_after_endpoint(shop: Shop, endpoint: Endpoint) -> None:
    """Do what is to be done; plan the next try if the provider did not answer."""
    try:
        await _settle(shop)
        if endpoint.id is None and endpoint.attempts > 1:
            note_registered_late(shop)
    except (ProviderUnavailable, UnreadableAnswer, UnusableSecret) as problem:
        _LOG.warning("cannot register for webhooks yet: %s", problem.detail)
        settings, attempts = shop.settings, endpoint.attempts
        due_at = shop.clock.now() + delay_after(
            attempts, first_s=settings.retry_first_delay_s, cap_s=settings.retry_delay_cap_s
        )
        async with shop.database.transaction() as transaction:
            await endpoint_store.plan_endpoint_work(transaction, endpoint.url, attempts, due_at)


async def rotate_secret(shop: Shop, overlap_s: float | None) -> WebhookSecrets:
    """Ask the provider for a new secret; the old one stays in force until the provider drops it.

    Args:
        overlap_s: how long the old secret stays in force; None leaves that to the provider
    Raises EndpointNotRegistered, or ProviderUnavailable if there was no answer yet, in which case
    the worker goes on asking.
    """
    url, retry_at = webhook_url(shop), shop.clock.now() + 3 * shop.settings.psp_timeout_s
    async with shop.database.transaction() as transaction:
        endpoint = await endpoint_store.load_endpoint(transaction, url)
        if endpoint is None or endpoint.id is None:
            raise EndpointNotRegistered("there is no endpoint at the provider yet: try again later")
        await endpoint_store.store_rotation_wish(transaction, url, shop.new_id("key"), overlap_s)
        await endpoint_store.plan_endpoint_work(transaction, url, 1, retry_at)
    shop.wake.endpoint.set()
    try:
        return await _settle(shop)
    except (UnreadableAnswer, UnusableSecret) as problem:
        raise ProviderUnavailable(problem.detail) from problem


async def _settle(shop: Shop) -> WebhookSecrets:
    """Make the provider's side what is stored as wanted; one at a time, from what is stored now."""
    async with shop.endpoint_turn:
        url = webhook_url(shop)
        endpoint = await _stored(shop, url)
        secrets = await _keep(shop, endpoint) or await _create(shop, url)
        async with shop.database.transaction() as transaction:
            now, look_again_at = shop.clock.now(), _look_again_at(shop)
            await endpoint_store.note_settled(transaction, url, now, look_again_at)
        note_settled(shop)
        return secrets


def _look_again_at(shop: Shop) -> float | None:
    """A shop that lives by webhooks alone looks at its start; one that reconciles goes on."""
    if shop.settings.tracking != WEBHOOKS_AND_RECONCILIATION:
        return None
    return shop.clock.now() + shop.settings.endpoint_check_interval_s


async def _keep(shop: Shop, endpoint: Endpoint) -> WebhookSecrets | None:
    """Look after an endpoint that was made before. None: there is none, or no longer."""
    if endpoint.id is None or endpoint.secrets is None:
        return None
    refusal: ProviderUnavailable | None = None
    if endpoint.rotation_key is not None:
        try:
            return await _rotate(shop, endpoint, endpoint.id, endpoint.rotation_key)
        except ProviderUnavailable as problem:
            refusal = problem
    found = await shop.provider.read_endpoint(endpoint.id)
    if found is not None and await repair(shop, endpoint, found):
        if refusal is not None:
            raise refusal
        return endpoint.secrets
    if found is None:
        note_gone(shop)
    async with shop.database.transaction() as transaction:
        await endpoint_store.forget_created(
            transaction, endpoint.url, endpoint.id, shop.new_id("key")
        )
    return None


async def _create(shop: Shop, url: str) -> WebhookSecrets:
    """Have the endpoint made, unless another process has had it made meanwhile."""
    endpoint = await _stored(shop, url)
    if endpoint.secrets is None:
        created = await shop.provider.create_endpoint(url, endpoint.creation_key)
        key_of(created.secret)
        async with shop.database.transaction() as transaction:
            await endpoint_store.store_created(
                transaction, url, endpoint.creation_key, created.id, created.secret
            )
        endpoint = await _stored(shop, url)
    if endpoint.secrets is None:
        raise ProviderUnavailable("the endpoint was given up while it was made: try again")
    return endpoint.secrets


async def _stored(shop: Shop, url: str) -> Endpoint:
    async with shop.database.transaction() as transaction:
        endpoint = await endpoint_store.load_endpoint(transaction, url)
    assert endpoint is not None, "the endpoint was announced at startup"
    return endpoint


async def _rotate(
    shop: Shop, endpoint: Endpoint, endpoint_id: str, rotation_key: str
) -> WebhookSecrets:
    overlap_s = endpoint.rotation_overlap_s
    rotated = await shop.provider.rotate_secret(endpoint_id, rotation_key, overlap_s)
    key_of(rotated.secret)
    assert endpoint.secrets is not None, "an endpoint with an id has a secret"
    now = shop.clock.now()
    ends_at = _overlap_end(endpoint.secrets, rotated, now, overlap_s)
    secrets = endpoint.secrets.replaced_by(rotated.secret, now, ends_at)
    async with shop.database.transaction() as transaction:
        await endpoint_store.store_rotated(transaction, endpoint.url, rotation_key, secrets)
    return secrets


def _overlap_end(
    known: WebhookSecrets, rotated: EndpointBody, now: float, overlap_s: float | None
) -> float:
    """When the secret that was just replaced ends.

    The provider tells the last end of all. If that is an older secret's, this one ends when we
    asked for it: a secret that was to end at once must not live on with one before it.
    """
    told = unix_time_of(rotated.previous_secret_expires_at)
    is_of_older = any(told == one.ends_at for one in known.previous)
    if told is not None and not (is_of_older and overlap_s is not None):
        return told
    return now + (_OVERLAP_IF_NOT_TOLD_S if overlap_s is None else overlap_s)
