"""What an endpoint has to refuse, with 4xx: never 2xx, which is a hole, and never 5xx, a crash.

Just before each call that has to be refused, a genuine one is sent. Where that is not accepted,
the refusal is worth nothing and the check stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from psp_sim.domain.dialects.dialect import Dialect, Sealed
from scenarios.probe.acceptance import HAS_TIMESTAMP
from scenarios.probe.check import Bench, Check, Finding, Outcome, refused
from scenarios.probe.compose import Composer

FAR_AWAY_S = 900
TWO_HUNDRED = "A 2xx here lets anybody who knows the URL mark orders as paid."
CRASHES = (
    "A 5xx here is a crash that any stranger can cause, and a genuine call like it comes for ever."
)


@dataclass(frozen=True, slots=True)
class Bad:
    """A call that has to be refused; ``headers`` replace those of the call, None removes one."""

    what: str
    call: Sealed
    headers: Mapping[str, str | None] | None = None


def _refusal(make: Callable[[Composer], Sequence[Bad]]) -> Callable[[Bench], Awaitable[Outcome]]:
    async def run(bench: Bench) -> Outcome:
        seen: dict[str, None] = {}
        for bad in make(bench.composer):
            twin = await bench.genuine()
            if not twin.is_success:
                return Finding.UNKNOWN, f"the genuine call before it got {twin}"
            answer = await bench.endpoint.send(bad.call, bad.headers)
            finding = refused(answer)
            if finding is not Finding.PASS:
                return finding, f"{bad.what}: {answer}"
            seen[str(answer)] = None
        return Finding.PASS, ", ".join(sorted(seen))

    return run


def _unsigned(composer: Composer) -> list[Bad]:
    return [Bad("unsigned", composer.seal(composer.draft(), []))]


def _wrong_secret(composer: Composer) -> list[Bad]:
    call = composer.signed(composer.draft(), [composer.other_secret()])
    return [Bad("another secret", call)]


def _altered(composer: Composer) -> list[Bad]:
    draft = composer.draft()
    altered = draft.with_content(draft.altered())
    bad = [Bad("one digit changed", composer.seal(altered, composer.signatures(draft)))]
    if composer.dialect.name != "adyen":
        draft = composer.draft()
        longer = draft.with_content(draft.content + b" ")
        bad.append(Bad("a space added", composer.seal(longer, composer.signatures(draft))))
    return bad


def _stale(composer: Composer) -> list[Bad]:
    return [Bad("15 minutes old", composer.signed(composer.draft().aged(FAR_AWAY_S)))]


def _future(composer: Composer) -> list[Bad]:
    return [Bad("15 minutes ahead", composer.signed(composer.draft().aged(-FAR_AWAY_S)))]


# Shapes that naive parsers break on, each in another way: nothing, no separator, not base64, not
# hex, beyond ASCII, very long.
MALFORMED = ("", "garbage", "%%%", ",", "=", "v1,é–漢", "a" * 4000)
MALFORMED_IN = {
    "standard": ("v1", "v1,", "v1,AAA", "v1,not base64"),
    "standard-v1a": ("v1a", "v1a,", "v1a,AAA", "v1a,not base64"),
    "stripe": ("t=,v1=", "v1=abc", "t=1", "t=1,v1=é"),
    "github": ("sha256", "sha256=", "sha256=é", "sha256=zz"),
    "rfc9421": ("sig1=", "sig1=:%%%:", 'sig1="text"'),
}


def _malformed_signature(composer: Composer) -> list[Bad]:
    header = composer.dialect.signature_header
    shapes = (*MALFORMED, *MALFORMED_IN.get(composer.dialect.name, ()))
    if header is None:
        return [Bad(_shown(each), composer.seal(composer.draft(), [each])) for each in shapes]
    return [
        Bad(f"{header}: {_shown(each)}", composer.signed(composer.draft()), {header: each})
        for each in shapes
    ]


def _shown(value: str) -> str:
    return f"{value[:12]}…" if len(value) > 20 else value or "(empty)"


MALFORMED_TIMES = ("", "tomorrow", "-1", "1e999", "NaN", "9" * 30, "٣")


def _malformed_timestamp(composer: Composer) -> list[Bad]:
    return [_with_time(composer, value) for value in MALFORMED_TIMES]


def _with_time(composer: Composer, value: str) -> Bad:
    call = composer.signed(composer.draft())
    headers: dict[str, str | None]
    match composer.dialect.name:
        case "stripe":
            signature = re.sub(r"^t=\d+", f"t={value}", call.headers["stripe-signature"])
            headers = {"stripe-signature": signature}
        case "rfc9421":
            given = call.headers["signature-input"]
            headers = {"signature-input": re.sub(r"created=\d+", f"created={value}", given)}
        case _:
            headers = {"webhook-timestamp": value}
    return Bad(f"timestamp {_shown(value)}", call, headers)


NEEDED = {
    "standard": ("webhook-id", "webhook-timestamp"),
    "standard-v1a": ("webhook-id", "webhook-timestamp"),
    "rfc9421": ("signature-input", "content-digest"),
}


def _missing_header(composer: Composer) -> list[Bad]:
    return [
        Bad(f"without {header}", composer.signed(composer.draft()), {header: None})
        for header in NEEDED[composer.dialect.name]
    ]


# Name of the scheme as it is written before a signature → names that must not count for it.
OTHER_SCHEMES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "standard": ("v1,", ("v0,", "v1a,", "")),
    "standard-v1a": ("v1a,", ("v0,", "v1,", "")),
    "stripe": ("v1=", ("v0=", "v2=")),
    "github": ("sha256=", ("sha1=", "md5=")),
}


def _wrong_scheme(composer: Composer) -> list[Bad]:
    header = composer.dialect.signature_header
    assert header is not None
    own, others = OTHER_SCHEMES[composer.dialect.name]
    bad = []
    for other in others:
        call = composer.signed(composer.draft())
        value = call.headers[header].replace(own, other)
        bad.append(Bad(f"scheme {other or 'left out'}", call, {header: value}))
    return bad


def _empty_body(composer: Composer) -> list[Bad]:
    return [_broken(composer, "an empty body", b"")]


def _non_utf8_body(composer: Composer) -> list[Bad]:
    content = composer.draft().content
    return [_broken(composer, "a byte that is no UTF-8", content.replace(b'"', b'"\xff', 1))]


def _broken(composer: Composer, what: str, content: bytes) -> Bad:
    """Sign a body that is none; where the signature is inside the body there can be no other."""
    draft = composer.draft().with_content(content)
    if composer.dialect.signature_header is None:
        return Bad(what, Sealed({}, content))
    return Bad(what, composer.signed(draft))


def _untimed(dialect: Dialect) -> str | None:
    return None if dialect.name in HAS_TIMESTAMP else "its signatures carry no time"


def _future_is_fine(dialect: Dialect) -> str | None:
    if dialect.name == "stripe":
        return "Stripe's own library takes any time in the future"
    return _untimed(dialect)


def _one_header(dialect: Dialect) -> str | None:
    return None if dialect.name in NEEDED else "it signs nothing that is in further headers"


def _no_scheme(dialect: Dialect) -> str | None:
    return None if dialect.name in OTHER_SCHEMES else "its signatures do not name their scheme"


REFUSALS = (
    Check(
        "unsigned_refused",
        "4xx",
        TWO_HUNDRED,
        "Refuse with 401 when the signature is missing.",
        _refusal(_unsigned),
    ),
    Check(
        "wrong_secret_refused",
        "4xx",
        TWO_HUNDRED,
        "Compute the signature with your secret, and compare in constant time.",
        _refusal(_wrong_secret),
    ),
    Check(
        "altered_body_refused",
        "4xx",
        "Who can change one byte can change the amount or the order that it is for.",
        "Verify over the whole raw body, not over parts or over what a parser made of it.",
        _refusal(_altered),
    ),
    Check(
        "stale_refused",
        "4xx at 15 minutes",
        "A call that somebody recorded can be played again for ever.",
        "Refuse a signed time that is more than five minutes old.",
        _refusal(_stale),
        _untimed,
    ),
    Check(
        "future_refused",
        "4xx at 15 minutes",
        "A call that is dated ahead can be played again until its time has passed.",
        "Compare the distance: abs(now - timestamp) > 300.",
        _refusal(_future),
        _future_is_fine,
    ),
    Check(
        "malformed_signature_refused",
        "4xx, never 5xx",
        CRASHES,
        "Catch what parsing the header raises (no separator, no base64, no ASCII), answer 400.",
        _refusal(_malformed_signature),
    ),
    Check(
        "malformed_timestamp_refused",
        "4xx, never 5xx",
        CRASHES,
        "Take digits only, and catch what is too long; answer 400.",
        _refusal(_malformed_timestamp),
        _untimed,
    ),
    Check(
        "missing_header_refused",
        "4xx, never 5xx",
        CRASHES,
        "Ask for every header that is signed, and answer 400 where one is missing.",
        _refusal(_missing_header),
        _one_header,
    ),
    Check(
        "wrong_scheme_refused",
        "4xx",
        "Other schemes are weaker or mean nothing; to take one makes the strong one useless.",
        "Take only entries with the scheme that you verify, and ignore the others.",
        _refusal(_wrong_scheme),
        _no_scheme,
    ),
    Check(
        "empty_body_refused",
        "4xx, never 5xx",
        CRASHES,
        "Verify first, then parse, and answer 400 to what cannot be parsed.",
        _refusal(_empty_body),
    ),
    Check(
        "non_utf8_body_refused",
        "4xx, never 5xx",
        CRASHES,
        "Verify the bytes, then decode, and answer 400 to what cannot be decoded.",
        _refusal(_non_utf8_body),
    ),
)
