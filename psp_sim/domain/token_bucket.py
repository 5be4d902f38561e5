"""A rate limit: a bucket of tokens that fills at a rate, and that every request takes one from."""

from __future__ import annotations


class TokenBucket:
    """Holds one second's worth at most, and never less than one token."""

    def __init__(self) -> None:
        self._tokens: float | None = None
        self._at = 0.0

    def take(self, per_second: float, now: float) -> float:
        """Take a token; return 0, or how many seconds it is until there is one.

        A rate of 0 is no limit. ``now`` in seconds; a clock that goes back fills nothing.
        """
        if per_second <= 0:
            return 0.0
        most = max(1.0, per_second)
        filled = most if self._tokens is None else self._tokens
        filled += max(0.0, now - self._at) * per_second if self._tokens is not None else 0.0
        self._at = now
        self._tokens = min(most, filled)
        if self._tokens < 1:
            return (1 - self._tokens) / per_second
        self._tokens -= 1
        return 0.0
