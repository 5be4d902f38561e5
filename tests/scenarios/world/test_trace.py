from __future__ import annotations

import json

import pytest

from scenarios.world import Trace, World
from tests.scenarios.world.helpers import factory_of, post, run_in, say_ok


def test_equal_facts_have_one_digest_and_order_matters() -> None:
    def digest(*facts: tuple[str, int]) -> str:
        trace = Trace(lambda: 5)
        for kind, number in facts:
            trace.record(kind, number=number, body=b"x" * number)
        return trace.digest()

    assert digest(("a", 1), ("b", 2)) == digest(("a", 1), ("b", 2))
    assert digest(("a", 1), ("b", 2)) != digest(("b", 2), ("a", 1))
    assert digest(("a", 1)) != digest(("a", 2))


def test_lines_are_canonical_json() -> None:
    trace = Trace(lambda: 7)
    trace.record("sent", zebra=1, body=b"abc", apple=None)
    (line,) = trace.lines()
    assert line.startswith('{"apple":null,"body":{"bytes":3,"digest":"')
    assert json.loads(line)["time_us"] == 7


def test_a_value_without_a_plain_form_is_refused() -> None:
    trace = Trace(lambda: 0)
    trace.record("sent", thing=object())
    with pytest.raises(TypeError, match="plain values"):
        trace.digest()


def test_a_run_can_be_told_from_its_trace() -> None:
    world = World(1)

    async def main(transport: object) -> None:
        await post(transport, "http://shop/orders?x=1", b"{}")  # type: ignore[arg-type]
        world.crash("shop")

    run_in(world, ("shop", factory_of(say_ok)), main=main)
    assert [record.kind for record in world.trace] == [
        "host_started",
        "request_sent",
        "request_arrived",
        "response_sent",
        "response_arrived",
        "host_crashed",
    ]
    sent = world.trace.of_kind("request_sent")[0].fields
    assert (sent["source"], sent["destination"]) == ("harness", "shop")
    assert (sent["method"], sent["path"], sent["body"]) == ("POST", "/orders?x=1", b"{}")
    answered = world.trace.of_kind("response_sent")[0]
    assert (answered.fields["id"], answered.fields["status"]) == (sent["id"], 200)
    assert world.trace.of_kind("response_arrived")[0].time_us > answered.time_us
