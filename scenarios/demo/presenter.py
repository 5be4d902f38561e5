"""What happens on stage: customers come, knobs are turned, steps are taken, and all is told of."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import httpx

from scenarios.api import BadAnswer
from scenarios.customers import order_of
from scenarios.demo.knobs import BadKnob, Knobs
from scenarios.demo.lane import Lane
from scenarios.demo.pace import LIVE, Pace
from scenarios.demo.services import WEBHOOKS_PATH, Services
from scenarios.demo.tour import TOUR

BURST = 20
OUTAGE_S = 8.0
TELL_EVERY_S = 0.1
NUMBERS_EVERY_S = 0.5
# More than an eye can follow in one frame says nothing; the counters still count them.
PACKETS_MAX = 120
LISTENERS_MAX = 16
QUEUE_MAX = 100
END = ""
MAKING_GOOD_S_MAX, MAKE_GOOD_EVERY_S = 4.0, 0.3
MAKING_GOOD = "Before it begins: the provider sends again what got lost before."
ACTIONS = ("burst", "outage", "forge")

_TROUBLE = (httpx.HTTPError, BadAnswer)


class Presenter:
    """The state of one demo. ``now`` is the wall clock; ``chance`` decides when customers come."""

    def __init__(self, now: Callable[[], float], chance: random.Random, pace: Pace = LIVE) -> None:
        self._now = now
        self._chance = chance
        self._pace = pace
        self.knobs = Knobs.at(pace)
        self.step: int | None = None
        self.services: list[Services] = []
        self._packets: deque[tuple[str, str, str]] = deque(maxlen=PACKETS_MAX)
        self._listeners: list[asyncio.Queue[str]] = []
        self._outage_ends_at = 0.0
        self._customers = 0
        self._steps_taken = 0
        self._note = ""
        self._has_ended = False
        self._turning = asyncio.Lock()
        self._at_work: set[asyncio.Task[None]] = set()

    # -- what is told ---------------------------------------------------------------------------

    def tell(self, lane: Lane, direction: str, outcome: str) -> None:
        """Remember what crossed a wire until the page is told."""
        self._packets.append((lane.name, direction, outcome))

    def listen(self) -> asyncio.Queue[str]:
        """Return a queue of messages; ``END`` is its last. One that is not read is given up."""
        queue: asyncio.Queue[str] = asyncio.Queue(QUEUE_MAX)
        if self._has_ended:
            _end(queue)
            return queue
        self._listeners.append(queue)
        for given_up in self._listeners[:-LISTENERS_MAX]:
            self._give_up(given_up)
        return queue

    def leave(self, queue: asyncio.Queue[str]) -> None:
        """Tell a queue no more."""
        self._listeners = [each for each in self._listeners if each is not queue]

    def end(self) -> None:
        """Tell every listener, and whoever comes from now on, that nothing more is told."""
        self._has_ended = True
        for queue in list(self._listeners):
            self._give_up(queue)

    def _give_up(self, queue: asyncio.Queue[str]) -> None:
        self.leave(queue)
        _end(queue)

    def numbers(self) -> dict[str, Any]:
        """Return the whole state of this moment."""
        now = self._now()
        return {
            "knobs": self.knobs.as_json(),
            "step": self.step,
            "outage": now < self._outage_ends_at,
            "note": self._note,
            "lanes": {each.lane.name: each.lane.as_json(now) for each in self.services},
        }

    async def broadcast(self) -> None:
        """Tell every listener, for ever: packets often, numbers less so."""
        since_s = NUMBERS_EVERY_S
        while True:
            since_s += TELL_EVERY_S
            message: dict[str, Any] = {}
            if self._packets:
                message["packets"] = list(self._packets)
                self._packets.clear()
            if since_s >= NUMBERS_EVERY_S:
                since_s = 0.0
                self._count_shipments()
                message["numbers"] = self.numbers()
            if message:
                self._send(json.dumps(message, separators=(",", ":")))
            await asyncio.sleep(TELL_EVERY_S)

    def _send(self, text: str) -> None:
        for queue in list(self._listeners):
            try:
                queue.put_nowait(text)
            except asyncio.QueueFull:
                self._give_up(queue)

    def _count_shipments(self) -> None:
        """Take the warehouses' new calls into the books, and let go of them."""
        for each in self.services:
            for shipment in each.warehouse.shipments:
                each.lane.shipped(shipment.order, shipment.at)
            each.warehouse.shipments.clear()

    # -- what goes on by itself -----------------------------------------------------------------

    async def customers(self) -> None:
        """Let the same customer buy at every shop, one after the other, for ever."""
        while True:
            per_minute = self.knobs.customers_per_minute
            if per_minute <= 0:
                await asyncio.sleep(NUMBERS_EVERY_S)
                continue
            mean_s = 60 / per_minute
            # Bounded, so that no step has to do without customers.
            await asyncio.sleep(min(self._chance.expovariate(1 / mean_s), 2 * mean_s, 10.0))
            self._start(self._buy())

    async def _buy(self) -> None:
        self._customers += 1
        number = self._customers
        await asyncio.gather(*(self._buy_at(each, number) for each in self.services))

    async def _buy_at(self, each: Services, number: int) -> None:
        if not each.ready.is_set():
            return
        try:
            products = (await each.shop.get("/products"))["data"]
            placed = await each.shop.call("POST", "/orders", order_of(1, number, products))
        except _TROUBLE:
            return
        if placed[0] == 201:
            each.lane.placed(placed[1]["id"], self._now())

    async def follow_provider(self, each: Services) -> None:
        """Read what has really happened from the provider itself, past the watched wire."""
        after = ""
        while True:
            try:
                page = await each.provider.get(f"/v1/events?limit=100&wait=1{after}")
            except _TROUBLE:
                await asyncio.sleep(NUMBERS_EVERY_S)
                continue
            for event in page["data"]:
                if event["type"] == "payment.succeeded":
                    at = datetime.fromisoformat(event["timestamp"]).timestamp()
                    each.lane.settled(event["data"]["reference"], at)
            if page["data"]:
                after = f"&after={page['data'][-1]['id']}"

    # -- what the presenter does ----------------------------------------------------------------

    async def turn(self, changes: Mapping[str, Any]) -> None:
        """Turn knobs. Raises BadKnob."""
        async with self._turning:
            # Not before it is our turn: whoever is turning another knob would have it turned back.
            before, turned = self.knobs, self.knobs.turned(changes)
            self.knobs = turned
            await asyncio.gather(*(self._apply(each) for each in self.services))
            if before.wrong_url != turned.wrong_url:
                await asyncio.gather(*(self._point(each) for each in self.services))

    async def act(self, action: str) -> None:
        """Let something happen once. Raises BadKnob."""
        if action not in ACTIONS:
            raise BadKnob(f"{action!r} is no action: there are {', '.join(ACTIONS)}")
        if action == "burst":
            for _ in range(BURST):
                self._start(self._buy())
        if action == "outage":
            self._outage_ends_at = self._now() + self._pace.of(OUTAGE_S)
            async with self._turning:
                await asyncio.gather(*(self._apply(each) for each in self.services))
        if action == "forge":
            await asyncio.gather(*(self._forge(each) for each in self.services))

    async def take(self, step: int) -> None:
        """Begin a step of the tour, from 0, and do not wait for it. Raises BadKnob."""
        if not 0 <= step < len(TOUR):
            raise BadKnob(f"step {step} is not from 0 to {len(TOUR) - 1}")
        self._start(self.go_to(step))

    async def go_to(self, step: int) -> None:
        """Take a step of the tour, from 0, when what the one before lost has come.

        Another step that is taken in the meantime takes the place of this one.
        """
        self.step = step
        self._outage_ends_at = 0.0
        self._steps_taken += 1
        taken = self._steps_taken
        at_start = Knobs.at(self._pace).as_json()
        await self.turn(at_start)
        await self._make_good()
        if taken != self._steps_taken:
            return
        here = TOUR[step]
        if here.knobs:
            await self.turn(at_start | dict(here.knobs))
        for action in here.actions:
            await self.act(action)

    async def _make_good(self) -> None:
        """Have what was lost sent again, and wait a moment for it to be heard."""
        began_at = self._now()
        shops = [each for each in self.services if each.is_webhook_shop]

        def lacks_news() -> bool:
            return any(each.lane.lacks_news_of(began_at) for each in shops)

        if lacks_news():
            # What is on its way at this moment did not get lost.
            await self._pause()
        while lacks_news() and self._now() < began_at + MAKING_GOOD_S_MAX:
            self._note = MAKING_GOOD
            # Again and again, since what is lost at this moment has not failed yet.
            with contextlib.suppress(*_TROUBLE):
                await asyncio.gather(*(each.send_again() for each in shops))
            await self._pause()
        self._note = ""

    async def _pause(self) -> None:
        await asyncio.sleep(MAKE_GOOD_EVERY_S)
        self._count_shipments()

    async def _apply(self, each: Services) -> None:
        each.poll_every(self.knobs.polling_interval_s)
        faults = self.knobs.faults()
        left_s = self._outage_ends_at - self._now()
        if left_s > 0:
            faults.append({"kind": "outage", "for": f"{left_s:.3f}s"})
        with contextlib.suppress(*_TROUBLE):
            await each.provider.call("DELETE", "/_control/faults")
            await each.provider.call("POST", "/_control/faults", faults)

    async def _point(self, each: Services) -> None:
        """Point the provider's endpoint somewhere else, as a wrong setting does, or back."""
        if not each.is_webhook_shop:
            return
        path = "/nowhere" if self.knobs.wrong_url else WEBHOOKS_PATH
        with contextlib.suppress(*_TROUBLE):
            for endpoint in await each.provider.get_all("/v1/webhook_endpoints"):
                body = {"url": each.shop_tap_url + path}
                await each.provider.call("PATCH", f"/v1/webhook_endpoints/{endpoint['id']}", body)

    async def _forge(self, each: Services) -> None:
        """Send what anybody could send who knows the address: well-formed, and not signed."""
        if not each.is_webhook_shop:
            return
        order_id = next(reversed(each.lane.orders), "order-of-nobody")
        forged = {
            "id": "evt_forged",
            "type": "payment.succeeded",
            "timestamp": "2026-01-01T00:00:00.000Z",
            "sequence": 9,
            "data": {"id": "pay_forged", "status": "succeeded", "reference": order_id},
        }
        wire = each.shop.__class__(each.shop_tap_url, each.transport, 5.0)
        with contextlib.suppress(*_TROUBLE):
            await wire.call("POST", WEBHOOKS_PATH, forged)

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)


def _end(queue: asyncio.Queue[str]) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(END)
