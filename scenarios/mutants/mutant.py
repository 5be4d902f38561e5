"""What a deliberately broken shop is: a name, a class of bug, and the one part that differs."""

from __future__ import annotations

from dataclasses import dataclass

from shop.parts import Parts


@dataclass(frozen=True)
class Mutant:
    """A broken shop. ``bug`` is its class among the consumer bugs that are known, M01 to M52."""

    name: str
    bug: str
    summary: str
    parts: Parts
