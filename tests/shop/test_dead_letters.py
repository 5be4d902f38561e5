"""Events that were set aside: seen, put back, and never in the way of others."""

import asyncio
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from shop import event_store
from sqlport import open_database
from tests.shop.fake_provider import FakeProvider
from tests.shop.fakes import QUICK, running_shop

ROOT = Path(__file__).parents[2]
POISON = {"id": "evt_poison", "type": "payment.succeeded", "data": {"id": 7}}


async def letters_of(shop, query=""):
    return (await shop.http.get(f"/dead_letters{query}")).json()


async def set_aside(shop, *events):
    for event in events:
        assert (await shop.deliver(event)).status_code == 200
    await shop.until_worked_off()
    assert len((await letters_of(shop))["data"]) >= len(events)


async def test_an_event_that_cannot_be_processed_is_listed_with_its_reason():
    async with running_shop(FakeProvider()) as shop:
        await set_aside(shop, POISON)
        (letter,) = (await letters_of(shop))["data"]
        assert (letter["event_id"], letter["source"]) == ("evt_poison", "webhook")
        assert "Expected `str`, got `int`" in letter["reason"]
        assert json.loads(letter["body"]) == POISON
        assert (await shop.http.get("/healthz")).json()["dead_letters"] == 1
        metrics = (await shop.http.get("/metrics")).text
        assert "shop_dead_letters 1\n" in metrics
        assert "shop_inbox_waiting 0\n" in metrics


async def test_the_list_comes_in_pages():
    async with running_shop(FakeProvider()) as shop:
        await set_aside(shop, *({**POISON, "id": f"evt_{n}"} for n in range(5)))
        ids, after = [], ""
        while True:
            page = await letters_of(shop, f"?limit=2{after}")
            ids += [one["event_id"] for one in page["data"]]
            if page["next"] is None:
                break
            after = f"&after={page['next']}"
        assert ids == [f"evt_{n}" for n in range(5)]


async def test_one_that_is_put_back_has_its_effect_once_its_cause_is_gone():
    world, database = FakeProvider(), await open_database("sqlite:///:memory:")
    async with running_shop(world, database=database) as shop:
        order_id, payment_id = await shop.place_requested_order()
        event = world.settle(payment_id)
        event["data"]["amount"] = 1
        await set_aside(shop, event)
        async with database.transaction() as transaction:
            await transaction.execute(
                "UPDATE inbox SET body = ? WHERE event_id = ?",
                json.dumps({**event, "data": world.payments[payment_id]}),
                event["id"],
            )
        answer = await shop.http.post(f"/dead_letters/{event['id']}/retry")
        assert answer.json() == {"event_id": event["id"], "status": "pending"}
        await shop.until_status(order_id, "fulfilled")
        assert (await letters_of(shop))["data"] == []
        again = await shop.http.post(f"/dead_letters/{event['id']}/retry")
        assert (again.status_code, again.json()["code"]) == (404, "dead_letter_not_found")
    await database.close()


async def test_one_that_still_fails_is_set_aside_again_after_as_many_tries(caplog):
    async with running_shop(FakeProvider()) as shop:
        await set_aside(shop, POISON)
        await shop.http.post("/dead_letters/evt_poison/retry")
        await shop.until_worked_off()
        assert len((await letters_of(shop))["data"]) == 1
    tries = [
        int(n) for one in caplog.records for n in re.findall(r"failed (\d) times", one.message)
    ]
    assert tries == [1, 2, 3, 4, 5] * 2


async def test_later_events_of_others_never_wait_behind_one():
    """The bad ones are far from being given up when the good one is through."""
    world = FakeProvider()
    settings = replace(QUICK, retry_first_delay_s=1000.0, retry_delay_cap_s=1000.0)
    async with running_shop(world, settings=settings) as shop:
        order_id, payment_id = await shop.place_requested_order()
        for n in range(100):
            await shop.deliver({**POISON, "id": f"poison_{n}"})
        await shop.deliver(world.settle(payment_id))
        await shop.until_status(order_id, "fulfilled")
        assert (await letters_of(shop))["data"] == []


async def test_each_metric_and_the_docs_say_how_several_processes_are_put_together():
    async with running_shop(FakeProvider()) as shop:
        text = (await shop.http.get("/metrics")).text
    told = dict(re.findall(r"# HELP (\w+) .*\((max|min|sum)\)\n", text))
    assert list(told) == re.findall(r"# TYPE (\w+) ", text)
    page = (ROOT / "docs" / "routes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(shop_\w+)` \|.*\| `(max|min|sum) by", page, re.MULTILINE)
    assert told == dict(rows)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/dead_letters"), ("POST", "/dead_letters/evt_1/retry")]
)
async def test_customers_events_are_not_for_strangers(method, path):
    async with running_shop(FakeProvider(), peer="8.8.8.8") as shop:
        assert (await shop.http.request(method, path)).status_code == 403


async def command(*arguments):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "shop", "dead-letters", *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@pytest.mark.live
async def test_the_command_lists_and_puts_back_in_the_database_file(tmp_path):
    url = f"sqlite:///{tmp_path}/shop.sqlite3"
    database = await open_database(url)
    async with running_shop(FakeProvider(), database=database) as shop:
        await set_aside(shop, *({**POISON, "id": f"evt_{n}"} for n in range(3)))
    await database.close()
    status, out, _ = await command("list", "--database", url)
    letters = [json.loads(line) for line in out.splitlines()]
    assert (status, [one["event_id"] for one in letters]) == (0, ["evt_0", "evt_1", "evt_2"])
    assert await command("retry", "evt_1", "--database", url) == (0, "1 put back\n", "")
    assert await command("retry", "--all", "--database", url) == (0, "2 put back\n", "")
    assert await command("--database", url) == (0, "", "")
    database = await open_database(url)
    async with database.transaction() as transaction:
        assert await event_store.count_dead_letters(transaction) == 0
    await database.close()


@pytest.mark.live
@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("retry",), "retry ID"),
        (("list", "evt_1"), "give one of: list, retry ID, retry --all"),
        (("retry", "evt_1", "--all"), "not both"),
        (("retry", "evt_1"), "no event 'evt_1' is set aside"),
    ],
    ids=str,
)
async def test_a_command_that_makes_no_sense_is_one_clear_line(tmp_path, arguments, part):
    path = tmp_path / "shop.sqlite3"
    await (await open_database(f"sqlite:///{path}")).close()
    status, out, err = await command(*arguments, "--database", f"sqlite:///{path}")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert part in err


@pytest.mark.live
async def test_a_mistyped_database_is_not_made(tmp_path):
    status, _, err = await command("--database", f"sqlite:///{tmp_path}/nowhere.sqlite3")
    assert status == 2
    assert "there is no database" in err
    assert list(tmp_path.iterdir()) == []


async def test_the_log_and_the_list_tell_the_same_number_of_attempts(caplog):
    async with running_shop(FakeProvider()) as shop:
        await set_aside(shop, POISON)
        (letter,) = (await letters_of(shop))["data"]
    assert letter["attempts"] == QUICK.inbox_attempts_max
    told = re.findall(r"evt_poison failed (\d+) times", caplog.text)
    assert told == [str(number + 1) for number in range(letter["attempts"])]
