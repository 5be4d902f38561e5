"""The control API: faults in, out and listed, for this machine or whoever holds the token."""

import asyncio

import pytest

from scenarios.world.transport import SimulatedTransport
from tests.psp_sim.stand import in_world, scope_of

TOKEN = "admin-token"


def from_elsewhere(stand):
    """Return the transport of a host that is not the provider's own machine."""
    return SimulatedTransport(stand.world.network, "second")


@in_world()
async def test_a_fault_is_installed_listed_and_lifted(stand):
    answer = await stand.call("POST", "/_control/faults", {"kind": "drop", "attempt": "1..2"})
    assert answer.status == 201
    [installed] = answer.json["data"]
    assert installed["id"].startswith("flt_")
    assert installed | {"id": "", "installed": ""} == {
        "id": "",
        "object": "fault",
        "kind": "drop",
        "attempt": "1..2",
        "fired": 0,
        "installed": "",
    }
    assert await stand.get("/_control/faults") == {"data": [installed], "fired": {}}
    assert await stand.lift(installed["id"]) == 1
    assert await stand.get("/_control/faults") == {"data": [], "fired": {}}


@in_world()
async def test_several_faults_are_installed_all_or_none(stand):
    good, bad = {"kind": "drop"}, {"kind": "drop", "attempt": 0}
    answer = await stand.call("POST", "/_control/faults", [good, bad])
    assert (answer.status, answer.json["code"]) == (400, "invalid_fault")
    assert (await stand.get("/_control/faults"))["data"] == []
    answer = await stand.call("POST", "/_control/faults", [good, good])
    assert len({entry["id"] for entry in answer.json["data"]}) == 2
    assert await stand.lift() == 2
    assert await stand.lift() == 0


@in_world()
async def test_the_agenda_tells_what_is_still_to_come_of_a_payment_and_when(stand):
    await stand.install("dispute", by="5d", decided_after="1d")
    payment = await stand.pay()

    async def agenda():
        data = (await stand.get("/_control/agenda"))["data"]
        assert {(each["payment"], each["created"]) for each in data} <= {
            (payment["id"], payment["created"])
        }
        return [(each["step"], each["at"] > payment["created"]) for each in data]

    assert await agenda() == [("settle", True)]
    await asyncio.sleep(60)
    assert await agenda() == [("open_dispute", True)]
    await asyncio.sleep(5 * 86400)
    assert await agenda() == [("decide_dispute", True)]
    await asyncio.sleep(86400)
    assert await agenda() == []


@pytest.mark.parametrize(
    ("content", "code", "part"),
    [
        (b"", "invalid_request", "the body does not fit"),
        (b"{", "invalid_request", "the body does not fit"),
        (b"[" * 50_000, "invalid_request", ""),
        (b"7", "invalid_fault", "a fault is an object"),
        (b'["drop"]', "invalid_fault", "a fault is an object"),
        (b"{}", "invalid_fault", "use one of drop, delay"),
        (b'{"kind": "drop", "attempt": "x"}', "invalid_fault", 'write 2, or "1..3"'),
    ],
)
@in_world()
async def test_a_bad_fault_is_refused(stand, content, code, part):
    answer = await stand.call("POST", "/_control/faults", content=content)
    assert (answer.status, answer.json["code"]) == (400, code)
    assert part in answer.json["detail"]


@in_world(body_bytes_max=100)
async def test_a_body_over_the_limit_is_refused(stand):
    answer = await stand.call("POST", "/_control/faults", content=b" " * 101)
    assert (answer.status, answer.json["code"]) == (413, "body_too_large")


@in_world()
async def test_it_answers_during_an_outage(stand):
    await stand.install("outage")
    assert len((await stand.get("/_control/faults"))["data"]) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/_control/faults"), ("POST", "/_control/faults"), ("DELETE", "/_control/faults"),
     ("DELETE", "/_control/faults/flt_1"), ("GET", "/_control/agenda")],
)  # fmt: skip
@in_world()
async def test_it_answers_to_this_machine_only(stand, method, path):
    answer = await stand.call(method, path, {"kind": "drop"}, transport=from_elsewhere(stand))
    assert (answer.status, answer.json["code"]) == (403, "forbidden")
    assert "PSP_ADMIN_TOKEN" in answer.json["detail"]
    assert (await stand.get("/_control/faults"))["data"] == []


@in_world()
async def test_without_a_token_set_no_token_opens_it(stand):
    for authorization in ("Bearer ", "Bearer", "", "Bearer admin-token"):
        headers = {"authorization": authorization}
        there = from_elsewhere(stand)
        answer = await stand.call("GET", "/_control/faults", headers=headers, transport=there)
        assert answer.status == 403


@pytest.mark.parametrize(
    ("forwarded", "status"),
    [
        ("127.0.0.1", 200),
        ("::1, 127.0.0.1", 200),
        ("8.8.8.8", 403),
        ("127.0.0.1, 8.8.8.8", 403),
        ("10.0.0.9", 403),
        ("junk", 403),
    ],
)
@in_world()
async def test_who_comes_through_a_proxy_of_this_machine_is_not_this_machine(
    stand, forwarded, status
):
    headers = {"x-forwarded-for": forwarded}
    answer = await stand.call("GET", "/_control/faults", headers=headers)
    assert answer.status == status
    if status != 200:
        assert answer.json["code"] == "forbidden"


@pytest.mark.parametrize(
    ("authorization", "status"),
    [(f"Bearer {TOKEN}", 200), ("Bearer wrong", 403), (f"Bearer {TOKEN}x", 403), (None, 403)],
)
@in_world(admin_token=TOKEN)
async def test_the_admin_token_opens_it_to_other_machines(stand, authorization, status):
    headers = {"authorization": authorization}
    there = from_elsewhere(stand)
    answer = await stand.call("GET", "/_control/faults", headers=headers, transport=there)
    assert answer.status == status


@pytest.mark.parametrize(
    ("client", "status"),
    [
        (("127.0.0.1", 1), 200),
        (("127.8.8.8", 1), 200),
        (("::1", 1), 200),
        (("::ffff:127.0.0.1", 1), 200),
        (("10.0.0.1", 1), 403),
        (("::ffff:10.0.0.1", 1), 403),
        (("not an address", 1), 403),
        (None, 403),
    ],
)
@in_world()
async def test_this_machine_is_known_by_its_loopback_addresses(stand, client, status):
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    await stand.psp._app(scope_of("GET", "/_control/faults", client), receive, send)
    assert sent[0]["status"] == status


@in_world()
async def test_who_goes_away_in_the_middle_of_a_body_gets_no_answer_and_is_no_bug(stand):
    said = [{"type": "http.request", "body": b"[", "more_body": True}]
    answered = []

    async def receive():
        return said.pop(0) if said else {"type": "http.disconnect"}

    async def send(message):
        answered.append(message)

    await stand.psp._app(scope_of("POST", "/_control/faults"), receive, send)
    assert answered == []
