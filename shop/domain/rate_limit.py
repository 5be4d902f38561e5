"""How many calls may come per second: the time comes in, how long to wait goes out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class TokenBucket:
    """Lets ``per_second`` calls through on average, and twice as many at once. 0: no limit."""

    per_second: float
    _tokens: float | None = None
    _at: float = 0.0

    def take(self, now: float) -> float:
        """Seconds to wait before this call may come again; 0 lets it through. Unix seconds in."""
        if self.per_second <= 0:
            return 0.0
        most = max(2 * self.per_second, 1.0)
        before = most if self._tokens is None else self._tokens
        # A clock that was put back must not take anything away.
        tokens = min(most, before + max(now - self._at, 0.0) * self.per_second)
        self._at = now
        if tokens < 1:
            self._tokens = tokens
            return (1 - tokens) / self.per_second
        self._tokens = tokens - 1
        return 0.0
