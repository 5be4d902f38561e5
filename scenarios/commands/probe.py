"""``probe``: check any webhook endpoint, with nothing but its URL and its secret."""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import random
import socket
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from psp_sim.domain.dialects import DIALECTS, STANDARD
from psp_sim.domain.duration import parse_duration
from psp_sim.domain.errors import PspError
from psp_sim.domain.target_address import is_forbidden
from psp_sim.server import real_transport
from scenarios.commands.options import add_json
from scenarios.commands.outputs import Outputs
from scenarios.errors import Unreachable, WrongUsage
from scenarios.probe.check import Checked, Finding, Probed
from scenarios.probe.compose import Composer, default_template
from scenarios.probe.endpoint import Endpoint
from scenarios.probe.run_probe import CHECKS, DEFAULT_LIMIT_S, LIMITS_S, run_probe
from scenarios.report import terminal
from scenarios.report.files import check_file
from scenarios.report.junit import write_junit
from scenarios.report.probe import probe_document, probe_suite, show_probed

# A call is waited for longer than a provider would: so late is known from never.
PATIENCE = 2


def add_to(command: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    command.add_argument("url", metavar="URL", help="where the provider would send its webhooks")
    command.add_argument("--secret", required=True, help="what the endpoint verifies with")
    command.add_argument(
        "--dialect",
        default=STANDARD,
        metavar="NAME",
        help=f"how calls are signed: {', '.join(DIALECTS)}; default: {STANDARD}",
    )
    command.add_argument("--body", metavar="FILE", help="template of the events' body")
    command.add_argument("--event", metavar="TYPE", help="type of the genuine events")
    command.add_argument(
        "--limit", metavar="TIME", help="longest time to an answer; default: the provider's own"
    )
    command.add_argument(
        "--allow-public-targets", action="store_true", help="probe a public address too"
    )
    add_json(command)
    command.add_argument("--junit", metavar="FILE", help="write JUnit XML to FILE")
    command.set_defaults(work=_work)


def _work(options: argparse.Namespace) -> int:
    composer = _composer(options)
    _check_url(options.url, allow_public=options.allow_public_targets)
    limit_s = _limit_s(options)
    check_file(options.json)
    check_file(options.junit)
    with terminal.progress("probing", len(CHECKS)) as bar:

        def advance(_: Checked) -> None:
            bar.advance(bar.task_ids[0])

        probed = asyncio.run(_probe(options, composer, limit_s, advance))
    outputs = Outputs()
    if options.junit:
        suites = [probe_suite(probed)]
        outputs.attempt(lambda: write_junit(suites, "psp-scenarios probe", options.junit))
    outputs.hand_over(
        lambda console: show_probed(console, probed), lambda: probe_document(probed), options.json
    )
    return outputs.status(_exit_status(probed))


async def _probe(
    options: argparse.Namespace,
    composer: Composer,
    limit_s: float,
    on_check: Callable[[Checked], None],
) -> Probed:
    transport = real_transport(allow_public=options.allow_public_targets)
    endpoint = Endpoint(options.url, transport, PATIENCE * limit_s, time.monotonic)
    try:
        return await run_probe(endpoint, composer, limit_s, on_check)
    finally:
        await transport.aclose()


def _exit_status(probed: Probed) -> int:
    findings = [each.finding for each in probed.checks]
    if Finding.FAIL in findings:
        return 1
    return 3 if Finding.UNKNOWN in findings else 0


def _composer(options: argparse.Namespace) -> Composer:
    if options.dialect not in DIALECTS:
        known = ", ".join(DIALECTS)
        raise WrongUsage(f"--dialect {options.dialect} is not known: use one of {known}")
    if not options.secret:
        raise WrongUsage("--secret is empty: give what the endpoint verifies with")
    composer = Composer(
        DIALECTS[options.dialect],
        options.secret,
        options.url,
        _template(options),
        options.event,
        time.time,
        random.SystemRandom(),
    )
    try:
        composer.check()
    except PspError as problem:
        raise WrongUsage(str(problem)) from problem
    return composer


def _template(options: argparse.Namespace) -> str:
    if options.body is None:
        return default_template(options.dialect)
    try:
        return Path(options.body).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise WrongUsage(f"cannot read the body {options.body}: {problem}") from problem


def _limit_s(options: argparse.Namespace) -> float:
    if options.limit is None:
        return LIMITS_S.get(options.dialect, DEFAULT_LIMIT_S)
    try:
        limit_s = parse_duration(options.limit)
    except ValueError as problem:
        raise WrongUsage(f"--limit: {problem}") from problem
    if limit_s <= 0:
        raise WrongUsage("--limit has to be above 0")
    return limit_s


def _check_url(url: str, *, allow_public: bool) -> None:
    """Raise WrongUsage for what is no URL or may not be called, Unreachable for no such host."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as problem:
        raise WrongUsage(f"{url!r} is not a URL: {problem}") from problem
    if parts.scheme not in ("http", "https") or not host:
        raise WrongUsage(f"{url!r} is not a URL like http://127.0.0.1:3000/webhooks")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as problem:
        raise Unreachable(f"{url} cannot be reached: {host} has no address") from problem
    for address in (ipaddress.ip_address(each[4][0]) for each in found):
        if is_forbidden(address, allow_public=allow_public):
            hint = "" if allow_public else ": add --allow-public-targets if it is yours"
            raise WrongUsage(f"{host} is {address}, which is not called{hint}")
