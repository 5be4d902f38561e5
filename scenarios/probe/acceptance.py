"""What an endpoint has to accept, and how it has to answer."""

from __future__ import annotations

import asyncio

from psp_sim.domain.dialects.dialect import Dialect
from scenarios.probe.check import Bench, Check, Finding, Outcome, accepted, all_accepted

PROMPT_CALLS = 5
BURST = 20
COPIES = 8
LARGE_BYTES = 20_000
CLOCK_SKEW_S = 60
HAS_TIMESTAMP = ("standard", "standard-v1a", "stripe", "rfc9421")
SIGNS_TWICE = ("standard", "standard-v1a", "stripe", "rfc9421")
NEW_FIELDS = {"added_later": {"version": 2, "parts": [1.5, "two", None]}, "empty_later": None}


async def _genuine(bench: Bench) -> Outcome:
    bench.first = await bench.genuine()
    return accepted(bench.first)


async def _directly(bench: Bench) -> Outcome:
    assert bench.first is not None
    if bench.first.status is None:
        return Finding.UNKNOWN, bench.first.error
    return (Finding.FAIL if bench.first.is_redirect else Finding.PASS), str(bench.first)


async def _in_time(bench: Bench) -> Outcome:
    assert bench.first is not None
    answers = [bench.first]
    if bench.first.is_success:
        answers += [await bench.genuine() for _ in range(PROMPT_CALLS - 1)]
    slowest = max(answers, key=lambda answer: answer.took_s)
    if slowest.status is None:
        return Finding.FAIL, slowest.error
    finding = Finding.FAIL if slowest.took_s > bench.limit_s else Finding.PASS
    return finding, f"{1000 * slowest.took_s:.0f} ms at most in {len(answers)} calls"


async def _duplicate(bench: Bench) -> Outcome:
    draft = bench.composer.draft()
    answers = {}
    for what in ("the first", "the second", "the third"):
        answers[what] = await bench.endpoint.send(bench.composer.signed(draft))
    return all_accepted(answers)


async def _copies_at_once(bench: Bench) -> Outcome:
    call = bench.composer.signed(bench.composer.draft())
    answers = await asyncio.gather(*(bench.endpoint.send(call) for _ in range(COPIES)))
    return all_accepted({f"copy {n}": answer for n, answer in enumerate(answers, 1)})


async def _burst(bench: Bench) -> Outcome:
    answers = await asyncio.gather(*(bench.genuine() for _ in range(BURST)))
    refused = [answer for answer in answers if not answer.is_success]
    if refused:
        return Finding.FAIL, f"{len(refused)} of {BURST} not accepted: {refused[0]}"
    return all_accepted({str(n): answer for n, answer in enumerate(answers)})


async def _clock_skew(bench: Bench) -> Outcome:
    answers = {}
    for what, age_s in (("a minute behind", CLOCK_SKEW_S), ("a minute ahead", -CLOCK_SKEW_S)):
        draft = bench.composer.draft().aged(age_s)
        answers[what] = await bench.endpoint.send(bench.composer.signed(draft))
    return all_accepted(answers)


async def _rotation(bench: Bench) -> Outcome:
    answers = {}
    for what, newest_first in (("ours last", True), ("ours first", False)):
        draft = bench.composer.draft()
        call = bench.composer.rotating(draft, newest_first=newest_first)
        answers[what] = await bench.endpoint.send(call)
    return all_accepted(answers)


async def _unknown_type(bench: Bench) -> Outcome:
    if not bench.composer.shows_its_type:
        return Finding.UNKNOWN, "the template has no {event_type}"
    draft = bench.composer.draft(bench.composer.unknown_event_type())
    return accepted(await bench.endpoint.send(bench.composer.signed(draft)))


async def _unknown_fields(bench: Bench) -> Outcome:
    plain = bench.composer.draft()
    draft = plain.extended(NEW_FIELDS)
    if draft is plain:
        return Finding.UNKNOWN, "the template is no JSON object"
    return accepted(await bench.endpoint.send(bench.composer.signed(draft)))


async def _odd_formatting(bench: Bench) -> Outcome:
    """Send JSON that no library writes like this: what is verified must be what was received."""
    answers = {}
    for what, oddity in (
        ("spaces and a line end", b' \t{\r\n  "odd" :[ ],'),
        ("numbers with zeros, escapes", rb'{"odd":[1.0,1.50e+2,"\u00e9\/","\u20AC"],'),
        ("text beyond ASCII", '{"odd":"Zoë – 5 €",'.encode()),
    ):
        draft = bench.composer.draft()
        body = oddity + draft.content.lstrip().removeprefix(b"{") + b"\n"
        answers[what] = await bench.endpoint.send(bench.composer.signed(draft.with_content(body)))
    return all_accepted(answers)


async def _large_body(bench: Bench) -> Outcome:
    plain = bench.composer.draft()
    missing = max(0, LARGE_BYTES - len(plain.content) - 20)
    draft = plain.extended({"padding": "x" * missing})
    content = draft.content.ljust(LARGE_BYTES)
    return accepted(await bench.endpoint.send(bench.composer.signed(draft.with_content(content))))


def _no_timestamp(dialect: Dialect) -> str | None:
    if dialect.name == "rfc9421":
        return "how far a clock may run ahead is for the two parties to agree on"
    return None if dialect.name in HAS_TIMESTAMP else "its signatures carry no time"


def _one_signature(dialect: Dialect) -> str | None:
    return None if dialect.name in SIGNS_TWICE else "it signs with one secret at a time"


def _signs_fields_only(dialect: Dialect) -> str | None:
    return "it signs some fields and not the body" if dialect.name == "adyen" else None


GENUINE = Check(
    "genuine_accepted",
    "2xx",
    "What is not accepted is sent again for days, and the order stays unpaid.",
    "Verify with the secret of this endpoint, over the raw body; look at the log of this call.",
    _genuine,
)
# These judge the very first answer, so that they have something to say when it was no 2xx too.
OF_THE_FIRST_ANSWER = (
    Check(
        "answered_without_redirect",
        "no 3xx",
        "Providers do not follow redirects: a 301 would turn the POST into a GET without a body.",
        "Register the URL that the redirect leads to, with its scheme, host and slash.",
        _directly,
    ),
    Check(
        "answered_in_time",
        "within the provider's limit",
        "A late 200 counts as a failure: the provider sends the event again, and in the end stops.",
        "Store the event, answer, and do the work after the answer.",
        _in_time,
    ),
)
ACCEPTANCE = (
    Check(
        "duplicate_accepted",
        "2xx each time",
        "Delivery is at least once. An error for an event that is known already makes it come for "
        "ever.",
        "Answer 200 to an event whose id is stored already, and do nothing else.",
        _duplicate,
    ),
    Check(
        "copies_at_once_accepted",
        "2xx for each copy",
        "Two copies can arrive in the same instant; both pass a check that is made before the "
        "insert.",
        "Let a unique key on the event's id decide, and take its violation for 'known already'.",
        _copies_at_once,
    ),
    Check(
        "burst_accepted",
        "2xx for each event",
        "After an outage everything that waited comes at once.",
        "Do nothing in the handler but verify and store; give the pool room.",
        _burst,
    ),
    Check(
        "clock_skew_accepted",
        "2xx a minute either way",
        "Clocks differ by seconds to minutes: too narrow a window turns genuine news away.",
        "Allow five minutes in both directions.",
        _clock_skew,
        _no_timestamp,
    ),
    Check(
        "rotation_accepted",
        "2xx, ours first or last",
        "While a secret is rotated each call carries two signatures, in no promised order.",
        "Accept the call if any of its signatures fits.",
        _rotation,
        _one_signature,
    ),
    Check(
        "unknown_event_type_accepted",
        "2xx",
        "Providers add types. An error for one makes it come again, and may disable the endpoint.",
        "Answer 200 to types that you do not handle, and ignore them.",
        _unknown_type,
    ),
    Check(
        "unknown_fields_accepted",
        "2xx",
        "Providers add fields without a new version of their API.",
        "Read the fields that you need, and leave the others alone.",
        _unknown_fields,
    ),
    Check(
        "odd_formatting_accepted",
        "2xx",
        "Who parses the body and writes it anew gets other bytes, and no signature fits those.",
        "Verify over the bytes as received, before any JSON parser or framework has had them.",
        _odd_formatting,
        _signs_fields_only,
    ),
    Check(
        "large_body_accepted",
        f"2xx for {LARGE_BYTES // 1000} kB",
        "An order with many lines is a long event.",
        "Raise the limit for the body on this path, in the framework and in the proxy before it.",
        _large_body,
    ),
)
