"""What an invariant has to say: how often it was really put to the test, and what broke it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scenarios.evidence import Evidence


class Violation(str):
    """A sentence that says what broke; ``at`` is when, in the world's Unix seconds, if known."""

    at: float | None

    def __new__(cls, sentence: str, at: float | None = None) -> Violation:
        """Return the sentence, dated."""
        violation = super().__new__(cls, sentence)
        violation.at = at
        return violation


@dataclass(frozen=True, slots=True)
class Finding:
    """``evaluated`` counts cases that could have failed."""

    evaluated: int
    violations: Sequence[Violation] = ()

    @property
    def in_order_of_time(self) -> list[Violation]:
        """The violations, the first bad step first; those without a moment come last."""
        return sorted(self.violations, key=lambda one: float("inf") if one.at is None else one.at)


@dataclass(frozen=True, slots=True)
class Invariant:
    """A promise with its check."""

    name: str
    promise: str
    check: Callable[[Evidence], Finding]
