"""Our endpoint as the provider has it comes in; it is put right, and what was missed is fetched."""

from __future__ import annotations

import logging

from shop import event_store
from shop.domain.errors import ProviderUnavailable
from shop.endpoint_store import Endpoint
from shop.ports import Shop
from shop.wire import EndpointBody

_LOG = logging.getLogger("shop")


async def repair(shop: Shop, endpoint: Endpoint, found: EndpointBody) -> bool:
    """Set the URL right and enable it again; False if only a new endpoint can help.

    Each call carries a fresh key: asking twice for the same state is harmless.
    Raises ProviderUnavailable; what was repaired before that stays repaired.
    """
    wrong_url = found.url not in ("", endpoint.url)
    disabled = found.status == "disabled"
    if wrong_url:
        _note_problem(shop, "wrong_url", f"it points to {found.url} instead of {endpoint.url}")
        if not await shop.provider.change_endpoint_url(found.id, endpoint.url, shop.new_id("key")):
            return False
        _note_repair(shop, "wrong_url", "its URL was changed")
    if disabled:
        reason = found.disabled_reason or "no reason given"
        _note_problem(shop, "disabled", f"it was disabled: {reason}")
        if not await shop.provider.enable_endpoint(found.id, shop.new_id("key")):
            return False
        _note_repair(shop, "disabled", "it was enabled")
    if wrong_url or disabled:
        await _recover(shop, found.id)
    return True


def note_gone(shop: Shop) -> None:
    """The provider does not know our endpoint any more; the caller registers another one."""
    _note_problem(shop, "gone", "the provider no longer has it")
    _note_repair(shop, "gone", "it was registered anew")
    _read_the_log(shop)


def note_registered_late(shop: Shop) -> None:
    """Orders did not wait for the endpoint, and what became of them was told to nobody."""
    _read_the_log(shop)


def note_settled(shop: Shop) -> None:
    """The endpoint is as it should be now."""
    shop.endpoint_health.state = "ok"
    shop.endpoint_health.checked_at = shop.clock.now()


async def _recover(shop: Shop, endpoint_id: str) -> None:
    """Fetch what was missed: ask for the webhooks again, and read the log, whichever works."""
    _read_the_log(shop)
    async with shop.database.transaction() as transaction:
        since = await event_store.load_cursor(transaction)
    if since is None:
        return
    try:
        await shop.provider.recover_events(endpoint_id, since, shop.new_id("key"))
    except ProviderUnavailable as problem:
        _LOG.warning("missed webhooks are not sent again: %s", problem.detail)


def _read_the_log(shop: Shop) -> None:
    shop.read_events_now.set()
    shop.wake.events.set()


def _note_problem(shop: Shop, problem: str, sentence: str) -> None:
    shop.endpoint_health.state = "broken"
    shop.endpoint_health.problem = problem
    _LOG.warning("our webhook endpoint is not as it should be: %s", sentence)


def _note_repair(shop: Shop, problem: str, sentence: str) -> None:
    shop.endpoint_health.repair = sentence
    shop.endpoint_health.repaired_at = shop.clock.now()
    shop.measured.repairs[problem] += 1
    _LOG.warning("our webhook endpoint was repaired: %s", sentence)
