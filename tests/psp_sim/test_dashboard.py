"""The dashboard over HTTP: what it tells, what it changes, and whom it refuses."""

import asyncio

import pytest

from scenarios.world.transport import SimulatedTransport
from tests.psp_sim.stand import Reply, in_world

PARTS = ("", "/changes", "/payments", "/events", "/deliveries", "/endpoints", "/faults")


def view(stand, path, **more):
    return stand.call("GET", f"/_dashboard/{path}", **more)


@in_world()
async def test_an_attempt_shows_its_request_its_answer_and_the_fault_that_hit_it(stand):
    stand.sink.script = [Reply(500, body=b"database is busy")]
    await stand.add_endpoint()
    await stand.install("corrupt_signature", event="payment.processing", attempt=1)
    await stand.pay()
    await asyncio.sleep(60)
    rows = (await view(stand, "deliveries?filter=processing")).json["data"]
    shown = (await view(stand, f"deliveries/{rows[0]['id']}")).json
    first, second = shown["tries"]
    sent = stand.sink.calls[0]
    assert first["request_headers"].items() <= sent.headers.items()
    assert first["request_headers"]["webhook-signature"] == sent.headers["webhook-signature"]
    assert first["request_body"].encode() == sent.body
    assert (first["status"], first["answer"]) == (500, "database is busy")
    assert (first["faults"], second["faults"]) == (["corrupt_signature"], [])
    assert (shown["state"], shown["status"], second["status"]) == ("delivered", 200, 200)


@in_world()
async def test_a_body_that_a_fault_altered_is_shown_as_it_was_sent(stand):
    await stand.add_endpoint()
    await stand.install("duplicate", copies=2, ids="new", event="payment.processing")
    await stand.pay()
    await asyncio.sleep(10)
    [row] = (await view(stand, "deliveries?filter=processing")).json["data"]
    tries = (await view(stand, f"deliveries/{row['id']}")).json["tries"]
    assert [one["is_body_altered"] for one in tries] == [False, True]
    assert {one["request_body"].encode() for one in tries} == {c.body for c in stand.sink.calls[:2]}


@in_world()
async def test_every_word_of_the_filter_must_occur_and_means_itself(stand):
    await stand.add_endpoint()
    for reference in ("blue-1", "blue_2", "red%3"):
        await stand.pay(reference)
    await asyncio.sleep(10)

    async def found(words):
        rows = (await view(stand, f"payments?filter={words}")).json["data"]
        return [row["reference"] for row in rows]

    assert await found("") == ["red%3", "blue_2", "blue-1"]
    assert await found("BLUE%20succeeded") == ["blue_2", "blue-1"]
    assert await found("blue_") == ["blue_2"]
    assert await found("%25") == ["red%3"]
    assert await found("blue%20red") == []
    assert await found("'%20OR%201=1") == []


@in_world()
async def test_lists_go_back_page_by_page(stand):
    for number in range(105):
        await stand.pay(f"o-{number}")
    first = (await view(stand, "payments")).json
    rest = (await view(stand, f"payments?before={first['next']}")).json
    assert [len(first["data"]), len(rest["data"]), rest["next"]] == [100, 5, None]
    assert rest["data"][-1]["reference"] == "o-0"


@in_world()
async def test_the_cursor_changes_when_something_happens_and_only_then(stand):
    async def cursor():
        return (await view(stand, "changes")).json["cursor"]

    seen = [await cursor()]
    await stand.add_endpoint()
    seen.append(await cursor())
    await stand.pay()
    seen.append(await cursor())
    await asyncio.sleep(10)
    seen.append(await cursor())
    fault = await stand.install("drop")
    seen.append(await cursor())
    await stand.lift(fault)
    assert await cursor() == seen[3]
    assert len(set(seen)) == 5
    unchanged = await view(stand, f"changes?cursor={seen[3]}")
    assert unchanged.json == {"cursor": seen[3]}


@in_world(retry_schedule="none")
async def test_a_delivery_that_was_given_up_is_redelivered(stand):
    stand.sink.reply = Reply(500)
    await stand.add_endpoint()
    await stand.pay()
    await asyncio.sleep(30)
    rows = (await view(stand, "deliveries?filter=exhausted")).json["data"]
    assert len(rows) == 2
    stand.sink.reply = Reply(200)
    answer = await stand.call("POST", f"/_dashboard/deliveries/{rows[0]['id']}/redeliver")
    assert (answer.status, answer.json["state"]) == (200, "scheduled")
    await asyncio.sleep(1)
    again = (await view(stand, f"deliveries/{rows[0]['id']}")).json
    assert (again["state"], [one["number"] for one in again["tries"]]) == ("delivered", [1, 2])
    assert stand.sink.calls[-1].id == rows[0]["event"]


@in_world()
async def test_what_cannot_be_redelivered_is_refused(stand):
    endpoint = await stand.add_endpoint()
    await stand.pay()
    await asyncio.sleep(10)
    [row, _] = (await view(stand, "deliveries")).json["data"]
    await stand.call("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")
    for delivery in (row["id"], "dlv_none"):
        answer = await stand.call("POST", f"/_dashboard/deliveries/{delivery}/redeliver")
        assert (answer.status, answer.json["code"]) == (404, "not_found")


@in_world()
async def test_faults_are_turned_on_counted_and_lifted(stand):
    answer = await stand.call("POST", "/_dashboard/faults", {"kind": "drop", "attempt": 1})
    assert answer.status == 201
    await stand.add_endpoint()
    await stand.pay()
    await asyncio.sleep(60)
    shown = (await view(stand, "faults")).json
    assert [(fault["kind"], fault["fired"]) for fault in shown["data"]] == [("drop", 2)]
    assert "drop" in {kind["name"] for kind in shown["vocabulary"]}
    answer = await stand.call("DELETE", f"/_dashboard/faults/{shown['data'][0]['id']}")
    assert answer.json == {"lifted": 1}


@in_world()
async def test_no_secret_and_no_key_is_shown(stand):
    endpoint = await stand.add_endpoint()
    await stand.pay()
    await asyncio.sleep(10)
    rows = (await view(stand, "deliveries")).json["data"]
    paths = [*(part.removeprefix("/") for part in PARTS), f"deliveries/{rows[0]['id']}"]
    for path in paths:
        text = (await view(stand, path)).text if path else ""
        assert endpoint["secret"] not in text
        assert stand.settings.api_key not in text


@in_world()
async def test_the_page_may_run_no_script_but_its_own(stand):
    answer = await stand.call("GET", "/_dashboard")
    assert answer.status == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script type" in answer.text
    assert "onclick=" not in answer.text
    assert "style=" not in answer.text
    script = (await view(stand, "dashboard.js")).text
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "document.write"):
        assert word not in script


@pytest.mark.parametrize("prefix", ["/_dashboard", "/_control"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"host": "evil.example"},
    ],
)
@in_world()
async def test_another_website_can_change_nothing(stand, prefix, headers):
    answer = await stand.call("POST", f"{prefix}/faults", {"kind": "drop"}, headers=headers)
    assert (answer.status, answer.json["code"]) == (403, "forbidden")
    assert "access-control-allow-origin" not in answer.headers
    assert (await stand.get("/_control/faults"))["data"] == []


@in_world()
async def test_the_page_itself_may_change_things(stand):
    headers = {"origin": "http://psp:8080", "sec-fetch-site": "same-origin"}
    answer = await stand.call("POST", "/_dashboard/faults", {"kind": "drop"}, headers=headers)
    assert answer.status == 201


@in_world()
async def test_a_name_that_a_stranger_can_own_reads_nothing(stand):
    answer = await view(stand, "payments", headers={"host": "rebound.example:8080"})
    assert answer.status == 403


@in_world()
async def test_other_machines_see_nothing(stand):
    elsewhere = SimulatedTransport(stand.world.network, "second")
    for part in PARTS:
        answer = await stand.call("GET", f"/_dashboard{part}", transport=elsewhere)
        assert (part, answer.status) == (part, 403)


@in_world(admin_token="admin-token")
async def test_the_admin_token_opens_it_from_elsewhere(stand):
    elsewhere = SimulatedTransport(stand.world.network, "second")
    headers = {"authorization": "Bearer admin-token"}
    answer = await view(stand, "payments", transport=elsewhere, headers=headers)
    assert answer.status == 200
    assert (await view(stand, "payments", transport=elsewhere)).status == 403
    assert (await stand.call("GET", "/_dashboard", transport=elsewhere)).status == 200
