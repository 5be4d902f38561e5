"""The shop's webhook endpoint as stored: what the provider has, and what is still to be done."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shop.domain.webhook_signature import PreviousSecret, WebhookSecrets
from shop.queues import time_to_look
from sqlport import SHARED, Row, Transaction


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint URL. ``rotation_key`` is set while a rotation is wanted but not known done."""

    url: str
    creation_key: str
    id: str | None
    secrets: WebhookSecrets | None
    rotation_key: str | None
    rotation_overlap_s: float | None
    attempts: int
    due_at: float | None


async def load_endpoint(transaction: Transaction, url: str) -> Endpoint | None:
    """The endpoint with this URL, or None."""
    row = await transaction.fetch_one(
        "SELECT webhook_endpoints.*, older_secrets.secrets AS older_secrets "
        "FROM webhook_endpoints LEFT JOIN older_secrets USING (endpoint_id) WHERE url = ?",
        url,
    )
    return None if row is None else _endpoint_in(row)


async def take_endpoint(transaction: Transaction, url: str, now: float, lease_s: float) -> bool:
    """Whether something is to be done about the endpoint; then nobody else is told so for a while.

    The time is compared where it is changed: of two processes that look at once, one takes it.
    """
    taken = await transaction.execute(
        "UPDATE webhook_endpoints SET attempts = attempts + 1, due_at = ? "
        "WHERE url = ? AND due_at <= ?",
        now + lease_s,
        url,
        now,
    )
    return taken == 1


async def next_endpoint_work_at(
    transaction: Transaction, url: str, now: float, look_s: float
) -> float | None:
    """When to look at the endpoint again."""
    row = await transaction.fetch_one(
        f"SELECT MIN(due_at) AS due, {SHARED} AS shared FROM webhook_endpoints WHERE url = ?", url
    )
    return time_to_look(row, now, look_s)


async def announce_endpoint(
    transaction: Transaction, url: str, creation_key: str, now: float
) -> None:
    """Note that there should be an endpoint, and have the provider asked about it now."""
    await transaction.execute(
        "INSERT INTO webhook_endpoints (url, creation_key, due_at) VALUES (?, ?, ?) "
        "ON CONFLICT (url) DO UPDATE SET attempts = 0, due_at = excluded.due_at",
        url,
        creation_key,
        now,
    )


async def plan_endpoint_work(
    transaction: Transaction, url: str, attempts: int, due_at: float
) -> None:
    """When to talk to the provider about the endpoint next."""
    await transaction.execute(
        "UPDATE webhook_endpoints SET attempts = ?, due_at = ? WHERE url = ?",
        attempts,
        due_at,
        url,
    )


async def look_at_once(transaction: Transaction, now: float) -> None:
    """Have the provider asked about our endpoint now, if we have one."""
    await transaction.execute("UPDATE webhook_endpoints SET due_at = ?", now)


async def move_to_url(transaction: Transaction, url: str) -> None:
    """Our address has changed: the endpoint that was made for another one is now for this one.

    Only if there is exactly one, and none for this URL yet.
    """
    await transaction.execute(
        "UPDATE webhook_endpoints SET url = ? WHERE endpoint_id IS NOT NULL "
        "AND (SELECT COUNT(*) FROM webhook_endpoints) = 1",
        url,
    )


async def note_settled(
    transaction: Transaction, url: str, now: float, look_again_at: float | None
) -> None:
    """Nothing is to be done before then.

    Unless a rotation or another look has been wished for meanwhile: what was found is older.
    """
    await transaction.execute(
        "UPDATE webhook_endpoints SET attempts = 0, due_at = ? WHERE url = ? "
        "AND endpoint_id IS NOT NULL AND rotation_key IS NULL AND (due_at IS NULL OR due_at > ?)",
        look_again_at,
        url,
        now,
    )


async def store_created(
    transaction: Transaction, url: str, creation_key: str, endpoint_id: str, secret: str
) -> None:
    """The provider has made the endpoint for this key; one noted before stays, with its secrets."""
    await transaction.execute(
        "UPDATE webhook_endpoints SET endpoint_id = ?, secret = ? "
        "WHERE url = ? AND creation_key = ? AND endpoint_id IS NULL",
        endpoint_id,
        secret,
        url,
        creation_key,
    )


async def forget_created(
    transaction: Transaction, url: str, endpoint_id: str, creation_key: str
) -> None:
    """The provider no longer knows this endpoint: another one is needed, under another key."""
    await transaction.execute(
        "UPDATE webhook_endpoints SET creation_key = ?, endpoint_id = NULL, secret = NULL, "
        "previous_secret = NULL, previous_ends_at = NULL, rotation_key = NULL "
        "WHERE url = ? AND endpoint_id = ?",
        creation_key,
        url,
        endpoint_id,
    )
    await transaction.execute("DELETE FROM older_secrets WHERE endpoint_id = ?", endpoint_id)


async def store_rotation_wish(
    transaction: Transaction, url: str, rotation_key: str, overlap_s: float | None
) -> None:
    """Note a rotation before asking for it; one that is already under way is that rotation."""
    await transaction.execute(
        "UPDATE webhook_endpoints SET rotation_key = ?, rotation_overlap_s = ? "
        "WHERE url = ? AND rotation_key IS NULL",
        rotation_key,
        overlap_s,
        url,
    )


async def store_rotated(
    transaction: Transaction, url: str, rotation_key: str, secrets: WebhookSecrets
) -> None:
    """The provider has rotated the secret."""
    newest = secrets.previous[0] if secrets.previous else None
    stored = await transaction.execute(
        "UPDATE webhook_endpoints SET secret = ?, previous_secret = ?, previous_ends_at = ?, "
        "rotation_key = NULL, rotation_overlap_s = NULL WHERE url = ? AND rotation_key = ?",
        secrets.current,
        newest.secret if newest else None,
        newest.ends_at if newest else None,
        url,
        rotation_key,
    )
    if stored == 1:
        await _store_older(transaction, url, secrets.previous[1:])


async def _store_older(transaction: Transaction, url: str, older: Sequence[PreviousSecret]) -> None:
    """Keep what came before the previous secret.

    In a table of its own: a database that an older version made gets new tables, but no columns.
    """
    await transaction.execute(
        "INSERT INTO older_secrets (endpoint_id, secrets) "
        "SELECT endpoint_id, ? FROM webhook_endpoints WHERE url = ? AND endpoint_id IS NOT NULL "
        "ON CONFLICT (endpoint_id) DO UPDATE SET secrets = excluded.secrets",
        json.dumps([(one.secret, one.ends_at) for one in older]),
        url,
    )


def _endpoint_in(row: Row) -> Endpoint:
    secrets = None
    if row["secret"] is not None:
        secrets = WebhookSecrets(row["secret"], tuple(_previous_in(row)))
    return Endpoint(
        url=row["url"],
        creation_key=row["creation_key"],
        id=row["endpoint_id"],
        secrets=secrets,
        rotation_key=row["rotation_key"],
        rotation_overlap_s=row["rotation_overlap_s"],
        attempts=row["attempts"],
        due_at=row["due_at"],
    )


def _previous_in(row: Row) -> Iterator[PreviousSecret]:
    if row["previous_secret"] is not None:
        yield PreviousSecret(row["previous_secret"], row["previous_ends_at"])
    for secret, ends_at in json.loads(row["older_secrets"] or "[]"):
        yield PreviousSecret(secret, ends_at)
