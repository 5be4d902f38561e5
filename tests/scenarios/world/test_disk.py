from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

import pytest

from scenarios.world import HEAVY, NONE, TINY, HostDead, HostEnvironment, LatencyProfile, World
from scenarios.world.errors import WorldError
from sqlport import ConstraintBroken
from tests.scenarios.world.helpers import factory_of, run_in, say_ok

SCHEMA = "CREATE TABLE IF NOT EXISTS notes (text TEXT PRIMARY KEY)"


def with_database(world: World, use: Any) -> Any:
    """Run ``use(database)`` as work of a host, and return what it returns."""
    results: list[Any] = []

    async def factory(environment: HostEnvironment) -> Any:
        await environment.database.apply_schema(SCHEMA)
        results.append(await use(environment.database))
        return factory_of(say_ok)(environment)

    async def main(transport: Any) -> None:
        return

    run_in(world, ("shop", factory), main=main)
    return results[0]


async def insert(database: Any, text: str) -> None:
    async with database.transaction() as transaction:
        await transaction.execute("INSERT INTO notes VALUES (?)", text)


def test_rows_are_stored_and_failed_transactions_are_not() -> None:
    async def use(database: Any) -> list[str]:
        await insert(database, "kept")
        with pytest.raises(ConstraintBroken):
            async with database.transaction() as transaction:
                await transaction.execute("INSERT INTO notes VALUES ('lost'), ('kept')")
        async with database.transaction() as transaction:
            rows = await transaction.fetch_all("SELECT text FROM notes")
        return [row["text"] for row in rows]

    assert with_database(World(1), use) == ["kept"]


@pytest.mark.parametrize(
    ("profile", "least_us", "most_us"), [(NONE, 0, 0), (TINY, 1, 200_000), (HEAVY, 1_000_000, 1e12)]
)
def test_delays_follow_the_profile(profile: LatencyProfile, least_us: int, most_us: float) -> None:
    world = World(1, disk_delays=profile)

    async def use(database: Any) -> int:
        for number in range(100):
            await insert(database, str(number))
        return world.loop.now_us

    assert least_us <= with_database(world, use) <= most_us


def test_delays_let_others_in_between_transactions_but_never_inside() -> None:
    def order(profile: LatencyProfile) -> str:
        log: list[str] = []

        async def use(database: Any) -> None:
            async def work(name: str) -> None:
                for number in range(3):
                    async with database.transaction() as transaction:
                        log.append(f"({name}")
                        await transaction.execute("INSERT INTO notes VALUES (?)", f"{name}{number}")
                        log.append(")")

            await asyncio.gather(work("a"), work("b"), work("c"))

        with_database(World(1, disk_delays=profile), use)
        return "".join(log)

    assert order(TINY) != order(NONE)
    assert "((" not in order(TINY).translate(str.maketrans("", "", "abc"))


def test_a_dead_incarnation_cannot_touch_the_disk() -> None:
    kept: list[Any] = []

    async def use(database: Any) -> None:
        kept.append(database)

    world = World(1)

    async def main() -> None:
        world.crash("shop")
        with pytest.raises(HostDead):
            await insert(kept[0], "from the grave")

    async def factory(environment: HostEnvironment) -> Any:
        await environment.database.apply_schema(SCHEMA)
        await use(environment.database)
        return factory_of(say_ok)(environment)

    async def whole(transport: Any) -> None:
        await main()

    run_in(world, ("shop", factory), main=whole)
    assert world.host("shop").disk.connection.execute("SELECT * FROM notes").fetchall() == []


@pytest.mark.parametrize("crashed", [True, False])
def test_code_closed_after_the_run_cannot_commit_half_work(crashed: bool) -> None:
    async def factory(environment: HostEnvironment) -> Any:
        await environment.database.apply_schema(SCHEMA)

        async def commit_on_the_way_out() -> None:
            transaction = environment.database.transaction()
            inside = await transaction.__aenter__()
            try:
                await inside.execute("INSERT INTO notes VALUES ('half')")
                await asyncio.sleep(1000)
            finally:
                await transaction.__aexit__(None, None, None)

        asyncio.get_running_loop().create_task(commit_on_the_way_out())
        return factory_of(say_ok)(environment)

    world = World(1)

    async def main(transport: Any) -> None:
        await asyncio.sleep(1)
        if crashed:
            world.crash("shop")

    run_in(world, ("shop", factory), main=main)
    assert world.host("shop").disk.connection.execute("SELECT * FROM notes").fetchall() == []


def test_a_dead_incarnation_cannot_go_on_with_its_transaction() -> None:
    kept: list[Any] = []

    async def factory(environment: HostEnvironment) -> Any:
        await environment.database.apply_schema(SCHEMA)

        async def hold() -> None:
            async with environment.database.transaction() as transaction:
                kept.append(transaction)
                await asyncio.sleep(1000)

        kept.append(asyncio.get_running_loop().create_task(hold()))
        return factory_of(say_ok)(environment)

    world = World(1)

    async def main(transport: Any) -> None:
        world.crash("shop")
        with pytest.raises(HostDead):
            await kept[-1].execute("INSERT INTO notes VALUES ('from the grave')")

    run_in(world, ("shop", factory), main=main)
    assert world.host("shop").disk.connection.execute("SELECT * FROM notes").fetchall() == []


def test_a_schema_is_the_same_whether_it_was_run_or_copied() -> None:
    script = "CREATE TABLE IF NOT EXISTS first (a BIGINT); INSERT INTO first VALUES (1)"

    async def use(database: Any) -> list[Any]:
        await database.apply_schema(script)
        async with database.transaction() as transaction:
            names = await transaction.fetch_all("SELECT name, sql FROM sqlite_master")
            rows = await transaction.fetch_all("SELECT a FROM first")
        return [tuple(row) for row in [*names, *rows]]

    first = with_database(World(1), use)
    assert first == with_database(World(1), use)
    assert len(first) == 4


def test_a_schema_that_was_copied_does_not_undo_later_work() -> None:
    async def factory(environment: HostEnvironment) -> Any:
        await environment.database.apply_schema(SCHEMA)
        await insert(environment.database, str(environment.incarnation))
        return factory_of(say_ok)(environment)

    world = World(1)

    async def main(transport: Any) -> None:
        await world.restart("shop")

    run_in(world, ("shop", factory), main=main)
    assert len(world.host("shop").disk.connection.execute("SELECT * FROM notes").fetchall()) == 2


def test_a_disk_that_was_used_before_is_as_empty_as_a_new_one() -> None:
    script = (
        "CREATE TABLE IF NOT EXISTS numbered (number INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT);"
        "CREATE TABLE IF NOT EXISTS steps (step BIGINT); INSERT INTO steps VALUES (7)"
    )
    engines = []

    def played() -> list[Any]:
        found: list[Any] = []

        async def factory(environment: HostEnvironment) -> Any:
            database: Any = environment.database
            await database.apply_schema(script)
            engines.append(database.disk.engine)
            async with database.transaction() as transaction:
                await transaction.execute("INSERT INTO numbered (text) VALUES ('left behind')")
                await transaction.execute("UPDATE steps SET step = 8")
                found.extend(await transaction.fetch_all("SELECT number, text FROM numbered"))
            return factory_of(say_ok)(environment)

        async def main(transport: Any) -> None:
            return

        world = World(1)
        run_in(world, ("shop", factory), main=main)
        world.close()
        return [tuple(row) for row in found]

    assert played() == played() == [(1, "left behind")]
    assert engines[0] is engines[1], "nothing is shown if the second disk was a new one"
    left = engines[0].connection.execute("SELECT step FROM steps").fetchall()
    assert [tuple(row) for row in left] == [(7,)]


def test_a_disk_whose_schema_was_changed_is_not_used_again() -> None:
    world = World(1)

    async def use(database: Any) -> Any:
        async with database.transaction() as transaction:
            await transaction.execute("CREATE TABLE more (a BIGINT)")
        return database.disk.engine

    engine = with_database(world, use)
    world.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        engine.connection.execute("SELECT 1")


def test_closing_is_for_one_incarnation() -> None:
    async def factory(environment: HostEnvironment) -> Any:
        await environment.database.apply_schema(SCHEMA)
        await insert(environment.database, str(environment.incarnation))
        await environment.database.close()
        with pytest.raises(sqlite3.ProgrammingError):
            await insert(environment.database, "closed")
        return factory_of(say_ok)(environment)

    world = World(1)

    async def main(transport: Any) -> None:
        await world.restart("shop")

    run_in(world, ("shop", factory), main=main)
    rows = world.host("shop").disk.connection.execute("SELECT text FROM notes").fetchall()
    assert [row["text"] for row in rows] == ["1", "2"]


@pytest.mark.parametrize(
    "expression", ["CURRENT_TIMESTAMP", "datetime('now')", "random()", "unixepoch()"]
)
def test_the_real_clock_and_randomness_of_sql_are_refused(expression: str) -> None:
    async def use(database: Any) -> None:
        with pytest.raises(WorldError, match=expression.split("(")[0].lower()):
            async with database.transaction() as transaction:
                await transaction.fetch_one(f"SELECT {expression}")

    with_database(World(1), use)


def test_commits_are_traced_if_asked() -> None:
    async def use(database: Any) -> None:
        await insert(database, "one")

    world = World(1, trace_commits=True)
    with_database(world, use)
    assert [record.fields for record in world.trace.of_kind("committed")] == [
        {"host": "shop", "number": 1}
    ]


@pytest.mark.parametrize(
    ("commits_lost", "left"),
    [(0, ["1", "2", "3"]), (1, ["1", "2"]), (2, ["1"]), (3, ["1"])],
)
def test_a_crash_takes_the_commits_that_it_is_to_take_of_those_in_a_cache(
    commits_lost: int, left: list[str]
) -> None:
    world = World(1)
    kept: list[str] = []

    async def factory(environment: HostEnvironment) -> Any:
        await environment.database.apply_schema(SCHEMA)
        if environment.incarnation == 1:
            await insert(environment.database, "1")
            world.host("shop").disk.cache_commits(2)
            await insert(environment.database, "2")
            await insert(environment.database, "3")
        else:
            async with environment.database.transaction() as transaction:
                rows = await transaction.fetch_all("SELECT text FROM notes ORDER BY text")
            kept.extend(row["text"] for row in rows)
        return factory_of(say_ok)(environment)

    async def main(transport: Any) -> None:
        world.host("shop").crash("power", commits_lost=commits_lost)
        await world.start("shop")
        world.host("shop").crash("power")
        await world.start("shop")

    run_in(world, ("shop", factory), main=main)
    assert kept == [*left, *left]
