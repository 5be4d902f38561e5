"""The guided tour: what happens in each step, and the sentence that the audience reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Step:
    """``actions`` happen once when the step begins; knobs not named are as at the start."""

    title: str
    sentence: str
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
    ),
    Step(
        "A burst",
        "Twenty customers at once: every open order is one more question, again and again, while "
        "webhooks come once for each.",
        actions=("burst",),
    ),
    Step(
        "A lost webhook",
        "Webhooks get lost: the webhook shop waits for the provider's next try, the one with "
        "reconciliation asks.",
        {"drop_percent": 100.0},
        ("burst",),
    ),
    Step(
        "A duplicate",
        "Every webhook comes twice: a shop that is not idempotent ships twice, the one that keeps "
        "an inbox does not.",
        {"duplicate_percent": 100.0},
    ),
    Step(
        "An outage",
        "The provider is away for eight seconds: nobody learns anything, and afterwards each "
        "recovers in its own way.",
        actions=("outage",),
    ),
    Step(
        "A forged webhook",
        "Somebody says an order was paid: whoever checks the signature refuses, and nothing is "
        "shipped.",
        actions=("forge",),
    ),
)
