"""From the world's trace to the steps of a diagram: messages with their meaning, faults marked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from scenarios.evidence import Evidence
from scenarios.report.timeline import Mark, TimelineStep
from scenarios.targets.simulated import Simulated
from scenarios.world.trace import Record
from scenarios.world.world import HARNESS, START_2026

CUSTOMER = "customer"
STEPS_MAX = 60
_NOTES = {
    "host_crashed": "crashes",
    "host_paused": "stands still",
    "host_resumed": "goes on",
    "host_started": "is up again",
    "host_start_failed": "cannot start",
}
# Questions that the harness asks to look at things; customers only place orders.
_ORDERING = ("POST", "/orders")


def timeline_of(done: Simulated) -> list[TimelineStep]:
    """Return what happened from the first order on, in order of time."""
    began_us = next(
        (r.time_us for r in done.world.trace.of_kind("request_sent") if _is_order(r)), 0
    )
    requests = {r.fields["id"]: r for r in done.world.trace.of_kind("request_sent")}
    steps = [
        *_messages(done, requests, began_us),
        *(
            TimelineStep(r.time_us / 1e6, str(r.fields["host"]), None, _NOTES[r.kind], "fault")
            for r in done.world.trace.of_kind(*_NOTES)
            if r.time_us >= began_us
        ),
        *_dropped(done.evidence),
    ]
    return shortened(sorted(steps, key=lambda step: step.at_s))


def shortened(steps: Sequence[TimelineStep]) -> list[TimelineStep]:
    """Leave out the middle of what is too long to be read, and say so."""
    if len(steps) <= STEPS_MAX:
        return list(steps)
    head, tail = steps[: STEPS_MAX - 20], steps[-20:]
    gap = TimelineStep(
        head[-1].at_s, head[-1].source, None, f"… {len(steps) - len(head) - len(tail)} more steps …"
    )
    return [*head, gap, *tail]


def _is_order(record: Record) -> bool:
    return (record.fields["method"], record.fields["path"]) == _ORDERING


def _messages(
    done: Simulated, requests: Mapping[int, Record], began_us: int
) -> Iterator[TimelineStep]:
    sent = {r.fields["id"]: r for r in done.world.trace.of_kind("response_sent")}
    for record in done.world.trace:
        request = requests.get(record.fields.get("id", 0))
        if request is None or request.time_us < began_us:
            continue
        if request.fields["source"] == HARNESS and not _is_order(request):
            continue
        source = CUSTOMER if request.fields["source"] == HARNESS else request.fields["source"]
        target, at_s = request.fields["destination"], record.time_us / 1e6
        if record.kind == "request_sent":
            acted = _faults_on(done.evidence, record)
            mark: Mark = "fault" if acted else "normal"
            yield TimelineStep(at_s, source, target, _said(record, acted), mark)
        elif record.kind == "response_arrived" and record.fields["id"] in sent:
            answer = str(sent[record.fields["id"]].fields["status"])
            yield TimelineStep(at_s, target, source, answer, is_answer=True)
        elif record.kind == "response_lost":
            yield TimelineStep(
                at_s, target, source, "the answer is lost", "fault", is_answer=True, arrives=False
            )
        elif record.kind == "request_lost":
            yield TimelineStep(at_s, source, target, "the request is lost", "fault", arrives=False)
        elif record.kind == "request_failed":
            yield TimelineStep(at_s, source, None, f"no answer ({record.fields['error']})", "fault")


def _said(record: Record, acted: Sequence[str]) -> str:
    """Return what a request says: a webhook its event, anything else its method and path."""
    fields = record.fields
    body = _decoded(fields["body"])
    if fields["path"].startswith("/webhooks") and "type" in body:
        text = str(body["type"])
    elif "fulfilment" in body:
        text = "ship the goods"
    else:
        text = f"{fields['method']} {_blanked(fields['path'])}"
    return f"{text} ({', '.join(acted)})" if acted else text


def _blanked(path: str) -> str:
    """Drop the query and shorten identifiers, which differ between runs and say nothing."""
    parts = path.partition("?")[0].split("/")
    return "/".join("…" if "_" in part and any(map(str.isdigit, part)) else part for part in parts)


def _faults_on(evidence: Evidence, record: Record) -> list[str]:
    """Return the faults that acted on a webhook call: of its attempts, the one nearest in time."""
    if record.fields["source"] != "psp":
        return []
    event_id = _decoded(record.fields["body"]).get("id")
    at = START_2026 + record.time_us / 1e6
    near = [
        (abs(at - _started(attempt)), attempt["faults"])
        for _, attempt in evidence.attempts()
        if attempt["webhook_id"] == event_id
    ]
    return list(min(near, key=lambda pair: pair[0])[1]) if near else []


def _dropped(evidence: Evidence) -> Iterator[TimelineStep]:
    for delivery, attempt in evidence.attempts():
        if "drop" in attempt["faults"]:
            at_s = _started(attempt) - START_2026
            text = f"{delivery['type']} (drop)"
            yield TimelineStep(at_s, "psp", "shop", text, "fault", arrives=False)


def _started(attempt: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(attempt["started"]).timestamp()


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
