"""``demo``: polling beside webhooks, live, on a page for a projector."""

from __future__ import annotations

import argparse
import asyncio
import sys

from psp_sim.domain.duration import parse_duration
from scenarios.demo.run_demo import record, show
from scenarios.demo.tour import SHORTEST_TOUR_S
from scenarios.errors import WrongUsage
from scenarios.plotly_bundle import plotly_js
from scenarios.report import terminal
from scenarios.report.files import check_file, replace_file
from scenarios.stop_requests import INTERRUPTED
from scenarios.targets.processes import Started

PORT = 8700
RECORDING_S_MAX = 3600.0
DEFAULT_RECORDING = "demo.html"


def add_to(command: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    command.add_argument("--port", type=int, default=PORT, help=f"default: {PORT}; 0 picks one")
    command.add_argument(
        "--for", dest="duration", metavar="40s", help="take the tour in this time and record it"
    )
    command.add_argument("--html", metavar="FILE", help="the recording; default: demo.html")
    command.set_defaults(work=_work)


def _work(options: argparse.Namespace) -> int:
    plotly_js()
    try:
        if options.duration is None:
            if options.html:
                raise WrongUsage("--html needs --for: how long shall be recorded?")
            asyncio.run(show(_port(options.port), _announce, _started))
        else:
            path = options.html or DEFAULT_RECORDING
            seconds = _seconds(options.duration)
            check_file(path)
            replace_file(path, asyncio.run(record(seconds, _started)))
            terminal.make_console().print(f"recorded {options.duration} into {path}")
    except asyncio.CancelledError:
        # Asked to end by a signal: every process has ended.
        return INTERRUPTED
    return 0


def _announce(url: str) -> None:
    sys.stdout.write(f"demo on {url}   (→ next step, ← back, Ctrl-C ends it)\n")
    sys.stdout.flush()


def _started(service: Started) -> None:
    sys.stderr.write(f"started {service.url} as process {service.process.pid}\n")
    sys.stderr.flush()


def _port(port: int) -> int:
    if not 0 <= port <= 65535:
        raise WrongUsage(f"--port {port} is not from 0 to 65535")
    return port


def _seconds(text: str) -> float:
    try:
        seconds = parse_duration(text)
    except ValueError as problem:
        raise WrongUsage(f"--for: {problem}") from problem
    if seconds < SHORTEST_TOUR_S:
        raise WrongUsage(
            f"--for {text} is too short to see what the tour tells of: "
            f"name at least {SHORTEST_TOUR_S:g}s"
        )
    if seconds > RECORDING_S_MAX:
        raise WrongUsage(f"--for {text} is longer than 1h")
    return seconds
