"""A scenario: what is promised, under which faults, and which broken shops it must catch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scenarios.vocabulary import PlannedFault

# What the shop's staff does, and what payers do at the provider without the shop.
REFUND = "refund"
STEPS_OF_STAFF = ("rotate_secret", REFUND)
APPROVE = "approve_payment"
STEPS_OF_PAYERS = (
    APPROVE,
    "pay_too_little",
    "pay_in_another_currency",
    "pay_again_in_vain",
    "pay_for_something_else",
)
# What somebody does to the shop's endpoint at the provider's console.
MISDIRECT = "misdirect_endpoint"
REMOVE = "remove_endpoint"
STEPS_ON_ENDPOINTS = (MISDIRECT, REMOVE)
# And what somebody does with money there.
REFUND_AT_CONSOLE = "refund_at_console"
STEPS = (*STEPS_OF_STAFF, *STEPS_ON_ENDPOINTS, REFUND_AT_CONSOLE, *STEPS_OF_PAYERS)
# Settings of the provider by which it gives up an endpoint.
_DISABLES = ("disable_after_failures", "disable_after")

# Faults by which money that has come goes back.
LATE_NEWS = ("fail_late", "refund_fails", "dispute")


@dataclass(frozen=True, slots=True)
class Step:
    """Something that people do, ``at_s`` seconds after the first order.

    ``order`` counts customers from 1; ``share`` is how much of an order's price is refunded.
    """

    do: str
    at_s: float
    order: int = 1
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One experiment. Durations are in seconds of the world's time.

    ``needs`` names situations without which a run proves nothing, whatever holds in it.
    ``source`` is the document that it was read from, as written.
    """

    name: str
    summary: str
    tags: tuple[str, ...]
    invariants: tuple[str, ...]
    catches: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    orders: int = 2
    order_gap_s: float = 1.0
    chaos_s: float = 60.0
    faults: tuple[PlannedFault, ...] = ()
    steps: tuple[Step, ...] = ()
    provider: Mapping[str, Any] = field(default_factory=dict)
    shop: Mapping[str, Any] = field(default_factory=dict)
    source: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def fault_kinds(self) -> list[str]:
        """The kinds of fault that must fire, each once."""
        return list(dict.fromkeys(fault.kind for fault in self.faults))

    @property
    def needs_a_world(self) -> bool:
        """Tell whether some fault can only happen in virtual time."""
        return any(fault.is_of_the_world for fault in self.faults)

    def never_settles(self, number: int) -> bool:
        """Tell whether the payment of customer ``number`` is kept from any outcome.

        That is also so where it needs an approval and nobody is there to give it.
        """
        aimed = {each.kind for each in self.faults if each.document.get("order", number) == number}
        is_approved = any(step.do == APPROVE and step.order == number for step in self.steps)
        return "never_settle" in aimed or ("require_action" in aimed and not is_approved)

    @property
    def troubles_endpoint(self) -> bool:
        """Tell whether the shop's endpoint may be disabled, misdirected or removed."""
        is_befallen = any(step.do in STEPS_ON_ENDPOINTS for step in self.steps)
        return is_befallen or any(key in self.provider for key in _DISABLES)

    @property
    def has_late_news(self) -> bool:
        """Tell whether a payment goes on changing after it has succeeded."""
        return any(fault.kind in LATE_NEWS for fault in self.faults)
