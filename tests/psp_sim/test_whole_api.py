"""Whatever the description of the API allows, and much that it does not: no 5xx, no surprise.

Schemathesis makes the cases from ``/openapi.json`` and judges the answers. In between they are
played in virtual time, where a long poll of a minute costs nothing. CI plays fewer; the long form:
``API_CASES=5000 .venv/bin/python -m pytest -q -s tests/psp_sim/test_whole_api.py``.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from tests.psp_sim.stand import PROVIDER_URL, Stand, play

CASES = int(os.environ.get("API_CASES", "250"))
# The others make calls of their own, which a world does not carry.
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
# It never ends by itself; test_waiting.py reads it.
STREAM = "stream_events"
LONGEST_WAIT_S = 90.0
SETTLED_S = 3.0
SURE = 3
HOOKS = "http://sink:9000/hooks"


@dataclass(frozen=True)
class Played:
    """A case, and the answer that the provider gave."""

    case: Case
    answer: httpx.Response


def cases_of(document: dict[str, Any], count: int) -> list[Case]:
    """Return cases of every operation: two that fit the description to one that does not."""
    # The key is always sent: what happens without one is test_refusals.py's business.
    del document["security"]
    schema = schemathesis.openapi.from_dict(document)
    operations = [found.ok() for found in schema.get_all_operations()]
    made: list[Case] = []
    each = -(-count // (3 * (len(operations) - 1)))
    for operation in operations:
        if operation.definition.raw["operationId"] != STREAM:
            # Of an operation that takes nothing but an id, no call is wrong by itself.
            takes_something = operation.query or operation.headers or operation.body
            strategy = operation.as_strategy(GenerationMode.NEGATIVE)
            wrong = drawn(strategy, each) if takes_something else []
            fitting = drawn(operation.as_strategy(GenerationMode.POSITIVE), 3 * each - len(wrong))
            made += wrong + fitting
    random.Random(1).shuffle(made)
    return made


def drawn(strategy: Any, count: int) -> list[Case]:
    """Draw from a strategy, the same cases each time."""
    made: list[Case] = []

    @seed(1)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def keep(case: Case) -> None:
        made.append(case)

    keep()
    return made


async def subjects(stand: Stand) -> dict[str, list[str]]:
    """Return ids that exist, by the name of the parameter that takes them."""
    endpoint, kept = await stand.add_endpoint(), await stand.add_endpoint()
    held, asked = {"capture_method": "manual"}, {"payment_method": "card_authenticate"}
    # The second held ones are for those who cancel: what others have changed cannot be any more.
    kinds: list[dict[str, Any]] = [{}, held, asked, held] * (5 + CASES // 50)
    payments = [await stand.pay(f"o{n}", **kind) for n, kind in enumerate(kinds)]
    body, key = {"payment": payments[0]["id"], "amount": 1}, {"idempotency-key": "refund"}
    await asyncio.sleep(SETTLED_S)
    refund = await stand.call("POST", "/v1/refunds", body, headers=key)
    await asyncio.sleep(SETTLED_S)
    paid, authorized, waiting, left = ([each["id"] for each in payments[n::4]] for n in range(4))
    return {
        "payment_id": paid,
        "capture_payment": authorized,
        "authenticate_payment": waiting,
        "cancel_payment": left,
        "refund_id": [refund.json["id"]],
        "event_id": [event["id"] for event in await stand.get_all("/v1/events")],
        "endpoint_id": [endpoint["id"]],
        # Of an endpoint that no case deletes, for its deliveries would go with it.
        "delivery_id": [each["id"] for each in await stand.deliveries(kept)],
    }


def fits(case: Case) -> bool:
    """Tell whether a case is one that the description allows."""
    return case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE


def deepened(
    case: Case, known: dict[str, list[str]], source: random.Random, number: int = SURE
) -> Case:
    """Let most cases that fit get past the first refusal: ids that exist, money that is known.

    ``number`` counts those of an operation from 0. The first few get past it for sure, since what
    is drawn depends on what else the process has loaded.
    """
    is_sure = number < SURE
    for name in case.path_parameters or {}:
        if is_sure or source.random() < 0.8:
            named = case.operation.definition.raw["operationId"]
            case.path_parameters[name] = source.choice(known.get(named, known[name]))
    body = case.body
    if isinstance(body, dict):
        likely = {
            "payment": source.choice(known["payment_id"]),
            "amount": source.choice((1, 100)),
            "currency": source.choice(("EUR", "JPY", "BHD")),
            "url": HOOKS,
            "retry_schedule": source.choice((None, "stripe-like", "1s,2s", [1, "2m"])),
            "since": source.choice((*known["event_id"], "2026-01-01T00:00:00Z")),
            "dialect": source.choice(("standard", "stripe", "adyen", "rfc9421")),
        }
        for name in sorted(body.keys() & likely.keys()):
            if is_sure or source.random() < 0.7:
                body[name] = likely[name]
        if is_sure:
            surely = {"reference": f"sure-{number}", "metadata": {"number": str(number)}}
            body |= {name: value for name, value in surely.items() if name in body}
    if is_sure and case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = f"{case.operation.definition.raw['operationId']}-{number}"
    return case


def played(cases: list[Case]) -> list[Played]:
    """Play the cases one after another; settlements and deliveries go on meanwhile."""

    async def main(stand: Stand) -> list[Played]:
        known, source = await subjects(stand), random.Random(2)
        done: list[Played] = []
        fitting: Counter[str] = Counter()
        for case in cases:
            if fits(case):
                label = case.operation.label
                case = deepened(case, known, source, fitting[label])
                fitting[label] += 1
            done.append(await answered(stand, case))
            if case.operation.definition.raw["operationId"] == "delete_endpoint":
                known["endpoint_id"] = [(await stand.add_endpoint())["id"]]
        return done

    return play(main, retry_schedule="1s")


async def answered(stand: Stand, case: Case) -> Played:
    """Send a case as Schemathesis would have sent it."""
    sent = requests.Request(**case.as_transport_kwargs(base_url=PROVIDER_URL)).prepare()
    headers = {name: value for name, value in sent.headers.items() if name != "Content-Length"}
    body = sent.body.encode() if isinstance(sent.body, str) else sent.body
    path = str(sent.url).removeprefix(PROVIDER_URL)
    answer = await stand.call(
        str(sent.method), path, content=body, headers=headers, timeout_s=LONGEST_WAIT_S
    )
    request = httpx.Request(str(sent.method), str(sent.url), headers=headers, content=body)
    content = answer.text.encode()
    made = httpx.Response(answer.status, headers=answer.headers, content=content, request=request)
    made.elapsed = timedelta(0)
    return Played(case, made)


def complaints(done: list[Played]) -> list[str]:
    """Return each kind of thing that Schemathesis finds wrong once, with a call that shows it."""
    found: dict[tuple[str, str], str] = {}
    for each in done:
        try:
            each.case.validate_response(each.answer, checks=CHECKS)
        except FailureGroup as failures:
            for one in failures.exceptions:
                call = f"{each.case.as_curl_command()}\n  answered {each.answer.status_code}"
                told = f"{one.operation}: {one.title}\n  {one.message}\n  {call}"
                found.setdefault((one.operation, one.title), told)
    return list(found.values())


def test_every_answer_is_one_that_the_description_announces():
    document = play(lambda stand: stand.get("/openapi.json"))
    done = played(cases_of(document, CASES))
    answers = Counter(f"{one.answer.status_code // 100}xx" for one in done)
    print(f"{len(done)} cases: {dict(answers)}")
    found = complaints(done)
    assert not found, "\n\n".join(found)
    assert answers["2xx"] > len(done) / 10, "hardly any case got past the first refusal"
    succeeded = {one.case.operation.label for one in done if one.answer.is_success}
    assert {one.case.operation.label for one in done} - succeeded == set()
