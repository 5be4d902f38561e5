"""Once per idempotency key: the first request does the work, every repeat gets its answer again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from psp_sim.domain.errors import IdempotencyKeyInUse
from psp_sim.domain.idempotency import Answer, replay
from psp_sim.provider import Provider
from psp_sim.store import lock_key, store_answer, stored_answer
from sqlport import Transaction

_IN_USE = "a request with this Idempotency-Key is being worked on: retry it in a moment"

Work = Callable[[Transaction], Awaitable[Answer]]


async def answer_once(provider: Provider, key: str | None, fingerprint: str, work: Work) -> Answer:
    """Do the work and store its answer in one transaction, or return the answer of the first time.

    Without a key (None) the work is simply done. Raises IdempotencyKeyInUse while the first request
    is at work, IdempotencyKeyReused for another request under the same key, and what the work
    raises: then nothing is stored, and the key stays free. A key that is older than keys live is
    as good as new (Stripe: "a new request if a key is reused after the original is pruned").
    """
    if key is None:
        async with provider.database.transaction() as transaction:
            return await work(transaction)
    if key in provider.keys_in_use:
        raise IdempotencyKeyInUse(_IN_USE)
    provider.keys_in_use.add(key)
    try:
        async with provider.database.transaction() as transaction:
            if transaction.is_shared and not await lock_key(transaction, key):
                raise IdempotencyKeyInUse(_IN_USE)
            stored = await stored_answer(transaction, key, provider.keys_live_since())
            if stored is not None:
                return replay(*stored, fingerprint)
            answer = await work(transaction)
            await store_answer(transaction, key, fingerprint, answer, provider.clock.now())
            return answer
    finally:
        provider.keys_in_use.discard(key)
