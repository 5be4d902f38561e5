"""With a million rows a query that reads a whole table is felt: none that runs often does."""

import sqlite3

import pytest

from psp_sim.schema import SCHEMA_STEPS
from tests.psp_sim.stand import in_world

# Small by nature: rows that people make one by one.
SMALL = ("webhook_endpoints", "faults", "fired_by_kind", "schema_steps", "boots", "CONSTANT ROW")


def whole_tables(connection, statement):
    """Return the lines of the plan that read a table from end to end.

    A SEARCH that uses nothing is the minimum of a column, and so all of it as well. What a query
    selects from another one it may read to the end.
    """
    lines = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
    return [
        line
        for line in lines
        if (line.startswith("SCAN") or (line.startswith("SEARCH") and "USING" not in line))
        and not any(name in line for name in SMALL)
        and not (line.startswith("SCAN") and "FROM (SELECT" in statement)
    ]


@in_world(settle_after="1s", retry_schedule="1s,1s")
async def test_no_query_of_the_api_or_the_workers_reads_a_whole_table(stand):
    statements = set()
    endpoint = await stand.add_endpoint()
    connection = stand.psp.disk.connection
    connection.set_trace_callback(statements.add)
    payment = await stand.pay("a")
    one = f"/v1/webhook_endpoints/{endpoint['id']}"
    for path in (
        "/v1/payments?limit=5&after=1",
        "/v1/payments?reference=a",
        "/v1/payments?status=processing",
        "/v1/events?limit=5",
        f"/v1/events?payment={payment['id']}",
        "/v1/events?type=payment.succeeded",
        f"{one}/deliveries",
    ):
        assert (await stand.call("GET", path)).status == 200
    since = {"since": "2020-01-01T00:00:00Z"}
    assert (await stand.call("POST", f"{one}/recover", since)).status == 200
    await stand.world.restart("psp")
    connection.set_trace_callback(None)
    kinds = ("SELECT", "UPDATE", "INSERT", "DELETE")
    queries = sorted(each for each in statements if each.lstrip().startswith(kinds))
    assert len(queries) > 20
    found = {each: whole_tables(connection, each) for each in queries}
    assert {each: lines for each, lines in found.items() if lines} == {}


@in_world(settle_after="1s")
@pytest.mark.parametrize(
    ("since", "way"), [("2020-01-01T00:00:00Z", "events_by_time"), ("", "KEY")]
)
async def test_what_is_recovered_is_read_from_where_it_begins(stand, since, way):
    endpoint = await stand.add_endpoint()
    connection = stand.psp.disk.connection
    await stand.pay("a")
    since = since or (await stand.call("GET", "/v1/events")).json["data"][0]["id"]
    statements = []
    connection.set_trace_callback(statements.append)
    path = f"/v1/webhook_endpoints/{endpoint['id']}/recover"
    assert (await stand.call("POST", path, {"since": since})).status == 200
    connection.set_trace_callback(None)
    [statement] = [each for each in statements if "FROM events e LEFT JOIN" in each]
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
    assert any(line.startswith("SEARCH e USING") and way in line for line in plan), plan


@in_world(settle_after="1s")
async def test_a_scrape_reads_what_is_new_since_the_last_and_what_is_not_over(stand):
    await stand.pay("a")
    assert (await stand.call("GET", "/metrics")).status == 200
    connection, statements = stand.psp.disk.connection, []
    connection.set_trace_callback(statements.append)
    assert (await stand.call("GET", "/metrics")).status == 200
    connection.set_trace_callback(None)
    queries = [each for each in statements if each.startswith("SELECT")]
    assert len(queries) > 5
    # That index holds what is not over, and nothing else.
    found = [
        line
        for each in queries
        for line in whole_tables(connection, each)
        if "deliveries_due_by_endpoint" not in line and line != "SEARCH events"
    ]
    assert found == []


@pytest.mark.parametrize(
    "statement",
    ["SELECT * FROM payments WHERE details = 'x'", "SELECT MIN(due_at) FROM payments"],
)
def test_a_query_that_does_is_noticed(statement):
    connection = sqlite3.connect(":memory:")
    for step in SCHEMA_STEPS:
        connection.executescript(step)
    assert whole_tables(connection, statement)
    connection.close()
