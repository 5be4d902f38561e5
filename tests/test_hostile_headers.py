"""More than a hundred thousand header values, and no exception that is not a refusal.

Everything that a stranger can write into a header, a query or a URL goes through one of these
parsers. Inputs are cut, doubled, flipped and spliced from good ones, the same ones every time.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.requests import Request

from psp_sim.domain.delivery import retry_after_s
from psp_sim.domain.distribution import parse_delay
from psp_sim.domain.duration import parse_duration
from psp_sim.domain.endpoint import check_url
from psp_sim.domain.errors import PspError
from psp_sim.domain.idempotency import parse_key
from psp_sim.domain.retry_schedule import parse_schedule
from psp_sim.domain.script import parse_script
from psp_sim.domain.target_address import literal_address
from psp_sim.http_guard import guard
from psp_sim.http_operation import authorise, cursor_of, decode, limit_of
from psp_sim.http_payments import _matches
from psp_sim.http_query import time_of, wait_of, whole_of
from shop.domain.errors import ShopError
from shop.domain.event_stream import EventStreamReader
from shop.domain.peer_address import networks_in, peer_address
from shop.domain.webhook_signature import SignedWebhook, signature_of, verify

INPUTS_EACH = 4200
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = 1_767_225_600.0
BODY = b'{"id":"evt_1"}'
GOOD = SignedWebhook("evt_1", str(int(NOW)), "", BODY)
SIGNATURE = "v1," + signature_of(GOOD, SECRET).decode()
# What parsers have stumbled over: numbers of other scripts, ends of ranges, controls, half pairs.
PIECES = (
    *(
        "",
        " ",
        "\t",
        "\x00",
        "\x7f",
        "\xa0",
        "\xff",
        "٣",
        "²",
        "½",
        "Ⅷ",
        "１",
        "ﷺ",
        "\ud800",
        "\U0001f600",
    ),
    *(
        "-",
        "+",
        "_",
        ".",
        ",",
        ";",
        ":",
        "=",
        "/",
        "%",
        "%00",
        "\\",
        '"',
        "'",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
    ),
    *(
        "0",
        "00",
        "-0",
        "1e999",
        "nan",
        "inf",
        "9" * 400,
        "0x",
        "1_0",
        "v1,",
        "v1a,",
        "whsec_",
        "Bearer ",
    ),
    *(
        "\r\n",
        "\n\n",
        "T",
        "Z",
        "+99:99",
        "-00:00",
        "W/",
        "*",
        "@",
        "::",
        "::ffff:",
        "|",
        "data:",
        "id:",
    ),
)


def made_of(seeds: tuple[str, ...], source: random.Random) -> str:
    """Return a good input, changed a few times over."""
    text = source.choice(seeds)
    for _ in range(source.randint(0, 4)):
        at, to = sorted(source.randint(0, len(text)) for _ in "ab")
        piece = source.choice((*PIECES, source.choice(seeds), chr(source.randint(0, 0x2FF))))
        text = source.choice(
            (
                text[:at] + piece + text[at:],
                text[:at] + piece + text[to:],
                text[:at] + text[to:],
                text[:to] + text[at:],
                text[:at] + text[at:to][::-1] + text[to:],
                piece,
            )
        )[:1000]
    return text


def with_query(read: Callable[[Request], object]) -> Callable[[str], object]:
    """Return a reader of a query parameter ``q`` that takes its value."""

    def call(value: str) -> object:
        query = f"q={value}&limit={value}&wait={value}".encode(errors="surrogatepass")
        return read(Request({"type": "http", "query_string": query, "headers": []}))

    return call


def with_header(name: str, read: Callable[[Request], object]) -> Callable[[str], object]:
    """Return a reader of a header that takes its value, as bytes like a server hands them on."""

    def call(value: str) -> object:
        sent = {"host": b"127.0.0.1", name: value.encode(errors="surrogatepass")}
        raw = [(each.encode(), text) for each, text in sent.items()]
        scope = {"type": "http", "method": "POST", "path": "/", "client": ("127.0.0.1", 1)}
        return read(Request({**scope, "headers": raw, "query_string": b""}))

    return call


def stream(text: str) -> object:
    """Read an event stream in two pieces."""
    reader, data = EventStreamReader(), text.encode(errors="surrogatepass")
    return [*reader.feed(data[: len(data) // 2]), *reader.feed(data[len(data) // 2 :])]


def signed(**fields: Any) -> Callable[[str], object]:
    """Return the shop's verifier with one part of a genuine webhook left to the input."""
    [(name, _)] = fields.items()

    def call(value: str) -> object:
        given = value.encode(errors="surrogatepass") if name == "body" else value
        parts = {"id": GOOD.id, "timestamp": GOOD.timestamp, "signature": SIGNATURE, "body": BODY}
        return verify(SignedWebhook(**{**parts, name: given}), (SECRET,), now=NOW)  # type: ignore[arg-type]

    return call


@dataclass(frozen=True)
class Parser:
    """A parser, good inputs for it, and the only exceptions that may leave it."""

    name: str
    parse: Callable[[str], object]
    seeds: tuple[str, ...]
    refusals: tuple[type[Exception], ...] = (PspError,)


_TIMES = ("2026-01-31T12:00:00Z", "2026-01-31", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59")
_DATES = ("Fri, 31 Jan 2026 12:00:00 GMT", "Sun Nov  6 08:49:37 1994", "120", "31 Jan 26 1:2 +9999")
_SIGNATURES = (SIGNATURE, f"{SIGNATURE} {SIGNATURE}", "v1a,AAAA v1,AAAA", "v2,x")
_URLS = ("http://127.0.0.1:8081/hooks", "https://shop.example/a?b=c#d", "http://[::1%25lo]:1/")
_HOSTS = ("127.0.0.1", "::ffff:10.0.0.1", "fe80::1%eth0", "shop.internal.", "0x7f.1", "xn--a")
_SCRIPTS = ("lose_response|ok", "delay(by=5s)|ok;drop(attempt=2)", "error(status=500,when=before)")

PARSERS = [
    Parser("idempotency key", parse_key, ("8e03978e-40d5", '"a \\"b\\""', "k" * 255)),
    Parser(
        "authorization", with_header("authorization", lambda r: authorise("k", r)), ("Bearer k",)
    ),
    Parser(
        "origin", with_header("origin", lambda r: guard("t", r, "it")), ("http://127.0.0.1", "null")
    ),
    Parser(
        "forwarded for",
        with_header("x-forwarded-for", lambda r: guard("t", r, "it")),
        ("127.0.0.1, ::1", "unknown", "8.8.8.8:80"),
    ),
    Parser("host", with_header("host", lambda r: guard("t", r, "it")), ("127.0.0.1:80", "[::1]:1")),
    Parser(
        "admin token", with_header("authorization", lambda r: guard("t", r, "it")), ("Bearer t",)
    ),
    Parser("if-none-match", lambda text: _matches(text, '"p-1"'), ('"p-1"', 'W/"p-1", "q"', "*")),
    Parser("retry-after", lambda text: retry_after_s(text, NOW), _DATES),
    Parser("cursor", cursor_of, ("0", "17", "999999999999999999")),
    Parser("limit", with_query(limit_of), ("20", "100")),
    Parser("wait", with_query(wait_of), ("0", "1.5", "60")),
    Parser("whole number", with_query(lambda r: whole_of(r, "q")), ("0", "12")),
    Parser("time", with_query(lambda r: time_of(r, "q")), _TIMES),
    Parser("webhook URL", lambda text: check_url(text, allow_public=True), _URLS),
    Parser("host of a URL", literal_address, _HOSTS, (ValueError,)),
    Parser("script", parse_script, _SCRIPTS),
    Parser("duration", parse_duration, ("250ms", "1h30m", "3d", "5s"), (ValueError,)),
    Parser("delay", parse_delay, ("5s", "lognormal(1s,2)", "uniform:1s..2s"), (ValueError,)),
    Parser("schedule", parse_schedule, ("standard", "5s,1m,10m"), (ValueError,)),
    Parser(
        "body", lambda text: decode(text.encode(errors="surrogatepass"), dict), ('{"a":[1]}', "[[")
    ),
    Parser("webhook-id", signed(id=1), ("evt_1", "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"), (ShopError,)),
    Parser("webhook-timestamp", signed(timestamp=1), (GOOD.timestamp, "17672256000"), (ShopError,)),
    Parser("webhook-signature", signed(signature=1), _SIGNATURES, (ShopError,)),
    Parser("signed body", signed(body=1), (BODY.decode(), "{}"), (ShopError,)),
    Parser(
        "forwarded", lambda t: peer_address("127.0.0.1", [t], networks_in("127.0.0.0/8")), _HOSTS
    ),
    Parser("event stream", stream, ("id: 1\nevent: a\ndata: {}\n\n", "data: x\r\n\r\n: c\n\n"), ()),
]


def test_there_are_more_than_a_hundred_thousand_inputs() -> None:
    assert len(PARSERS) * INPUTS_EACH >= 100_000


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_nothing_but_a_refusal_leaves_a_parser(parser: Parser) -> None:
    source, outcomes = random.Random(parser.name), {"taken": 0, "refused": 0}
    for _ in range(INPUTS_EACH):
        text = made_of(parser.seeds, source)
        try:
            parser.parse(text)
            outcomes["taken"] += 1
        except parser.refusals:
            outcomes["refused"] += 1
        except Exception as problem:
            raise AssertionError(f"{parser.name} broke on {text!r}") from problem
    assert outcomes["taken"], "every input was refused: the good ones are not"
