"""A fault preset as the comparison meets it: what to install when, and what the model needs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from psp_sim.domain.errors import InvalidFault
from psp_sim.domain.faults import Fault, parse_fault
from psp_sim.domain.presets import preset_named
from scenarios.comparison.weather_words import meaning_of
from scenarios.errors import WrongUsage

# Questions that bring no answer, and attempts after which the shop does not know more.
_QUESTION_FAILS = ("lose_request", "lose_response", "error", "rate_limit")
_REFUSED = (
    "tamper_body",
    "wrong_secret",
    "corrupt_signature",
    "missing_signature",
    "malformed_signature",
    "stale_timestamp",
    "future_timestamp",
    "truncate_body",
)
# An outage comes when the first third of the customers is through: there is a before and an after.
_OUTAGE_STARTS_AT = 1 / 3


@dataclass(frozen=True)
class Weather:
    """The faults of a preset. Times are in seconds from the first customer."""

    name: str
    documents: tuple[Mapping[str, Any], ...]
    window_s: float

    @cached_property
    def faults(self) -> list[Fault]:
        """The documents, read."""
        return [parse_fault(document) for document in self.documents]

    @cached_property
    def meaning(self) -> str:
        """The faults in a sentence."""
        return meaning_of(self.faults)

    @cached_property
    def start_s(self) -> float:
        """When the faults are installed: an outage in mid-run, any others at the beginning."""
        return self.window_s * _OUTAGE_STARTS_AT if self.outage_s else 0.0

    @cached_property
    def outage_s(self) -> float:
        """How long the provider is away in all; 0 for weather without an outage."""
        return max((f.fields["for"] for f in self.faults if f.kind == "outage"), default=0.0)

    def is_outage(self, at_s: float) -> bool:
        """Tell whether the provider is away at this time."""
        return self.start_s <= at_s < self.start_s + self.outage_s

    @cached_property
    def question_fails(self) -> float:
        """How likely a question to the provider brings no answer, outages aside."""
        return _chance_of(self.name, _QUESTION_FAILS, 1)

    def attempt_lost(self, attempt: int) -> float:
        """How likely this attempt at a webhook never arrives."""
        return _chance_of(self.name, ("drop",), attempt)

    def attempt_refused(self, attempt: int) -> float:
        """How likely this attempt arrives so damaged that the shop has to refuse it."""
        return _chance_of(self.name, _REFUSED, attempt)

    def of_kind(self, kind: str) -> Fault | None:
        """Return the preset's fault of a kind, if it has one."""
        return next((fault for fault in self.faults if fault.kind == kind), None)


@cache
def _chance_of(preset: str, kinds: Sequence[str], attempt: int) -> float:
    faults = [parse_fault(document) for document in preset_named(preset)]
    return 1 - math.prod(
        1 - fault.probability for fault in faults if fault.kind in kinds and _covers(fault, attempt)
    )


def _covers(fault: Fault, attempt: int) -> bool:
    return fault.attempt is None or fault.attempt[0] <= attempt <= fault.attempt[1]


def weather_named(name: str, window_s: float) -> Weather:
    """Return a preset as weather over ``window_s`` seconds. Raises WrongUsage."""
    try:
        return Weather(name, tuple(preset_named(name)), window_s)
    except InvalidFault as problem:
        raise WrongUsage(f"--faults: {problem}") from problem
