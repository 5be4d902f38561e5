"""One run of a scenario: chaos, then heal everything, then it must converge, then final reads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

import httpx

from scenarios.agenda import Deadline
from scenarios.api import BadAnswer
from scenarios.converge import (
    QUIET_S,
    Rest,
    shipped_on,
    unheard_of,
    wait_until_converged,
    what_is_missing,
)
from scenarios.endpoints import count_troubles
from scenarios.errors import Unreachable
from scenarios.evidence import Evidence, FiredFault, OrderSeen
from scenarios.faults_in_force import FaultsInForce
from scenarios.observe import final_reads, look_at_orders
from scenarios.scenario import APPROVE, Scenario, Step
from scenarios.stage import Stage
from scenarios.steps import carry_out
from shop.settings import Settings as ShopSettings

LOOK_EVERY_S = 2.0
LOOK_STEP_GROWTH = 3.0
LOOK_STEP_MAX_S = 7200.0
TRY_AGAIN_AFTER_S = 2.0
TRY_AGAIN_GROWTH = 1.25
TRY_AGAIN_AFTER_MAX_S = 60.0
READY_TRIES = 100
READY_STEP_S = 0.1


async def play(scenario: Scenario, stage: Stage, bound_s: float) -> Evidence:
    """Play the scenario and return what was seen. ``bound_s`` limits convergence.

    Raises Unreachable when the services cannot be worked with at all.
    """
    await _wait_until_ready(scenario, stage)
    orders: list[OrderSeen] = []
    faults = FaultsInForce(stage)
    undone: list[Step] = []
    await _chaos(scenario, stage, orders, faults, undone)
    for order in orders:
        order.never_settles |= any(
            (each.do, each.order) == (APPROVE, order.number) for each in undone
        )
    healed_at = stage.now()
    fired = await faults.lift(scenario)
    evidence = await _come_to_rest(scenario, stage, orders, fired, Deadline(stage, bound_s))
    undone_steps = tuple(step.do for step in undone)
    return replace(
        evidence,
        endpoint_troubles=await _endpoint_troubles(scenario, stage, undone_steps),
        undone_steps=undone_steps,
        incidents=stage.world.incidents() if stage.world is not None else (),
        disturbances=faults.disturbances,
        pace=stage.pace,
        healed_at=healed_at,
    )


async def _endpoint_troubles(scenario: Scenario, stage: Stage, undone: Sequence[str]) -> int:
    """Return how often something befell an endpoint that the shop looks after."""
    if not stage.mends_endpoint:
        return 0
    try:
        return await count_troubles(stage, scenario, undone)
    except (httpx.HTTPError, BadAnswer) as problem:
        raise Unreachable(f"the final reads failed: {problem}") from problem


async def _come_to_rest(
    scenario: Scenario,
    stage: Stage,
    orders: Sequence[OrderSeen],
    fired: Sequence[FiredFault],
    deadline: Deadline,
) -> Evidence:
    """Wait and read until nothing new comes in between, such as a dispute of what was at rest."""
    waited_s = 0.0
    unheard: list[OrderSeen] = []
    while True:
        more_s, waiting_for = await wait_until_converged(
            stage, orders, unheard, deadline, has_late_news=scenario.has_late_news
        )
        waited_s += more_s
        await look_at_orders(stage, unheard)
        evidence = await final_reads(stage, orders, fired, waited_s, waiting_for)
        if waiting_for is not None:
            return evidence
        # One may have been paid since the last look, by a shop that tried again just now.
        unheard += await unheard_of(stage, [*orders, *unheard], evidence.payments)
        late = what_is_missing(
            [*orders, *unheard], evidence.payments, evidence.deliveries, shipped_on(stage)
        )
        waited_s += QUIET_S
        if late is None or deadline.left_s <= 0:
            return replace(evidence, still_waiting_for=late)


async def _wait_until_ready(scenario: Scenario, stage: Stage) -> None:
    """Wait for the shop to answer and, where it uses webhooks, to have registered its endpoint."""
    listens = ShopSettings(**scenario.shop).uses_webhooks
    reason = "it did not answer"
    for _ in range(READY_TRIES):
        try:
            await stage.shop.check_ready()
            if not listens or await stage.provider.get_all("/v1/webhook_endpoints"):
                return
            reason = "it registered no webhook endpoint"
        except (httpx.HTTPError, BadAnswer) as problem:
            reason = str(problem) or type(problem).__name__
        await asyncio.sleep(READY_STEP_S)
    raise Unreachable(f"the shop at {stage.shop.base_url} did not become ready: {reason}")


async def _chaos(
    scenario: Scenario,
    stage: Stage,
    orders: list[OrderSeen],
    faults: FaultsInForce,
    undone: list[Step],
) -> None:
    """Let customers buy and faults happen, until the scenario's time of chaos is over."""
    at_once = [fault for fault in scenario.faults if fault.start_s == 0]
    # Those of the world come last: a provider that is down could not be told of the others.
    for fault in sorted(at_once, key=lambda each: each.is_of_the_world):
        await faults.begin(fault)
    buy, do = partial(_buy, scenario, stage, orders), partial(_do, stage, orders, undone)
    later = [(fault.start_s, partial(faults.begin, fault)) for fault in scenario.faults]
    busy = [
        *(_after(stage, start_s, begin) for start_s, begin in later if start_s > 0),
        *(_after(stage, step.at_s, partial(do, step)) for step in scenario.steps),
        *(
            _after(stage, scenario.order_gap_s * n, partial(buy, n + 1))
            for n in range(scenario.orders)
        ),
    ]
    watching = asyncio.create_task(_watch(stage, orders))
    try:
        await asyncio.gather(_last(scenario, stage, orders), *busy)
    finally:
        watching.cancel()
        # A call that is being taken back still needs the stage for a moment.
        await asyncio.wait({watching})


async def _last(scenario: Scenario, stage: Stage, orders: list[OrderSeen]) -> None:
    """Let the time of chaos pass; where patience is needed, as much of it as has a use."""
    planned_s = stage.scaled(scenario.chaos_s)
    if stage.patience is None:
        await asyncio.sleep(planned_s)
        return
    rest = Rest(stage, stage.patience, has_outages="outage" in scenario.fault_kinds)
    began_at = stage.now()
    while (passed_s := stage.now() - began_at) < planned_s + stage.patience.longer_chaos_s:
        await asyncio.sleep(stage.scaled(LOOK_EVERY_S))
        try:
            counts = await _fired(stage)
        except (httpx.HTTPError, BadAnswer):
            # A machine that is too busy to answer now is asked again.
            continue
        if passed_s >= planned_s and all(counts):
            return
        # When nothing more can come, a fault that has not fired has nothing left to act on.
        has_begun = len(counts) == len(scenario.faults) and len(orders) == scenario.orders
        has_plans = not has_begun or scenario.steps or scenario.has_late_news
        if not has_plans and await rest.has_come(orders):
            return


async def _fired(stage: Stage) -> list[int]:
    """Return how often each fault that has begun has acted."""
    world = stage.world.fired() if stage.world is not None else []
    installed = (await stage.provider.get("/_control/faults"))["data"]
    return [*world, *(fault["fired"] for fault in installed)]


async def _after(stage: Stage, delay_s: float, work: Callable[[], Awaitable[None]]) -> None:
    await asyncio.sleep(stage.scaled(delay_s))
    await work()


async def _do(stage: Stage, orders: Sequence[OrderSeen], undone: list[Step], step: Step) -> None:
    """Carry out a step; one that fails is tried again, as a person at a console would."""
    for _ in range(READY_TRIES):
        try:
            is_done = await carry_out(stage, orders, step)
        except (httpx.HTTPError, BadAnswer):
            is_done = False
        if is_done:
            return
        await asyncio.sleep(stage.scaled(TRY_AGAIN_AFTER_S))
    undone.append(step)


async def _buy(scenario: Scenario, stage: Stage, orders: list[OrderSeen], number: int) -> None:
    """Place one order; a customer who gets no answer tries again while the chaos lasts.

    Each time after a longer wait: a shop that is down for hours is not asked thousands of times.
    """
    until = stage.now() + stage.scaled(scenario.chaos_s)
    wait_s = stage.scaled(TRY_AGAIN_AFTER_S)
    while True:
        placed_at = stage.now()
        try:
            placed = await stage.shop.place_order(stage.seed, number)
        except (httpx.HTTPError, BadAnswer):
            placed = None
        if placed is not None:
            seen = OrderSeen(placed.id, number, placed_at, placed.amount_minor, placed.currency)
            seen.never_settles = scenario.never_settles(number)
            seen.saw(stage.now(), placed.status)
            orders.append(seen)
            return
        left_s = until - stage.now()
        if left_s <= 0:
            return
        await asyncio.sleep(min(wait_s, left_s))
        wait_s = min(wait_s * TRY_AGAIN_GROWTH, stage.scaled(TRY_AGAIN_AFTER_MAX_S))


async def _watch(stage: Stage, orders: list[OrderSeen]) -> None:
    """Look at an order often while its status changes, and ever more seldom while it does not.

    Each order has a rhythm of its own: others that change must not have it looked at again.
    """
    steps_s: dict[str, float] = {}
    due_at: dict[str, float] = {}
    while True:
        now = stage.now()
        due = [order for order in orders if due_at.get(order.id, now) <= now]
        known = [len(order.history) for order in due]
        await look_at_orders(stage, due)
        for order, before in zip(due, known, strict=True):
            step_s = steps_s.get(order.id, LOOK_EVERY_S) * LOOK_STEP_GROWTH
            is_quiet = len(order.history) == before
            steps_s[order.id] = min(step_s, LOOK_STEP_MAX_S) if is_quiet else LOOK_EVERY_S
            due_at[order.id] = now + stage.scaled(steps_s[order.id])
        wait_s = min(due_at.values(), default=now) - stage.now()
        await asyncio.sleep(max(wait_s, stage.scaled(LOOK_EVERY_S)))
