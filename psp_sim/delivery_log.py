"""A pair of log lines for each call to an endpoint: what left, and what came back.

Lines name payments, events and deliveries, never a key, a secret, a signature or a body.
"""

from __future__ import annotations

import logging

from psp_sim.outbox import Attempt, Job

_LOGGER = logging.getLogger("psp_sim.deliveries")


def log_sent(job: Job, message_id: str, now: float) -> None:
    """Tell that a webhook leaves."""
    if _LOGGER.isEnabledFor(logging.INFO):
        text = f"--> {job.event_type} [{message_id}] attempt {job.attempt}"
        _LOGGER.info(text, extra={"facts": {"at": now, "direction": "sent", **_facts(job)}})


def log_answered(job: Job, attempt: Attempt) -> None:
    """Tell what came of it."""
    if not _LOGGER.isEnabledFor(logging.INFO):
        return
    duration_ms = round((attempt.finished_at - attempt.started_at) * 1000)
    faults = f" (faults: {', '.join(attempt.faults)})" if attempt.faults else ""
    url = job.endpoint.url.partition("?")[0]
    text = (
        f"<-- [{attempt.status or attempt.error}] POST {url} "
        f"[{attempt.webhook_id}] {duration_ms} ms{faults}"
    )
    facts = {
        "at": attempt.finished_at,
        "direction": "answered",
        **_facts(job),
        "status": attempt.status,
        "error": attempt.error,
        "duration_ms": duration_ms,
        "faults": list(attempt.faults),
    }
    _LOGGER.info(text, extra={"facts": facts})


def _facts(job: Job) -> dict[str, object]:
    return {
        "type": job.event_type,
        "payment": job.payment_id,
        "event": job.event_id,
        "delivery": job.delivery_id,
        "endpoint": job.endpoint.id,
        "attempt": job.attempt,
    }
