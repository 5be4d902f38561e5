"""From the outbox to signed calls: claim what is due, let faults have their way, send, record."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Sequence

from psp_sim.bell import wait_for_ring
from psp_sim.database_away import AGAIN_AFTER_S, DATABASE_AWAY, tell_if_away
from psp_sim.delivery_log import log_answered, log_sent
from psp_sim.domain.attempt_plan import UNDISTURBED, AttemptPlan, Copy, plan_attempt
from psp_sim.domain.delivery import WebhookAnswer
from psp_sim.domain.dialects import DIALECTS
from psp_sim.domain.dialects.dialect import Message, Sealed
from psp_sim.domain.endpoint import ENABLED, Endpoint
from psp_sim.domain.event import with_new_id
from psp_sim.domain.faults import Fault, Moment
from psp_sim.domain.outgoing import compose, forged, of_unknown_type
from psp_sim.domain.script import parse_script
from psp_sim.endpoint_store import endpoint_by_id
from psp_sim.keep_leases import UnderWay, keep_leases, lease_until
from psp_sim.lanes import Lane, Lanes
from psp_sim.outbox import (
    Attempt,
    Job,
    claim_due,
    is_to_come,
    next_due_by_endpoint,
    release,
    resume_interrupted,
)
from psp_sim.provider import Provider
from psp_sim.record_deliveries import Recorder
from psp_sim.relay_rings import look_again_in
from psp_sim.send_webhook import COMMON_HEADERS, send_webhook

RELEASE_AFTER_S = 60.0


async def deliver_events(provider: Provider) -> None:
    """Attempt each delivery when it is due, several to each endpoint at a time, for ever."""
    await _resume(provider)
    lanes = Lanes(provider.settings.delivery_concurrency, provider.delivery_due.ring)
    recorder = Recorder(provider)
    under_way: UnderWay = {}
    renewing = asyncio.create_task(keep_leases(provider, lanes, under_way))

    def forget(done: asyncio.Task[None]) -> None:
        under_way.pop(done, None)
        lanes.calling.pop(done, None)

    try:
        while True:
            ring = provider.delivery_due.next_ring()
            jobs, wait_s = await _claim_once_there(provider, lanes, recorder)
            for job in jobs:
                task = asyncio.create_task(_deliver_or_release(provider, lanes, recorder, job))
                under_way[task] = (job, provider.clock.now())
                task.add_done_callback(forget)
            if jobs:
                # Each takes its place now, so that the next claim knows how many are left.
                await asyncio.sleep(0)
            else:
                await wait_for_ring(ring, look_again_in(provider, wait_s))
    finally:
        renewing.cancel()
        await _finish(provider, lanes, recorder, under_way)


async def _resume(provider: Provider) -> None:
    """Take up what was being sent when this worker, or an earlier process, ended.

    Where there are other processes it may be theirs: then its lease has to end first.
    """
    if provider.database.others is not None:
        return
    async with provider.database.transaction() as transaction:
        await resume_interrupted(transaction, provider.clock.now())


async def _finish(
    provider: Provider, lanes: Lanes, recorder: Recorder, under_way: UnderWay
) -> None:
    """Let calls that have left come to their end for a while; what is left is due again.

    Cancelled meanwhile, as a second Ctrl-C does, nothing is waited for any longer.
    """
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(provider.settings.stop_grace_s):
                while calling := [task for task in under_way if task in lanes.calling]:
                    await asyncio.wait(calling)
    finally:
        await _give_back(provider, recorder, under_way)


async def _give_back(provider: Provider, recorder: Recorder, under_way: UnderWay) -> None:
    """Break off what has not come to its end, and make it due again."""
    unfinished = dict(under_way)
    for task in unfinished:
        task.cancel()
    await asyncio.gather(*unfinished, return_exceptions=True)
    await recorder.finish()
    # If the database is away, the next start makes them due again, or the end of their leases.
    with contextlib.suppress(*DATABASE_AWAY):
        async with provider.database.transaction() as transaction:
            for job, _ in unfinished.values():
                await release(transaction, job, provider.clock.now())


async def _claim_once_there(
    provider: Provider, lanes: Lanes, recorder: Recorder
) -> tuple[list[Job], float | None]:
    """Claim, however long the database is away; what is under way goes on meanwhile.

    What was sent and could not be recorded comes first: its lease may be over, and whoever claimed
    it would send it again.
    """
    while True:
        await recorder.until_caught_up()
        try:
            return await _claim(provider, lanes)
        except DATABASE_AWAY as away:
            tell_if_away(deliver_events.__name__, away)
            await asyncio.sleep(AGAIN_AFTER_S)


async def _claim(provider: Provider, lanes: Lanes) -> tuple[list[Job], float | None]:
    """Return what to send now; if that is nothing, how long it stays so without a ring."""
    now = provider.clock.now()
    jobs: list[Job] = []
    later: list[float] = []
    async with provider.database.transaction() as transaction:
        for endpoint_id, due_at in await next_due_by_endpoint(transaction):
            if due_at > now:
                later.append(due_at)
            elif (ends_at := provider.faults.outage(now, provider.settings.time_scale)) is not None:
                provider.faults.count_outage(now, provider.settings.time_scale)
                await provider.faults.save_counts(transaction)
                return [], ends_at - now
            elif room := lanes.of(endpoint_id).room():
                jobs += await claim_due(transaction, endpoint_id, now, room, lease_until(provider))
    return jobs, max(0.0, min(later) - now) if later else None


async def _deliver_or_release(
    provider: Provider, lanes: Lanes, recorder: Recorder, job: Job
) -> None:
    """Attempt a delivery; should a bug of ours break it, tell, and let it be tried again."""
    try:
        await _deliver(provider, lanes, recorder, job)
    except Exception as problem:
        lanes.calling.pop(asyncio.current_task(), None)
        delay_s = AGAIN_AFTER_S
        if not tell_if_away(f"delivery {job.delivery_id}", problem):
            report = {"message": f"delivery {job.delivery_id} broke", "exception": problem}
            asyncio.get_running_loop().call_exception_handler(report)
            delay_s = provider.scaled(RELEASE_AFTER_S)
        await _release_later(provider, job, delay_s)


async def _release_later(provider: Provider, job: Job, delay_s: float) -> None:
    """Make a delivery due again after a while, or once the database is back."""
    while True:
        await asyncio.sleep(delay_s)
        delay_s = AGAIN_AFTER_S
        with contextlib.suppress(*DATABASE_AWAY):
            async with provider.database.transaction() as transaction:
                await release(transaction, job, provider.clock.now())
            provider.delivery_due.ring()
            return


async def _deliver(provider: Provider, lanes: Lanes, recorder: Recorder, job: Job) -> None:
    """Make one attempt, with all its copies, and store what came of it."""
    hits = _faults_of(provider, job)
    plan = await _hold_back(provider, job, hits) if hits else UNDISTURBED
    lanes.calling[asyncio.current_task()] = None
    lane = lanes.of(job.endpoint.id)
    if len(plan.copies) == 1:
        only = await _send(provider, lane, job, plan, 1, plan.copies[0])
        attempts = [] if only is None else [only]
    else:
        attempts = await _send_copies(provider, lane, job, plan)
    for attempt in attempts:
        log_answered(job, attempt)
        provider.metrics.count_attempt(attempt.status, attempt.finished_at - attempt.started_at)
    if any(not attempt.is_extra for attempt in attempts):
        await recorder.record(job, attempts)


def _faults_of(provider: Provider, job: Job) -> list[tuple[str, Fault]]:
    """Return the faults that hit an attempt, with their ids."""
    script = parse_script(job.metadata["sim"]) if "sim" in job.metadata else []
    if not (script or provider.faults.is_any_in_force):
        return []
    moment = Moment(
        event=job.event_type, order=job.order_number, reference=job.reference, attempt=job.attempt
    )
    return provider.faults.fire("webhook", moment, script)


async def _hold_back(
    provider: Provider, job: Job, hits: Sequence[tuple[str, Fault]]
) -> AttemptPlan:
    """Return what the faults make of an attempt, once they have held it back for long enough."""
    plan = plan_attempt(
        [fault for _, fault in hits],
        lambda kind: provider.chance.random(kind, job.order_number, job.event_type, job.attempt),
    )
    if plan.hold_s:
        await asyncio.sleep(provider.scaled(plan.hold_s))
    for fault_id, fault in hits:
        if fault.kind == "reorder" and fault.fields["after"]:
            await _hold_for_newer(provider, job, fault.fields["after"], fault_id)
    return plan


async def _hold_for_newer(provider: Provider, job: Job, event_type: str, fault_id: str) -> None:
    """Wait until the newer event has arrived or never will, or the fault that asks is lifted."""
    while not fault_id or provider.faults.is_in_force(fault_id):
        ring = provider.delivery_changed.next_ring()
        async with provider.database.transaction() as transaction:
            if not await is_to_come(transaction, job.payment_id, job.endpoint.id, event_type):
                return
        await ring.wait()


async def _wait_out_outage(provider: Provider) -> bool:
    """Wait while an outage is on, and tell whether one was.

    What was held back does not leave during one either.
    """
    has_waited = False
    while True:
        now = provider.clock.now()
        ends_at = provider.faults.outage(now, provider.settings.time_scale)
        if ends_at is None:
            return has_waited
        has_waited = True
        await wait_for_ring(provider.delivery_changed.next_ring(), ends_at - now)


async def _send_copies(
    provider: Provider, lane: Lane, job: Job, plan: AttemptPlan
) -> list[Attempt]:
    """Make the calls of one attempt side by side; the first takes its place at once."""
    async with asyncio.TaskGroup() as group:
        others = [
            group.create_task(_send(provider, lane, job, plan, number, copy))
            for number, copy in enumerate(plan.copies[1:], start=2)
        ]
        first = await _send(provider, lane, job, plan, 1, plan.copies[0])
    made = (first, *(other.result() for other in others))
    return [attempt for attempt in made if attempt is not None]


async def _send(
    provider: Provider, lane: Lane, job: Job, plan: AttemptPlan, number: int, copy: Copy
) -> Attempt | None:
    """Make one call, signed at the moment it leaves; None if the endpoint is gone by then."""
    if copy.after_s:
        await asyncio.sleep(provider.scaled(copy.after_s))
    is_late = bool(plan.fields)
    if provider.faults.is_any_in_force:
        is_late |= await _wait_out_outage(provider)
    is_late |= await lane.take()
    try:
        endpoint = await _endpoint_now(provider, job) if is_late else job.endpoint
        if endpoint is None:
            return None
        started_at = provider.clock.now()
        kinds = plan.faults_of(copy)
        message = _message(job, plan, number, copy, endpoint.url, started_at)
        sealed = compose(
            DIALECTS[endpoint.dialect],
            endpoint.secrets_at(started_at),
            message,
            {kind: plan.fields[kind] for kind in kinds},
            lambda: provider.chance.random(
                "call", job.order_number, job.event_type, job.attempt, number
            ),
            endpoint.secrets_ended_at(started_at),
        )
        log_sent(job, message.id, started_at)
        answer = await _call(provider, endpoint.url, sealed, UNDISTURBED if copy.extra else plan)
    finally:
        lane.leave()
    return Attempt(
        number=job.attempt,
        copy=number,
        webhook_id=message.id,
        webhook_timestamp=message.timestamp_s,
        started_at=started_at,
        finished_at=provider.clock.now(),
        status=answer.status,
        error=answer.error,
        answer=answer.body,
        faults=kinds,
        retry_after=answer.retry_after,
        is_extra=copy.extra is not None,
        request_headers=dict(sealed.headers),
        request_body=_kept_body(job, sealed.body),
    )


def _message(job: Job, plan: AttemptPlan, number: int, copy: Copy, url: str, now: float) -> Message:
    """Return what one call is to say, before it is signed."""
    if copy.extra is not None:
        # An id like any other: nothing but the signature tells a forgery.
        extra_id = f"{job.event_id}c{number}"
        kind = plan.fields[copy.extra]
        make = (
            forged(job.body, extra_id, kind["event"])
            if copy.extra == "forge"
            else (of_unknown_type(job.body, extra_id))
        )
        return Message(extra_id, int(now), url, make)
    timestamp_s = int(now + plan.timestamp_shift_s)
    if not copy.has_new_id:
        return Message(job.event_id, timestamp_s, url, job.body)
    new_id = f"{job.event_id}c{number}"
    return Message(new_id, timestamp_s, url, with_new_id(job.body, new_id))


async def _endpoint_now(provider: Provider, job: Job) -> Endpoint | None:
    """Return the endpoint as it is now, None if nothing may be sent to it any more.

    A fault, an outage or the lack of a place may have held the call back since the claim.

    What the faults did is counted before anybody sees it, so that a crash cannot uncount it.
    """
    async with provider.database.transaction() as transaction:
        await provider.faults.save_counts(transaction)
        endpoint = await endpoint_by_id(transaction, job.endpoint.id)
    return endpoint if endpoint and endpoint.status == ENABLED else None


def _kept_body(job: Job, sent: bytes) -> str | None:
    """Return what was sent as text where it is not the event's own body, else None."""
    text = sent.decode(errors="replace")
    return None if text == job.body else text


def _call(
    provider: Provider, url: str, sealed: Sealed, plan: AttemptPlan
) -> Awaitable[WebhookAnswer]:
    if plan is UNDISTURBED:
        return _leave(provider, url, sealed)
    return _call_disturbed(provider, url, sealed, plan)


async def _call_disturbed(
    provider: Provider, url: str, sealed: Sealed, plan: AttemptPlan
) -> WebhookAnswer:
    """Make a call as slowly as the faults want it, or lose it."""
    if plan.network_s:
        await asyncio.sleep(provider.scaled(plan.network_s))
    if plan.is_lost:
        timeout_s = provider.settings.attempt_timeout_s
        await asyncio.sleep(provider.scaled(timeout_s))
        return WebhookAnswer(error=f"no answer within {timeout_s:g} s")
    return await _leave(provider, url, sealed, provider.scaled(plan.trickle_s))


def _leave(
    provider: Provider, url: str, sealed: Sealed, trickle_s: float = 0.0
) -> Awaitable[WebhookAnswer]:
    return send_webhook(
        provider.transport,
        url,
        COMMON_HEADERS | sealed.headers,
        sealed.body,
        connect_timeout_s=provider.settings.connect_timeout_s,
        timeout_s=provider.settings.attempt_timeout_s,
        trickle_s=trickle_s,
    )
