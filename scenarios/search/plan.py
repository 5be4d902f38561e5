"""A plan: everything that one run consists of, written out as JSON.

A seed only produces plans; what is shrunk, replayed and committed is the plan. Its words are those
of a scenario file, so whatever plays scenarios plays plans too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from scenarios.errors import WrongUsage
from scenarios.scenario import Scenario
from scenarios.scenario_files import read_scenario

# Keys of a scenario that say what it is for and change nothing about a run.
_ABOUT = ("summary", "tags", "invariants", "catches", "needs")
_SUMMARY = "A plan of the search."


@dataclass(frozen=True)
class Plan:
    """One run: a seed for latencies, prices and addresses, and the scenario's own words.

    ``setting`` has every key of a scenario file but those that describe it and ``faults``.
    """

    seed: int
    setting: Mapping[str, Any] = field(default_factory=dict)
    faults: Sequence[Mapping[str, Any]] = ()

    @property
    def document(self) -> dict[str, Any]:
        """The plan as JSON: ``seed``, the parameters, and ``faults`` as a list of objects."""
        return {"seed": self.seed, **self.setting, "faults": [dict(f) for f in self.faults]}

    @property
    def key(self) -> str:
        """The same text for the same plan, whatever order its keys were written in."""
        return json.dumps(self.document, sort_keys=True)

    @cached_property
    def scenario(self) -> Scenario:
        """What the runner plays. Raises WrongUsage naming the key and what is allowed."""
        words = {"summary": _SUMMARY, **self.setting, "faults": list(self.faults)}
        return read_scenario("plan", words)

    @property
    def orders(self) -> int:
        """How many customers buy."""
        return self.scenario.orders

    def with_faults(self, faults: Sequence[Mapping[str, Any]]) -> Plan:
        """Return the same run under other faults."""
        return Plan(self.seed, self.setting, tuple(faults))

    def with_more_faults(self, faults: Sequence[Mapping[str, Any]]) -> Plan:
        """Return the same run under other faults beside its own."""
        return self.with_faults([*self.faults, *faults])


def plan_of(scenario: Scenario, seed: int) -> Plan:
    """Return the plan of a scenario that was read from a file."""
    setting = {key: value for key, value in scenario.source.items() if key not in _ABOUT}
    faults = setting.pop("faults", ())
    return Plan(seed, setting, tuple(faults))


def read_plan(document: object) -> Plan:
    """Check a document and return its plan. Raises WrongUsage with one line."""
    if not isinstance(document, Mapping):
        raise WrongUsage("a plan is an object with seed, parameters and faults")
    seed = document.get("seed")
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise WrongUsage(f"seed = {seed!r} of the plan is not a whole number")
    about = [key for key in document if key in _ABOUT]
    if about:
        raise WrongUsage(f"{about[0]!r} is not a key of a plan: it says nothing about the run")
    setting = {key: value for key, value in document.items() if key not in ("seed", "faults")}
    faults = document.get("faults", [])
    if not isinstance(faults, list) or not all(isinstance(each, Mapping) for each in faults):
        raise WrongUsage("faults of the plan must be a list of objects")
    plan = Plan(seed, setting, tuple(faults))
    _ = plan.scenario
    return plan
