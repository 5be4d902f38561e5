"""The probe: a correct endpoint passes; a wrong one fails exactly the checks that it deserves."""

from __future__ import annotations

import json
import random
import re
import time
from typing import Any

import httpx
import pytest

from psp_sim.domain.dialects import DIALECTS
from scenarios.errors import Unreachable, WrongUsage
from scenarios.probe.check import Finding, Probed
from scenarios.probe.compose import Composer, default_template
from scenarios.probe.endpoint import Endpoint
from scenarios.probe.run_probe import CHECKS, run_probe
from scenarios.report.probe import probe_document, probe_suite
from tests.scenarios.probe import endpoints
from tests.scenarios.probe.endpoints import SECRET, endpoint
from tests.shop.fakes import SECRET as SHOP_SECRET
from tests.shop.fakes import running_shop

URL = "http://service/webhooks/psp"
PATIENT_S = 30.0

REFUSALS = {check.name for check in CHECKS if check.name.endswith("_refused")}


def composer(dialect: str = "standard", secret: str = SECRET, **changes: Any) -> Composer:
    given: dict[str, Any] = {
        "url": URL,
        "template": default_template(dialect),
        "event_type": None,
        "now": time.time,
        "source": random.Random(1),
    }
    return Composer(DIALECTS[dialect], secret, **(given | changes))


async def probe(
    transport: httpx.AsyncBaseTransport,
    events: Composer | None = None,
    *,
    url: str = URL,
    limit_s: float = PATIENT_S,
) -> Probed:
    target = Endpoint(url, transport, 2 * limit_s, time.monotonic)
    return await run_probe(target, events or composer(url=url), limit_s)


async def probe_app(app, **changes: Any) -> Probed:
    return await probe(httpx.ASGITransport(app, raise_app_exceptions=False), **changes)


def found(probed: Probed, finding: Finding) -> set[str]:
    return {each.check.name for each in probed.checks if each.finding is finding}


async def test_the_shop_passes_every_check() -> None:
    async with running_shop() as shop:
        url = "http://shop:8081/webhooks/psp"
        events = composer(secret=SHOP_SECRET, url=url, now=shop.clock.now)
        probed = await probe(shop.http._transport, events, url=url)
    assert found(probed, Finding.PASS) == {check.name for check in CHECKS}, probed
    assert probed.score == 100


async def test_an_endpoint_that_is_right_passes_every_check() -> None:
    probed = await probe_app(endpoint(endpoints.correct))
    assert found(probed, Finding.PASS) == {check.name for check in CHECKS}


@pytest.mark.parametrize(
    ("judge", "deserved"),
    [
        (endpoints.accepts_everything, REFUSALS),
        (
            endpoints.breaks_on_malformed,
            {
                "unsigned_refused",
                "malformed_signature_refused",
                "malformed_timestamp_refused",
                "missing_header_refused",
                "wrong_scheme_refused",
            },
        ),
        (endpoints.parses_before_verifying, {"empty_body_refused", "non_utf8_body_refused"}),
        (
            endpoints.verifies_what_it_wrote_itself,
            {"odd_formatting_accepted", "altered_body_refused", "large_body_accepted"},
        ),
        (endpoints.looks_only_into_the_past, {"future_refused"}),
        (endpoints.has_no_patience_with_clocks, {"clock_skew_accepted"}),
        (endpoints.never_looks_at_the_time, {"stale_refused", "future_refused"}),
        (endpoints.reads_the_last_signature_only, {"rotation_accepted"}),
        (endpoints.takes_any_scheme, {"wrong_scheme_refused"}),
        (endpoints.knows_its_types_only, {"unknown_event_type_accepted"}),
        (endpoints.takes_no_new_fields, {"unknown_fields_accepted"}),
        (endpoints.takes_small_bodies_only, {"large_body_accepted"}),
        (
            endpoints.knows_each_event_once(),
            {"duplicate_accepted", "copies_at_once_accepted"},
        ),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
async def test_a_wrong_endpoint_fails_what_it_deserves(judge, deserved: set[str]) -> None:
    probed = await probe_app(endpoint(judge))
    assert found(probed, Finding.FAIL) == deserved
    assert not found(probed, Finding.UNKNOWN)


async def test_an_endpoint_that_refuses_everything_gets_no_credit() -> None:
    probed = await probe_app(endpoint(endpoints.refuses_everything))
    assert found(probed, Finding.FAIL) == {"genuine_accepted"}
    assert found(probed, Finding.PASS) == {"answered_without_redirect", "answered_in_time"}


async def test_an_endpoint_that_tires_gets_no_credit_for_what_it_refuses_then() -> None:
    probed = await probe_app(endpoint(endpoints.tires(5)))
    assert found(probed, Finding.UNKNOWN) == REFUSALS
    refusal = next(each for each in probed.checks if each.check.name == "unsigned_refused")
    assert refusal.got == "the genuine call before it got 400"


async def test_being_too_busy_is_no_refusal() -> None:
    class Busy:
        """Unsigned calls are answered with 429 by something in front of the service."""

        def __call__(self, call: endpoints.Call) -> None:
            endpoints.correct(call)

    right, busy = endpoint(Busy()), endpoints.is_too_busy

    async def app(scope, receive, send) -> None:
        is_signed = any(name == b"webhook-signature" for name, _ in scope["headers"])
        await (right if is_signed else busy)(scope, receive, send)

    assert found(await probe_app(app), Finding.UNKNOWN) == {"unsigned_refused"}


async def test_a_redirect_is_named_with_where_it_leads() -> None:
    probed = await probe_app(endpoints.redirects)
    assert found(probed, Finding.FAIL) == {"genuine_accepted", "answered_without_redirect"}
    assert probed.checks[1].got == "308 to /webhooks/"


async def test_a_slow_endpoint_fails_for_being_slow_alone() -> None:
    app = endpoint(endpoints.correct, delay_s=0.03)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    target = Endpoint(URL, transport, PATIENT_S, time.monotonic)
    probed = await run_probe(target, composer(), 0.02)
    assert found(probed, Finding.FAIL) == {"answered_in_time"}
    assert not found(probed, Finding.UNKNOWN)


async def test_an_endpoint_that_never_answers_is_waited_for_once() -> None:
    probed = await probe_app(endpoint(endpoints.correct, delay_s=3600), limit_s=0.05)
    assert found(probed, Finding.FAIL) == {"genuine_accepted", "answered_in_time"}
    assert "answered_without_redirect" in found(probed, Finding.UNKNOWN)
    assert probed.calls == 1


@pytest.mark.parametrize("status", [404, 405])
async def test_a_path_with_nothing_on_it_is_told_in_one_line(status: int) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status))
    with pytest.raises(Unreachable, match=f"{URL} answered {status}.*is this the path"):
        await probe(transport)


async def test_a_host_that_does_not_answer_is_told_in_one_line() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    with pytest.raises(Unreachable, match=f"{URL} cannot be reached: connection refused"):
        await probe(httpx.MockTransport(refuse))


def secret_of(dialect: str) -> str:
    return DIALECTS[dialect].new_secret(random.Random(7))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_has_a_body_that_its_secret_signs(dialect: str) -> None:
    events = composer(dialect, secret_of(dialect))
    events.check()
    body = events.draft().content
    assert b"{event_id}" not in body
    assert json.loads(body)


def twin_of(dialect: str, secret: str) -> httpx.MockTransport:
    """An endpoint that signs each call again and refuses what does not come out the same."""

    def answer(request: httpx.Request) -> httpx.Response:
        again = composer(dialect, secret)
        draft = again.draft()
        ours = request.content
        if dialect == "adyen":
            found = re.search(rb'"hmacSignature":"([^"]+)"', ours)
            blank = re.sub(rb'"hmacSignature":"[^"]*"', b'"hmacSignature":""', ours)
            if found is None:
                return httpx.Response(401)
            made = again.signatures(draft.with_content(blank))
            return httpx.Response(200 if found[1].decode() == made[0] else 401)
        header = DIALECTS[dialect].signature_header
        sealed = again.seal(draft, again.signatures(draft.with_content(ours)))
        is_json = ours and b"\xff" not in ours
        is_same = request.headers.get(header, "") == sealed.headers[header]
        return httpx.Response(200 if is_same and is_json else 401)

    return httpx.MockTransport(answer)


@pytest.mark.parametrize("dialect", ["adyen", "square", "shopify", "github"])
async def test_dialects_without_a_time_are_probed_without_one(dialect: str) -> None:
    secret = secret_of(dialect)
    probed = await probe(twin_of(dialect, secret), composer(dialect, secret))
    assert not found(probed, Finding.FAIL), probed
    assert {"stale_refused", "future_refused", "rotation_accepted"} <= probed.left_out.keys()


async def test_a_template_of_ones_own_is_what_goes_out() -> None:
    seen: list[bytes] = []

    def keep(request: httpx.Request) -> httpx.Response:
        seen.append(request.content)
        return httpx.Response(200)

    events = composer(template='{"order": "{number}", "kind": "{event_type}", "total": 5}')
    probed = await probe(httpx.MockTransport(keep), events)
    first = json.loads(seen[0])
    assert first["kind"] == "payment.succeeded"
    assert first["total"] == 5
    assert len({json.loads(body)["order"] for body in seen[:2]}) == 2
    assert "unknown_event_type_accepted" in found(probed, Finding.PASS)


async def test_a_template_without_a_type_leaves_the_unknown_type_unknown() -> None:
    transport = httpx.ASGITransport(endpoint(endpoints.correct))
    probed = await probe(transport, composer(template='{"id": "{event_id}", "n": 1}'))
    assert found(probed, Finding.UNKNOWN) == {"unknown_event_type_accepted"}


@pytest.mark.parametrize(
    ("dialect", "secret", "template"),
    [("standard", "whsec_A", None), ("adyen", "AB", '{"n": 1}'), ("adyen", "not hex", None)],
)
def test_a_secret_or_body_that_cannot_be_used_is_told(dialect, secret, template) -> None:
    events = composer(dialect, secret, template=template or default_template(dialect))
    with pytest.raises(WrongUsage):
        events.check()


async def test_the_document_and_the_junit_say_the_same() -> None:
    probed = await probe_app(endpoint(endpoints.looks_only_into_the_past))
    document = probe_document(probed)
    assert {"url", "dialect", "checks", "score"} <= document.keys()
    failed = [each for each in document["checks"] if each["verdict"] == "fail"]
    assert [each["name"] for each in failed] == ["future_refused"]
    assert all({"name", "verdict", "expected", "got", "why"} <= e.keys() for e in failed)
    cases = probe_suite(probed).cases
    assert [case.name for case in cases if case.failure] == ["future_refused"]
    assert len(cases) == len(CHECKS)
