"""What an invariant has to say: how often it was really put to the test, and what broke it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scenarios.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Finding:
    """``evaluated`` counts cases that could have failed; each violation is a sentence."""

    evaluated: int
    violations: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Invariant:
    """A promise with its check."""

    name: str
    promise: str
    check: Callable[[Evidence], Finding]
