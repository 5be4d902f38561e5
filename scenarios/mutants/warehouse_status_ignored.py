"""Takes any answer of the warehouse for a yes.

People write: ``requests.post(url, json=order)`` in a ``try``, and believe that whatever went wrong
would have raised.
Breaks because an answer that says no is an answer: clients raise for a broken line, not for a 503.
Shows as an order that counts as fulfilled and that the warehouse has never taken on.
"""

from __future__ import annotations

import httpx
import msgspec

from scenarios.mutants.mutant import Mutant
from shop.domain.fulfilment import Fulfilment
from shop.parts import Parts
from shop.plain_call import exchange
from shop.ports import Shop


async def ask_and_believe(shop: Shop, fulfilment: Fulfilment) -> bool:
    """Ask once; what does not raise was well."""
    settings = shop.settings
    body = msgspec.json.encode({"order": fulfilment.order_id, "fulfilment": fulfilment.id})
    headers = {"content-type": "application/json"}
    timeout_s = settings.warehouse_timeout_s
    try:
        await exchange(
            shop.transport, "POST", settings.warehouse_url, headers, body, timeout_s=timeout_s
        )
    except (httpx.HTTPError, TimeoutError):
        return False
    return True


MUTANT = Mutant(
    "warehouse_status_ignored",
    "M08",
    "counts an order as fulfilled although the warehouse answered that it cannot take it on",
    Parts(fulfil_order=ask_and_believe),
)
