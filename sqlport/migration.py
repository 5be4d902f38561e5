"""A schema that grows: numbered steps, each of which a database gets once, in their order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from sqlport.dialect import statements_in
from sqlport.errors import DatabaseError
from sqlport.port import Transaction

_STEPS_TABLE = "CREATE TABLE IF NOT EXISTS schema_steps (number BIGINT PRIMARY KEY)"


async def run_steps(
    transaction: Transaction, create: Callable[[str], Awaitable[object]], steps: Sequence[str]
) -> None:
    """Run what the database has not had yet; ``create`` runs one statement of a schema.

    Raises DatabaseError for a database that has had more: an older program would misread it.
    """
    await create(_STEPS_TABLE)
    row = await transaction.fetch_one("SELECT COUNT(*) AS number FROM schema_steps")
    assert row is not None, "an aggregate always has a row"
    if row["number"] > len(steps):
        raise DatabaseError(
            "the database was made by a newer version of this program: run that one, or use "
            "another database"
        )
    for number, step in list(enumerate(steps, start=1))[row["number"] :]:
        for statement in statements_in(step):
            await create(statement)
        await transaction.execute("INSERT INTO schema_steps (number) VALUES (?)", number)
