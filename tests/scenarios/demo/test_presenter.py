"""Knobs turned at the same moment, steps taken in a row, listeners that are told of the end."""

from __future__ import annotations

import asyncio
import random
from types import SimpleNamespace
from typing import Any

from scenarios.demo.lane import Lane
from scenarios.demo.presenter import END, MAKING_GOOD, QUEUE_MAX, Presenter
from scenarios.demo.tour import TOUR

LOST = next(number for number, step in enumerate(TOUR) if step.title == "A lost webhook")
DUPLICATE = LOST + 1


class Provider:
    """Takes what it is told and answers nothing of interest."""

    async def call(self, *_: Any) -> tuple[int, Any]:
        """Accept."""
        return 200, None


class ForgetfulShop:
    """A shop whose news comes when it is sent again. ``sent_again`` counts how often it was."""

    is_webhook_shop = True

    def __init__(self, presenter: Presenter) -> None:
        self.lane = Lane("webhooks", "Webhooks")
        self.provider = Provider()
        self.warehouse = SimpleNamespace(shipments=[])
        self.sent_again = 0
        self.seen: list[tuple[str, float]] = []
        self._presenter = presenter

    def poll_every(self, _: float) -> None:
        """It never polls."""

    async def send_again(self) -> None:
        """Let the news come, and look at what the audience sees meanwhile."""
        self.sent_again += 1
        self.seen.append((self._presenter.numbers()["note"], self._presenter.knobs.drop_percent))
        for order in self.lane.orders:
            self.lane.shipped(order, 8.0)


def _with_a_lost_order() -> tuple[Presenter, ForgetfulShop]:
    presenter = Presenter(lambda: 8.0, random.Random(1))
    shop = ForgetfulShop(presenter)
    presenter.services = [shop]  # type: ignore[list-item]
    shop.lane.placed("one", 1.0)
    shop.lane.settled("one", 2.0)
    return presenter, shop


async def test_a_knob_turned_while_another_is_being_turned_is_not_turned_back() -> None:
    presenter = Presenter(lambda: 0.0, random.Random(1))
    async with presenter._turning:
        first = asyncio.create_task(presenter.turn({"wrong_url": True}))
        second = asyncio.create_task(presenter.turn({"drop_percent": 40.0}))
        await asyncio.sleep(0)
    await asyncio.gather(first, second)
    assert presenter.knobs.wrong_url
    assert presenter.knobs.drop_percent == 40.0


async def test_a_step_begins_when_what_was_lost_before_has_come() -> None:
    presenter, shop = _with_a_lost_order()
    await presenter.turn({"drop_percent": 100.0})
    await presenter.go_to(DUPLICATE)
    assert shop.seen == [(MAKING_GOOD, 0.0)]
    assert presenter.numbers()["note"] == ""
    assert presenter.numbers()["lanes"]["webhooks"]["stuck"] == 0
    assert presenter.knobs.duplicate_percent == 100.0


async def test_where_nothing_was_lost_a_step_begins_at_once() -> None:
    presenter, shop = _with_a_lost_order()
    shop.lane.shipped("one", 3.0)
    await presenter.go_to(DUPLICATE)
    assert shop.sent_again == 0


async def test_what_is_on_its_way_when_a_step_begins_did_not_get_lost() -> None:
    presenter, shop = _with_a_lost_order()
    asyncio.get_running_loop().call_later(0.05, shop.lane.shipped, "one", 8.0)
    await presenter.go_to(DUPLICATE)
    assert shop.sent_again == 0


async def test_of_two_steps_in_a_row_only_the_last_turns_knobs() -> None:
    presenter, _ = _with_a_lost_order()
    await asyncio.gather(presenter.go_to(LOST), presenter.go_to(DUPLICATE))
    assert presenter.step == DUPLICATE
    assert presenter.knobs.drop_percent == 0.0
    assert presenter.knobs.duplicate_percent == 100.0
    assert presenter.numbers()["note"] == ""


async def test_a_listener_that_does_not_listen_is_told_of_the_end_when_it_does() -> None:
    presenter = Presenter(lambda: 0.0, random.Random(1))
    deaf = presenter.listen()
    for _ in range(QUEUE_MAX + 1):
        presenter._send("numbers")
    heard = [deaf.get_nowait() for _ in range(deaf.qsize())]
    assert heard[-1] == END
    presenter.end()
    assert presenter.listen().get_nowait() == END, "who comes late hears it too"
