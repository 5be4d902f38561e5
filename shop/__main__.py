"""Command line and environment come in; a listening shop, or one clear line why not, comes out.

``serve`` runs it; ``dead-letters`` works on its database.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import FrameType
from typing import NoReturn

import uvicorn
from pyreqwest.client import ClientBuilder
from starlette.applications import Starlette

from shop import event_store
from shop.app import create_app
from shop.log_lines import Seldom
from shop.parts import Parts
from shop.server import BreakOffWhenStopped, ShopProtocol, end_what_is_left
from shop.settings import BadSetting, Settings, documented, settings_from
from shop.store import SCHEMA
from shop.streaming_transport import StreamingTransport
from sqlport import DatabaseError, open_database
from sqlport.sqlite_url import is_sqlite, read_sqlite_url

_WRONG_USAGE = 2
_BACKLOG = 2048
# Longer than a sender keeps a connection for later use, so that it never finds it just closed.
_KEEP_ALIVE_S = 75
_SHUTDOWN_WAIT_S = 5


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> float:
        """Unix seconds, UTC."""
        return time.time()


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        _give_up(message)


class _Server(uvicorn.Server):
    """A server that says where it listens, and ends with status 0 when asked to stop."""

    def __init__(self, config: uvicorn.Config, announcement: str) -> None:
        super().__init__(config)
        self._announcement = announcement

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(self._announcement, flush=True)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.force_exit = self.should_exit
        self.should_exit = True


def main(arguments: list[str] | None = None, parts: Parts = Parts()) -> int:
    """Run ``python -m shop``, put together from these parts; return the exit status."""
    options = _parser().parse_args(arguments)
    if options.command == "dead-letters":
        return _work_on_dead_letters(options)
    try:
        settings = settings_from(vars(options), os.environ)
        _require_key(settings)
        listener = _listen(settings.host, settings.port)
    except (BadSetting, OSError) as problem:
        _give_up(str(problem))
    lines = logging.StreamHandler()
    lines.addFilter(Seldom())
    logging.basicConfig(level=logging.WARNING, format="shop: %(message)s", handlers=[lines])
    with listener, asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            return runner.run(_serve(settings, listener, parts))
        except DatabaseError as problem:
            _give_up(str(problem))


def _work_on_dead_letters(options: argparse.Namespace) -> int:
    """List what was set aside, one line of JSON each, or put it back into the queue."""
    retries = options.action == "retry"
    if retries != (options.all or options.event_id is not None):
        _give_up("give one of: list, retry ID, retry --all")
    if options.all and options.event_id is not None:
        _give_up("retry takes an ID or --all, not both")
    try:
        url = settings_from({"database": options.database}, os.environ).database
        _require_existing(url)
        lines = asyncio.run(_dead_letters(url, options.event_id, retries=retries))
    except (BadSetting, DatabaseError) as problem:
        _give_up(str(problem))
    if options.event_id is not None and lines == ["0 put back"]:
        _give_up(f"no event {options.event_id!r} is set aside: python -m shop dead-letters list")
    for line in lines:
        print(line)
    return 0


def _require_existing(url: str) -> None:
    """A mistyped path must not become a new, empty database in which nothing is set aside."""
    if is_sqlite(url) and not Path(path := read_sqlite_url(url).path).is_file():
        raise BadSetting(f"there is no database at {path}")


async def _dead_letters(url: str, event_id: str | None, *, retries: bool) -> list[str]:
    database = await open_database(url)
    try:
        await database.apply_schema(SCHEMA)
        async with database.transaction() as transaction:
            if retries:
                now = SystemClock().now()
                count = await event_store.retry_dead_letters(transaction, event_id, now)
                return [f"{count} put back"]
            found = await event_store.list_dead_letters(transaction)
    finally:
        await database.close()
    return [json.dumps(asdict(one)) for one in found]


async def _serve(settings: Settings, listener: socket.socket, parts: Parts) -> int:
    address = _address_of(listener)
    if not settings.public_url:
        settings = replace(settings, public_url=address)
    database = await open_database(settings.database)
    # A redirected payment request could be repeated at, or leak its key to, somebody else.
    client = ClientBuilder().follow_redirects(False).build()
    transport = StreamingTransport(client)
    try:
        app = create_app(
            settings,
            database=database,
            clock=SystemClock(),
            random=random.SystemRandom(),
            transport=transport,
            parts=parts,
        )
        server = _Server(_config(app), f"shop listening on {address}")
        await server.serve(sockets=[listener])
        await end_what_is_left(server)
        return 0 if server.started else 1
    finally:
        await transport.aclose()
        await database.close()


def _config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        BreakOffWhenStopped(app),
        http=ShopProtocol,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_SHUTDOWN_WAIT_S,
    )


def _listen(host: str, port: int) -> socket.socket:
    """Bind here, not in the server, so that a port in use is known before anything starts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as problem:
        listener.close()
        reason = problem.strerror or str(problem)
        raise OSError(f"cannot listen on {host}:{port}: {reason}") from problem
    listener.setblocking(False)
    return listener


def _address_of(listener: socket.socket) -> str:
    """The URL under which this machine reaches the listener."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104  recognised, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _require_key(settings: Settings) -> None:
    if not settings.psp_key:
        raise BadSetting(
            "the provider's API key is missing: give --psp-key or set SHOP_PSP_KEY "
            "(python -m psp_sim serve prints the key it uses)"
        )


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.Loop


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m shop", description="A sample shop.", allow_abbrev=False)
    commands = parser.add_subparsers(required=True, dest="command", parser_class=_Parser)
    serve = commands.add_parser("serve", help="take orders", allow_abbrev=False)
    for setting in documented():
        unit = f", in {setting.unit}" if setting.unit else ""
        serve.add_argument(
            setting.option,
            dest=setting.name,
            metavar=setting.kind.__name__.upper(),
            help=f"{setting.meaning}{unit} [{setting.environment}, {setting.default!r}]".replace(
                "%", "%%"
            ),
        )
    dead = commands.add_parser(
        "dead-letters", help="events that were set aside", allow_abbrev=False
    )
    dead.add_argument("action", nargs="?", choices=("list", "retry"), default="list")
    dead.add_argument("event_id", nargs="?", metavar="ID", help="the event to put back")
    dead.add_argument("--all", action="store_true", help="put all of them back")
    dead.add_argument("--database", metavar="URL", help="the shop's database [SHOP_DATABASE]")
    return parser


def _give_up(sentence: str) -> NoReturn:
    print(f"shop: {sentence}", file=sys.stderr)
    raise SystemExit(_WRONG_USAGE)


if __name__ == "__main__":
    sys.exit(main())
