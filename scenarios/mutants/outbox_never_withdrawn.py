"""Sends off what once stood in the outbox, whatever has become of the order since.

People write: a queue of goods to be sent, and a worker that knows the queue only.
Breaks because goods can stand there for long while the warehouse is out of reach, and the bank
takes the money back meanwhile.
Shows as goods that leave after the shop has acknowledged that their payment has failed again.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.mutants.mutant import Mutant
from shop.domain.order import Decision, Order, decide
from shop.domain.payment import PaymentOutcome
from shop.parts import Parts


def decide_for_good(order: Order, outcome: PaymentOutcome) -> Decision:
    """Decide correctly, but leave in the outbox what is there."""
    return replace(decide(order, outcome), withdraws=False)


MUTANT = Mutant(
    "outbox_never_withdrawn",
    "M40",
    "sends goods off that waited for the warehouse though their money is gone meanwhile",
    Parts(decide=decide_for_good),
)
