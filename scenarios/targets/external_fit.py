"""Which scenarios a service that nobody here has seen can be put to, and why not the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from psp_sim.domain.duration import parse_duration
from scenarios.calendar import outcome_within_s
from scenarios.evidence import Pace
from scenarios.scenario import LATE_NEWS, REFUND, REFUND_AT_CONSOLE, STEPS_OF_PAYERS, Scenario
from scenarios.targets.external_offer import missing_offers
from scenarios.targets.target_file import Target
from scenarios.vocabulary import ALL_FAULTS, PlannedFault
from shop.settings import Settings as ShopSettings

# How many times faster than written a scenario's times pass: slower than among our own services,
# since nobody can tell this one to live faster.
TIME_SCALE = 20.0

# A run that would take longer than this is left to virtual time.
CHAOS_MAX_S = 60.0

# An invariant that looks at what only the sample shop shows: its books.
NOT_SHOWN = ("money_balances",)
# And those for which a service has to say how soon it acts.
_ACTING = ("acknowledged_is_acted_on", "acknowledged_survives_a_crash")
# Faults of these leave a service all that it may need to act upon a webhook.
_HARMLESS = ("webhook", "payment")

# Every service under test requests payments; what else it calls is its own affair.
_CALLED_BY_ALL = ("create_payment", "rotate_secret")

# What makes a scenario one about who looks after the endpoint at the provider.
_REGISTRATION = "disable_after_failures"
_MARGIN_S = 1.0

# By itself the overlap of a rotation lasts longer than any run here.
_OVERLAP = "rotation_overlap"

# How far apart customers buy where it matters whose payment the provider gets first.
_APART_S = 1.0
_APART_MAX_S = 3.0
# The situation for which a payment has to be made before API calls fail.
_TOLD_IN_CHAOS = "told_before_healing"
# Faults that keep a payment open: the order of the customer whose it is has to stay so too.
_STAY_OPEN = ("never_settle", "require_action")

# Dialects that sign with both secrets while one is rotated.
_SIGN_TWICE = ("standard", "stripe")

# World faults with a form in the real world; the others need a world of ours.
_WITH_A_LIVE_FORM = ("crash", "pause", "partition", "latency")

# What a scenario file calls the path of webhooks, whatever it is at the service.
_WEBHOOKS = "/webhooks"


def judged(scenario: Scenario, target: Target) -> Scenario:
    """Return the scenario without the invariants that an external service cannot show."""
    acting = () if pace_in(scenario, target) else _ACTING
    shown = tuple(name for name in scenario.invariants if name not in (*NOT_SHOWN, *acting))
    return replace(scenario, invariants=shown)


def pace_in(scenario: Scenario, target: Target) -> Pace | None:
    """Return how soon the service acts upon webhooks, in real seconds; None if not to be judged.

    It may ask the provider before it does, and so is judged only where questions and network are
    left alone. A service that dies has its time from when it is ready again.
    """
    within_s = target.timing.acts_within
    is_calm = scenario.provider.get("preset", "calm") == "calm"
    if within_s is None or not is_calm or not all(map(_is_harmless, scenario.faults)):
        return None
    return Pace(within_s, within_s, within_s, status_is_enough=True)


def _is_harmless(fault: PlannedFault) -> bool:
    if fault.kind == "crash":
        return bool(fault.fields["host"] == "shop")
    # An answer that waits for the webhook is there when that has been taken.
    is_held = fault.kind == "hold_response" and fault.document.get("operation") in _CALLED_BY_ALL
    return is_held or ALL_FAULTS[fault.kind].on in _HARMLESS


def paced(scenario: Scenario, target: Target) -> Scenario:
    """Return the scenario at a pace that the service can show itself at.

    Where its endpoint is to be disabled, the next customer comes after the webhooks of the one
    before have failed: a success in between would keep it enabled. And somebody buys after it has
    mended its endpoint. Where it matters whose payment it is, customers come so far apart that
    payments are made in the order of buying, also by a worker that takes up orders in any order.
    Where webhooks are to come in the midst of faults, these begin when a first payment is made.
    """
    own_s = min(max(_APART_S, target.timing.retries_within), _APART_MAX_S)
    if _is_about_one_payment(scenario):
        return replace(scenario, order_gap_s=max(scenario.order_gap_s, own_s * TIME_SCALE))
    if _TOLD_IN_CHAOS in scenario.needs:
        return _begun_later(scenario, own_s * TIME_SCALE)
    within_s = target.timing.checks_endpoint_within
    if within_s is None or _REGISTRATION not in scenario.provider or scenario.orders == 1:
        return scenario
    mended_s = (within_s + _MARGIN_S) / (scenario.orders - 1)
    failed_s = target.timing.answers_within + _MARGIN_S
    gap_s = max(scenario.order_gap_s, max(mended_s, failed_s) * TIME_SCALE)
    chaos_s = max(scenario.chaos_s, gap_s * scenario.orders)
    return replace(scenario, order_gap_s=gap_s, chaos_s=chaos_s)


def _begun_later(scenario: Scenario, more_s: float) -> Scenario:
    faults = tuple(
        replace(fault, start_s=fault.start_s + more_s) if fault.start_s else fault
        for fault in scenario.faults
    )
    return replace(scenario, faults=faults, chaos_s=scenario.chaos_s + more_s)


def with_goods_gone(scenario: Scenario, target: Target) -> Scenario:
    """Return the scenario with money that goes back only when the service has sent the goods.

    One whose money is back before it came to that need not send them. News that is to come after
    that comes as much later.
    """
    if not scenario.has_late_news:
        return scenario
    timing = target.timing
    late = (*LATE_NEWS, "delay")
    own_s = timing.retries_within + (timing.acts_within or timing.retries_within)
    faults = tuple(
        _put_off(fault, "by", own_s * TIME_SCALE) if fault.kind in late else fault
        for fault in scenario.faults
    )
    chaos_s = scenario.chaos_s + own_s * TIME_SCALE
    return replace(scenario, faults=faults, chaos_s=chaos_s)


def _is_about_one_payment(scenario: Scenario) -> bool:
    stays_open = any(
        fault.kind in _STAY_OPEN and "order" in fault.document for fault in scenario.faults
    )
    steps = (*STEPS_OF_PAYERS, REFUND)
    return stays_open or any(step.do in steps for step in scenario.steps)


def with_late_copies(scenario: Scenario, starts_in_s: float) -> Scenario:
    """Return the scenario with copies that come when a service that was killed is up again.

    On a busy machine it may take twice as long as it took the first time.
    """
    if "crash" not in scenario.fault_kinds:
        return scenario
    more_s = (2 * starts_in_s + _MARGIN_S) * TIME_SCALE
    faults = tuple(_later(fault, more_s) for fault in scenario.faults)
    if faults == scenario.faults:
        return scenario
    return replace(scenario, faults=faults, chaos_s=scenario.chaos_s + more_s)


def _later(fault: PlannedFault, more_s: float) -> PlannedFault:
    if fault.kind != "duplicate" or not fault.document.get("spacing"):
        return fault
    return _put_off(fault, "spacing", more_s)


def _put_off(fault: PlannedFault, key: str, more_s: float) -> PlannedFault:
    seconds = parse_duration(fault.document[key]) + more_s
    return replace(fault, document={**fault.document, key: f"{seconds * 1000:.0f}ms"})


def why_not_external(scenario: Scenario, target: Target) -> str | None:
    """Say why a scenario cannot be played on the service, or return None."""
    return next(_reasons(scenario, target), None)


def _reasons(scenario: Scenario, target: Target) -> Iterator[str]:
    if not ShopSettings(**scenario.shop).uses_webhooks:
        yield "it is about a shop that asks for outcomes instead of being told by webhooks"
    if max(scenario.chaos_s, outcome_within_s(scenario)) / TIME_SCALE > CHAOS_MAX_S:
        yield "it takes days, which only virtual time makes short"
    if scenario.invariants and not judged(scenario, target).invariants:
        yield "what it promises cannot be seen from outside this service"
    for fault in scenario.faults:
        yield from _world_reasons(fault, target)
        operation = fault.document.get("operation", "create_payment")
        if operation not in _called_by(target):
            yield f"it needs a service that calls {operation}, and not every one does"
    if _gives_money_back(scenario) and not target.document.read_order.corrected:
        yield (
            "money that goes back later needs a status of its own: "
            "name its words in [read_order] corrected"
        )
    yield from _registration_reasons(scenario, target)
    yield from missing_offers(scenario, target)
    if "reconciliation" in scenario.tags and target.timing.reconciles_within is None:
        yield (
            "it needs a service that asks about orders it heard nothing of: "
            "say how soon in [timing] reconciles_within"
        )
    for step in scenario.steps:
        if step.do in (*STEPS_OF_PAYERS, REFUND, REFUND_AT_CONSOLE):
            continue
        if step.do != "rotate_secret":
            yield f"the harness cannot {step.do} on a service that it does not know"
        elif _OVERLAP in scenario.provider:
            yield "the overlap of two secrets ends, and nobody can tell this service the new one"
        elif target.document.webhook.dialect not in _SIGN_TWICE:
            yield f"the dialect {target.document.webhook.dialect} knows no overlap of secrets"


def _called_by(target: Target) -> tuple[str, ...]:
    """Return the provider's operations that a service like this calls."""
    refunds = ("create_refund",) if target.document.refund_order is not None else ()
    return (*_CALLED_BY_ALL, *refunds)


def _gives_money_back(scenario: Scenario) -> bool:
    is_refunded = any(step.do == REFUND_AT_CONSOLE for step in scenario.steps)
    return is_refunded or any(fault.kind in LATE_NEWS for fault in scenario.faults)


def _registration_reasons(scenario: Scenario, target: Target) -> Iterator[str]:
    if _REGISTRATION not in scenario.provider:
        return
    if target.timing.checks_endpoint_within is None:
        yield (
            "it needs a service that looks after its endpoint at the provider: "
            "say how soon in [timing] checks_endpoint_within"
        )
    elif paced(scenario, target).chaos_s / TIME_SCALE > CHAOS_MAX_S:
        yield (
            "[timing] checks_endpoint_within or answers_within is too long to wait for: "
            "shorten it for the test"
        )


def _world_reasons(fault: PlannedFault, target: Target) -> Iterator[str]:
    if not fault.is_of_the_world:
        return
    if fault.kind not in _WITH_A_LIVE_FORM:
        yield f"only a simulated world can {fault.kind} at will"
    elif _is_of_the_warehouse(fault):
        if target.find_fulfilments is not None:
            yield "it needs a service that tells our warehouse, and this one counts by itself"
    elif fault.kind == "latency":
        yield "only the warehouse can be made slow here"
    elif fault.kind == "partition":
        if set(fault.fields["between"]) != {"psp", "shop"}:
            yield "only the line between provider and service can be cut here"
    elif fault.fields["host"] != "shop":
        yield f"only a simulated world can {fault.kind} the {fault.fields['host']}"
    elif not target.is_started:
        yield f"only a service that the harness starts can {fault.kind}: give start"
    elif fault.kind == "crash" and fault.fields["at"] is not None:
        yield from _crash_reasons(fault.fields["at"]["site"], fault)


def _is_of_the_warehouse(fault: PlannedFault) -> bool:
    """Tell whether a fault is one that our own warehouse can bring about."""
    if fault.kind == "latency":
        return set(fault.fields["between"]) == {"shop", "warehouse"}
    return fault.kind == "pause" and fault.fields["host"] == "warehouse"


def _crash_reasons(site: str, fault: PlannedFault) -> Iterator[str]:
    at = fault.fields["at"]
    if site not in ("request", "response"):
        yield f"a {site} happens inside the service, where the harness cannot see it"
    elif at["path"] != _WEBHOOKS:
        yield "a crash can be aimed at webhooks only, which the harness sees pass"
    elif (site, at["when"]) == ("request", "after"):
        yield "the moment after a request has arrived is inside the service"
