"""The order in which plans are tried: no fault, each single fault, then pairs and swarms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, count
from typing import Any

from scenarios.search.addresses import addresses_of
from scenarios.search.grounds import GROUNDS
from scenarios.search.plan import Plan
from scenarios.search.space import singles
from scenarios.search.swarm import swarm_plan
from scenarios.world.randomness import keyed_random

Fault = dict[str, Any]


@dataclass(slots=True)
class Tier:
    """One part of the portfolio and how far it got; ``space`` is None where there is no end."""

    name: str
    space: int | None
    played: int = 0
    drawn: bool = False

    @property
    def covered(self) -> str:
        """What was done, in words that claim no more than that."""
        if self.space is None:
            return f"{self.played} at random"
        if self.drawn:
            return f"{self.played} drawn at random from {self.space}"
        if self.played >= self.space:
            return f"all {self.space}"
        return f"{self.played} of {self.space}"


@dataclass
class Portfolio:
    """Makes the plans of one search; the same seed makes the same ones in the same order."""

    seed: int
    grounds: list[tuple[Plan, list[Fault]]] = field(default_factory=list)
    tiers: list[Tier] = field(default_factory=list)

    def prepare(self) -> None:
        """Look at each ground once without faults, to know what there is to be hit."""
        for ground in GROUNDS.values():
            plan = ground.plan(self.seed)
            faults = list(singles(addresses_of(plan), ground)) if ground.aims else []
            self.grounds.append((plan, faults))
        sizes = [len(faults) for _, faults in self.grounds]
        self.tiers = [
            Tier("no fault", len(sizes)),
            Tier("single faults", sum(sizes)),
            Tier("pairs of faults", sum(size * (size - 1) // 2 for size in sizes)),
            Tier("swarms", None),
        ]

    def plans(self, budget: int | None) -> Iterator[tuple[Tier, Plan]]:
        """Yield plans without end; ``budget`` is how many will be taken, None if unknown.

        After the single faults, all pairs follow if they fit into half of what is left; otherwise
        pairs and swarms take turns, both drawn at random.
        """
        calm, single, pair, swarm = self.tiers
        yield from ((calm, ground) for ground, _ in self.grounds)
        yield from ((single, plan) for plan in self._singles())
        assert single.space is not None
        assert pair.space is not None
        left = 0 if budget is None else budget - len(self.grounds) - single.space
        if left >= 2 * pair.space:
            yield from ((pair, plan) for plan in self._all_pairs())
            yield from ((swarm, swarm_plan(self.seed, number)) for number in count())
        pair.drawn = True
        for number in count():
            yield pair, self._drawn_pair(number)
            yield swarm, swarm_plan(self.seed, number)

    def _singles(self) -> list[Plan]:
        """Return them with one of each sort first: a search that ends early has seen them all."""
        plans = [
            ground.with_more_faults([fault]) for ground, faults in self.grounds for fault in faults
        ]
        keyed_random(self.seed, "singles").shuffle(plans)
        seen: Counter[str] = Counter()
        ranks = []
        for plan in plans:
            sort = _sort_of(plan.faults[-1])
            ranks.append(seen[sort])
            seen[sort] += 1
        order = sorted(range(len(plans)), key=lambda index: (ranks[index], index))
        return [plans[index] for index in order]

    def _all_pairs(self) -> Iterator[Plan]:
        for ground, faults in self.grounds:
            for pair in combinations(faults, 2):
                yield ground.with_more_faults(pair)

    def _drawn_pair(self, number: int) -> Plan:
        chance = keyed_random(self.seed, "pair", number)
        ground, faults = chance.choice([each for each in self.grounds if len(each[1]) > 1])
        return ground.with_more_faults(chance.sample(faults, 2))


def _sort_of(fault: Mapping[str, Any]) -> str:
    """Return what faults have in common that differ in order, number and length only."""
    at = fault.get("at") or {}
    where = [at.get(key) for key in ("site", "when", "path")]
    aim = [fault.get(key) for key in ("kind", "host", "event", "operation", "field", "ids")]
    return repr([*aim, *where])
