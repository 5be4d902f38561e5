"""Wake-ups go out to processes that work, and come in from processes that answer (PostgreSQL).

Nothing depends on them but speed: every process looks by itself too, only less often.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import fields

from shop.database_away import seldom
from shop.ports import Shop, WakeUps
from shop.workers import Work
from sqlport import DatabaseError, Others

_LOG = logging.getLogger("shop")
_CHANNEL = "shop_work"
_AGAIN_AFTER_S = 1.0
_NAMES = tuple(one.name for one in fields(WakeUps))


def tell_others(shop: Shop) -> list[Work]:
    """For a process that only stores: whoever would be woken here is woken elsewhere."""
    others = shop.database.others
    if others is None:
        return []
    return [_tell(others, name, getattr(shop.wake, name)) for name in _NAMES]


def hear_others(shop: Shop) -> list[Work]:
    """For a process that works: what others have stored is looked for at once."""
    others = shop.database.others
    return [] if others is None else [_hear(others, shop.wake)]


async def _tell(others: Others, name: str, wake: asyncio.Event) -> None:
    while True:
        await wake.wait()
        # Before telling: what is stored meanwhile is told of again.
        wake.clear()
        try:
            await others.tell(_CHANNEL, name)
        except DatabaseError as problem:
            said = seldom("to wake others", problem)
            _LOG.warning("cannot wake the processes that work: %s", problem, extra=said)


async def _hear(others: Others, wake: WakeUps) -> None:
    while True:
        try:
            async for name in others.listen(_CHANNEL):
                # Without a name: the way is open now, and nobody knows what was said before.
                for one in _NAMES if name == "" else (name,):
                    if one in _NAMES:
                        getattr(wake, one).set()
        except DatabaseError as problem:
            said = seldom("to hear others", problem)
            _LOG.warning("cannot hear of other processes' work: %s", problem, extra=said)
        await asyncio.sleep(_AGAIN_AFTER_S)
