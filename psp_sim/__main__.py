"""The command line: real clock, real randomness, real network."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import random
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from psp_sim import store
from psp_sim.announcement import announcement
from psp_sim.app import create_app
from psp_sim.domain.endpoint import check_url
from psp_sim.domain.errors import InvalidFault, InvalidUrl
from psp_sim.domain.faults import parse_fault
from psp_sim.log_lines import JsonLines, Seldom, TextLines
from psp_sim.server import bind, loop_factory, real_transport, serve, url_of
from psp_sim.settings import Settings, environment_name, option_name, parsed_settings
from sqlport import Database, DatabaseError, open_database

WRONG_USAGE = 2
_GARBAGE_THRESHOLDS = (20_000, 20, 20)


class UsageError(Exception):
    """The command cannot be carried out as it was given; the text says what to change."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Return Unix seconds, UTC."""
        return time.time()


class SystemRandom(random.SystemRandom):
    """The system's randomness, fetched in blocks: every id takes seven bytes of it."""

    _BLOCK_BYTES = 4096

    def __init__(self) -> None:
        self._block = b""
        self._used = 0
        super().__init__()

    def getrandbits(self, k: int, /) -> int:
        """Return ``k`` bits of it."""
        size = (k + 7) // 8
        if size > self._BLOCK_BYTES:
            return super().getrandbits(k)
        if self._used + size > len(self._block):
            self._block, self._used = self.randbytes(self._BLOCK_BYTES), 0
        start, self._used = self._used, self._used + size
        return int.from_bytes(self._block[start : self._used]) >> (size * 8 - k)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    options = vars(_parser().parse_args(arguments))
    try:
        settings = _settings(options, os.environ)
        _write_log(settings)
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run((_tell_secret if options["print_secret"] else _serve)(settings))
    except (UsageError, DatabaseError) as problem:
        print(f"psp-sim: {problem}", file=sys.stderr)
        return WRONG_USAGE
    except KeyboardInterrupt:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="psp-sim", description="A simulated payment provider.")
    commands = parser.add_subparsers(dest="command", required=True)
    serve_command = commands.add_parser("serve", help="run the provider")
    serve_command.add_argument("--config", metavar="FILE", help="TOML file with these settings")
    serve_command.add_argument(
        "--print-secret",
        action="store_true",
        help="write the secret of --webhook-url to standard output, nothing else, and stop",
    )
    for setting in fields(Settings):
        if "meaning" in setting.metadata:
            serve_command.add_argument(
                option_name(setting.name),
                dest=setting.name.removesuffix("_s"),
                metavar="VALUE",
                nargs="?" if setting.type == "bool" else None,
                const="true" if setting.type == "bool" else None,
                help=f"{setting.metadata['meaning']} [{environment_name(setting.name)}]",
            )
    return parser


def _write_log(settings: Settings) -> None:
    """Send log lines to standard error: standard output is for what a caller may read."""
    handler = logging.StreamHandler(sys.stderr)
    is_coloured = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    is_json = settings.log_format == "json"
    handler.setFormatter(JsonLines() if is_json else TextLines(is_coloured=is_coloured))
    handler.addFilter(Seldom())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("psp_sim").setLevel(logging.WARNING if settings.quiet else logging.INFO)


def _settings(options: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """Put the sources together: command line, environment, file. Raises UsageError."""
    file = _read_config(options["config"] or environ.get("PSP_CONFIG"))
    faults = file.pop("faults", [])
    known = {setting.name.removesuffix("_s"): setting.name for setting in fields(Settings)}
    for name in file:
        if name not in known:
            raise UsageError(f"{name!r} in the configuration is no setting: {', '.join(known)}")
    environment = {name: environ.get(environment_name(full)) for name, full in known.items()}
    try:
        parsed = parsed_settings(options, environment, file)
        if not isinstance(faults, list):
            raise UsageError("faults must be a list of tables: write [[faults]] above each")
        for fault in faults:
            parse_fault(fault)
    except (ValueError, InvalidFault) as problem:
        raise UsageError(str(problem)) from problem
    return Settings(**parsed, faults=tuple(faults))


def _read_config(path: str | None) -> dict[str, Any]:
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise UsageError(f"cannot read the configuration {path}: {problem}") from problem


async def _tell_secret(settings: Settings) -> int:
    if not settings.webhook_url:
        raise UsageError("--print-secret needs --webhook-url: the secret belongs to an endpoint")
    _check_webhook_url(settings)
    # Nothing is delivered meanwhile.
    settings = replace(settings, role="api")
    async with AsyncExitStack() as stack:
        database = await open_database(settings.database)
        stack.push_async_callback(database.close)
        transport = real_transport(allow_public=settings.allow_public_targets)
        stack.push_async_callback(transport.aclose)
        source = await _randomness(settings, database)
        app = create_app(
            settings, database=database, clock=SystemClock(), random=source, transport=transport
        )
        await stack.enter_async_context(app.router.lifespan_context(app))
        print(app.state.endpoint.secret, flush=True)
    return 0


def _check_webhook_url(settings: Settings) -> None:
    try:
        if settings.webhook_url:
            check_url(settings.webhook_url, allow_public=settings.allow_public_targets)
    except InvalidUrl as problem:
        raise UsageError(f"webhook_url: {problem}") from problem


async def _serve(settings: Settings) -> int:
    _check_webhook_url(settings)
    try:
        bound = bind(settings.host, settings.port)
    except OSError as problem:
        raise UsageError(
            f"cannot listen on {settings.host} port {settings.port}: {problem.strerror}; "
            "choose another with --port, or 0 for a free one"
        ) from problem
    if settings.role != "all" and not settings.database.startswith("postgres"):
        raise UsageError(
            f"--role {settings.role} is for several processes on one database: "
            "use --database postgresql://…, or leave --role out"
        )
    # What is there by now stays. Requests make no circles, so looking for some seldom is enough.
    gc.freeze()
    gc.set_threshold(*_GARBAGE_THRESHOLDS)
    with bound:
        database = await open_database(settings.database)
        try:
            source = await _randomness(settings, database)
            has_made_key = not settings.api_key
            settings = _with_key(settings, source)
            transport = real_transport(
                settings.connect_timeout_s, allow_public=settings.allow_public_targets
            )
            clock = SystemClock()
            app = create_app(
                settings, database=database, clock=clock, random=source, transport=transport
            )

            def announce() -> None:
                url, endpoint, at = url_of(bound), app.state.endpoint, clock.now()
                said = announcement(settings, url, endpoint, has_made_key=has_made_key, at=at)
                print(said, flush=True)

            ends = (app.state.stop_waiting, lambda: app.state.stop_working())
            has_started = await serve(app, bound, announce, *ends)
            await transport.aclose()
            return 0 if has_started else 1
        finally:
            await database.close()


async def _randomness(settings: Settings, database: Database) -> random.Random:
    """Without a seed, the system's randomness; with one, a stream of its own for each start."""
    if settings.seed is None:
        return SystemRandom()
    await database.apply_schema(store.BOOTS_SCHEMA)
    async with database.transaction() as transaction:
        boot = await store.count_boot(transaction)
    return random.Random(f"{settings.seed}/{boot}")


def _with_key(settings: Settings, source: random.Random) -> Settings:
    return (
        settings
        if settings.api_key
        else replace(settings, api_key=f"sk_test_{source.getrandbits(96):024x}")
    )


if __name__ == "__main__":
    sys.exit(main())
