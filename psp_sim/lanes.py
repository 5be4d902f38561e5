"""How many calls may be under way to each endpoint, so that a slow one holds up nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Lane:
    """The places for calls to one endpoint; who finds none free waits for its turn."""

    def __init__(self, places: int, on_room: Callable[[], None]) -> None:
        self._places = places
        # Claims in batches cost less than claims one by one.
        self._batch_min = max(1, places // 4)
        self._turn = asyncio.Semaphore(places)
        self._wanted = 0
        self._on_room = on_room
        self._is_awaited = False

    def room(self) -> int:
        """Return how many more calls to claim; after 0, ``on_room`` tells when to ask again."""
        room = self._places - self._wanted
        if room >= self._batch_min:
            return room
        self._is_awaited = True
        return 0

    async def take(self) -> bool:
        """Take a place, and tell whether there was none at first."""
        has_to_wait = self._turn.locked()
        self._wanted += 1
        try:
            await self._turn.acquire()
        except BaseException:
            self._give_back()
            raise
        return has_to_wait

    def leave(self) -> None:
        """Give a place back."""
        self._turn.release()
        self._give_back()

    def _give_back(self) -> None:
        self._wanted -= 1
        if self._is_awaited and self._places - self._wanted >= self._batch_min:
            self._is_awaited = False
            self._on_room()


class Lanes:
    """A lane for every endpoint, made when it is first asked for."""

    def __init__(self, places: int, on_room: Callable[[], None]) -> None:
        self._places = places
        self._on_room = on_room
        self._by_endpoint: dict[str, Lane] = {}
        # The tasks that are past every delay and call, or have called and store what came of it.
        self.calling: dict[asyncio.Task[None] | None, None] = {}

    def of(self, endpoint_id: str) -> Lane:
        """Return the lane of an endpoint."""
        if endpoint_id not in self._by_endpoint:
            self._by_endpoint[endpoint_id] = Lane(self._places, self._on_room)
        return self._by_endpoint[endpoint_id]
