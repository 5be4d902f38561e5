"""What a database said lately instead of storing, for whoever asks how it is doing."""

from __future__ import annotations

import asyncio

# Whoever works tries again within this time. Without work there is nothing that would show that it
# is over, and who is kept from work because of it would never come to show it.
SHOWN_FOR_S = 10.0


class Trouble:
    """The last refusal to store; forgotten by itself after a while."""

    def __init__(self) -> None:
        self._said: str | None = None
        self._until = 0.0

    def note(self, problem: Exception) -> None:
        """The database refused to store something."""
        self._said = str(problem)
        self._until = asyncio.get_running_loop().time() + SHOWN_FOR_S

    @property
    def latest(self) -> str | None:
        """One sentence, None if there was nothing of the sort lately."""
        if self._said is not None and asyncio.get_running_loop().time() >= self._until:
            self._said = None
        return self._said
