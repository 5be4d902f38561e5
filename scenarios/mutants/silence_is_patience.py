"""Waits on its event stream for however long nothing comes.

People write: ``async for event in stream``: no news is good news.
Breaks because a connection can die without a word: a network that swallows packets closes nothing.
The provider breaks every silence with a comment, and nobody listens for it.
Shows as orders that are paid for and stay pending, since the line was cut for a moment.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.mutants.mutant import Mutant
from shop.parts import Parts
from shop.ports import Shop
from shop.tracking.read_stream import read_stream

_NO_TIMEOUT_S = 365 * 86400.0


async def read_patiently(shop: Shop) -> bool:
    """Read a connection whose silence never lasts too long."""
    settings = replace(shop.settings, stream_silence_s=_NO_TIMEOUT_S)
    return await read_stream(replace(shop, settings=settings))


MUTANT = Mutant(
    "silence_is_patience",
    "M52",
    "waits on an event stream that is dead: silence never lasts too long",
    Parts(read_stream=read_patiently),
)
