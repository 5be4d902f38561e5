"""The guided tour: what happens in each step, and the sentence that the audience reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scenarios.demo.pace import Pace


@dataclass(frozen=True, slots=True)
class Step:
    """``actions`` happen once when the step begins; knobs not named are as at the start.

    ``lasts_s`` is how long it takes at a live pace until all has been seen of which it tells.
    """

    title: str
    sentence: str
    lasts_s: float
    knobs: Mapping[str, Any] = field(default_factory=dict)
    actions: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return what the page shows."""
        return {"title": self.title, "sentence": self.sentence}


TOUR: tuple[Step, ...] = (
    Step(
        "Calm",
        "The polling shop asks and asks, mostly for nothing; the others wait to be told, and know "
        "at once.",
        10.0,
    ),
    Step(
        "A burst",
        "Twenty customers at once: every open order is one more question, again and again, while "
        "webhooks come once for each.",
        12.0,
        actions=("burst",),
    ),
    Step(
        "A lost webhook",
        "Webhooks get lost: the webhook shop waits for the provider's next try, the one with "
        "reconciliation asks.",
        16.0,
        {"drop_percent": 100.0},
        ("burst",),
    ),
    Step(
        "A duplicate",
        "Every webhook comes twice: a shop that is not idempotent ships twice, the one that keeps "
        "an inbox does not.",
        10.0,
        {"duplicate_percent": 100.0},
    ),
    Step(
        "An outage",
        "The provider is away for a while: nobody learns anything, and afterwards each recovers "
        "in its own way.",
        20.0,
        actions=("outage",),
    ),
    Step(
        "A forged webhook",
        "Somebody says an order was paid: whoever checks the signature refuses, and nothing is "
        "shipped.",
        6.0,
        actions=("forge",),
    ),
)

# After the last step nobody buys any more, until everything has left.
SETTLING_S = 6.0
TOUR_S = sum(step.lasts_s for step in TOUR) + SETTLING_S
# Quicker than four times as quick, a busy machine would blur what happens.
SHORTEST_TOUR_S = TOUR_S / 4


def pace_of_a_tour(seconds: float) -> Pace:
    """Return how quick everything has to be for a tour of so many seconds to show it all."""
    return Pace(min(1.0, seconds / TOUR_S))
