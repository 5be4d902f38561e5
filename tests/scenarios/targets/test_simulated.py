"""The simulated target: a bug of our own services ends the run loudly instead of hiding in it."""

from __future__ import annotations

import pytest

from scenarios.errors import ServiceBroke
from scenarios.scenario_files import select
from scenarios.targets import simulated
from shop.parts import Parts
from shop.receive_webhook import receive_webhook


def test_an_exception_that_a_service_lets_out_ends_the_run(monkeypatch) -> None:
    """The provider would only see a 500 and send again, so that nothing outside is wrong."""
    calls = []

    async def break_once(*arguments) -> None:
        calls.append(arguments)
        if len(calls) == 1:
            raise ZeroDivisionError("planted")
        await receive_webhook(*arguments)

    monkeypatch.setattr(simulated, "parts_of", lambda _: Parts(receive_webhook=break_once))
    (scenario,) = select(["webhooks_alone"])
    with pytest.raises(ServiceBroke, match=r"shop broke while .*planted"):
        simulated.play_simulated(scenario, 1, "correct")
    assert len(calls) > 1
