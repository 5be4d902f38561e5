"""What a service's file has to offer, or a scenario would hold on it with nothing at stake."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from psp_sim.domain.money import DECIMALS
from scenarios.scenario import REFUND, Scenario
from scenarios.targets.target_document import ReadOrder
from scenarios.targets.target_file import Target

# A limit above this is not reached by a flood of some dozens of webhooks.
PER_SECOND_MAX = 30

# Faults that end a payment in a failure, and the order with it.
_FAILING = "decline"


def missing_offers(scenario: Scenario, target: Target) -> Iterator[str]:
    """Yield what the file would have to say before the scenario can prove anything."""
    for need in scenario.needs:
        if need in _OFFERS:
            yield from _OFFERS[need](target)
    if any(step.do == REFUND for step in scenario.steps):
        yield from _of_refunds(target)
    if _FAILING in scenario.fault_kinds and not target.document.read_order.failed:
        yield (
            "payments that fail need a status of their own: name its words in [read_order] failed"
        )


def not_judged(target: Target) -> Iterator[str]:
    """Yield what no scenario can tell of the service until its file says more."""
    if target.timing.acts_within is None:
        yield (
            "whether it acts upon webhooks or only asks for outcomes: "
            "say how soon it acts in [timing] acts_within"
        )
    if target.document.place_order.amount is None:
        yield (
            "whether it asks for the right amount: say where the answer to an order has its "
            "price in [place_order] amount and currency"
        )


def _of_refunds(target: Target) -> Iterator[str]:
    document = target.document
    if document.refund_order is None:
        yield (
            "it needs a service that gives money back: say how its staff does so in [refund_order]"
        )
    elif document.place_order.amount is None:
        yield (
            "it needs prices to give a part of back: "
            "say where the answer has them in [place_order] amount and currency"
        )
    elif not (_tells_of_refunds(document.read_order) or document.read_order.corrected):
        yield (
            "money that goes back needs a status of its own: "
            "name its words in [read_order] partially_refunded and refunded, or in corrected"
        )


def _tells_of_refunds(read: ReadOrder) -> bool:
    return bool(read.partially_refunded and read.refunded)


def _of_currencies(target: Target) -> Iterator[str]:
    order = target.document.place_order
    if len({DECIMALS[code] for code in order.currencies}) < 2:
        yield (
            "it needs a service that sells in currencies with different numbers of decimals, "
            "such as EUR and JPY: name them in [place_order] currencies"
        )
    elif order.amount is None:
        yield (
            "it needs prices to compare with what was paid: "
            "say where the answer has them in [place_order] amount and currency"
        )


def _of_a_limit(target: Target) -> Iterator[str]:
    per_second = target.document.webhook.per_second
    if per_second is None:
        yield (
            "it needs a service that puts webhooks off with 429 when they come too fast: "
            "say how many it takes in [webhook] per_second"
        )
    elif per_second > PER_SECOND_MAX:
        yield (
            f"its flood does not reach [webhook] per_second = {per_second:g}: "
            f"let the service take {PER_SECOND_MAX} or less for the test"
        )


def _of_acting(target: Target) -> Iterator[str]:
    timing = target.timing
    if timing.reconciles_within is not None and timing.acts_within is None:
        yield (
            "the service asks for outcomes too, so that its webhooks could be for nothing: "
            "say how soon it acts upon them in [timing] acts_within"
        )


_OFFERS: Mapping[str, Callable[[Target], Iterator[str]]] = {
    "several_currencies": _of_currencies,
    "webhook_put_off": _of_a_limit,
    "told_by_webhook": _of_acting,
}
