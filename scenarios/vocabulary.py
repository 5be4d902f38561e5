"""The whole fault vocabulary: the provider's words, and those for the world that only we can move.

A line of a scenario file goes in, a checked ``PlannedFault`` comes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from psp_sim.domain.duration import parse_duration
from psp_sim.domain.errors import InvalidFault
from psp_sim.domain.faults import SELECTORS_ON, VOCABULARY, FaultKind, parse_fault
from scenarios.errors import WrongUsage

HOSTS = ("shop", "psp", "warehouse")
CRASH_SITES = ("commit", "request", "response")
_CRASH_MOMENTS = ("before", "after")


def _host(value: object) -> str:
    if value in HOSTS:
        return str(value)
    raise ValueError(f"{value!r} is not a host: use {', '.join(HOSTS)}")


def _warehouse(value: object) -> str:
    if value == "warehouse":
        return str(value)
    raise ValueError(f"{value!r} is not the warehouse, which alone can turn callers away")


def _site(value: object) -> dict[str, Any]:
    """Read ``{site = "response", nth = 1, when = "after", path = "/webhooks"}``."""
    if not isinstance(value, Mapping) or value.get("site") not in CRASH_SITES:
        raise ValueError(f"at is a table with a site, one of {', '.join(CRASH_SITES)}")
    unknown = [key for key in value if key not in ("site", "nth", "when", "path")]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not a field of at: use site, nth, when, path")
    nth, when, path = value.get("nth", 1), value.get("when", "before"), value.get("path")
    if not isinstance(nth, int) or isinstance(nth, bool) or nth < 1:
        raise ValueError(f"nth = {nth!r} is not a whole number from 1")
    if when not in _CRASH_MOMENTS:
        raise ValueError(f"when = {when!r} is not one of {', '.join(_CRASH_MOMENTS)}")
    if not (path is None or isinstance(path, str)):
        raise ValueError(f"path = {path!r} is not a path, like /webhooks")
    return {"site": value["site"], "nth": nth, "when": when, "path": path}


def _commits(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100:
        return value
    raise ValueError(f"{value!r} is not a whole number from 0 to 100")


def _signed_duration(value: object) -> float:
    """Read ``2m``, or ``-2m`` for a clock that is behind."""
    if isinstance(value, str) and value.startswith("-"):
        return -parse_duration(value[1:])
    if isinstance(value, int | float) and not isinstance(value, bool) and value < 0:
        return -parse_duration(-value)
    return parse_duration(value)


def _between(value: object) -> tuple[str, str]:
    if isinstance(value, list) and len(value) == 2:
        return _host(value[0]), _host(value[1])
    raise ValueError('between is a pair of hosts, like ["psp", "shop"]')


WORLD_VOCABULARY: dict[str, FaultKind] = {
    kind.name: kind
    for kind in (
        FaultKind(
            "crash",
            "host",
            "a process dies at an exact point: its peers see a reset; what it committed stays",
            {"host": (_host, "shop"), "at": (_site, None), "for": (parse_duration, 5.0)},
        ),
        FaultKind(
            "power_loss",
            "host",
            "a machine goes dark: its peers see silence, and its last commits may be gone",
            {
                "host": (_host, "shop"),
                "at": (_site, None),
                "for": (parse_duration, 30.0),
                "commits_lost": (_commits, 0),
            },
        ),
        FaultKind(
            "restart",
            "host",
            "a process is asked to end, as for a new release, and comes back",
            {"host": (_host, "shop"), "for": (parse_duration, 5.0)},
        ),
        FaultKind(
            "pause",
            "host",
            "a process stands still, as in a long collection or a stopped machine, then goes on",
            {"host": (_host, "shop"), "for": (parse_duration, 30.0)},
        ),
        FaultKind(
            "turn_away",
            "host",
            "a process answers 503 to whoever asks it for something, and nothing comes of it",
            {"host": (_warehouse, "warehouse"), "for": (parse_duration, 30.0)},
        ),
        FaultKind(
            "partition",
            "network",
            "two hosts cannot reach each other; nothing is refused, nothing arrives",
            {"between": (_between, ("psp", "shop")), "for": (parse_duration, 60.0)},
        ),
        FaultKind(
            "latency",
            "network",
            "what two hosts say to each other takes longer",
            {
                "between": (_between, ("psp", "shop")),
                "by": (parse_duration, 2.0),
                "for": (parse_duration, 60.0),
            },
        ),
        FaultKind(
            "skew",
            "clock",
            "a clock is wrong: ahead, or behind where the time is negative",
            {
                "host": (_host, "shop"),
                "by": (_signed_duration, 120.0),
                "for": (parse_duration, 60.0),
            },
        ),
    )
}

ALL_FAULTS: dict[str, FaultKind] = VOCABULARY | WORLD_VOCABULARY


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """One fault of a scenario. ``start_s`` counts from the first order.

    ``document`` is what the provider's control API takes; ``fields`` are a world fault's own.
    """

    kind: str
    start_s: float = 0.0
    document: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_of_the_world(self) -> bool:
        """Tell whether only a simulated world can make it happen."""
        return self.kind in WORLD_VOCABULARY


def parse_planned_fault(line: Mapping[str, Any]) -> PlannedFault:
    """Check one ``[[faults]]`` table. Raises WrongUsage naming the key and what is allowed."""
    kind = line.get("kind")
    if not isinstance(kind, str) or kind not in ALL_FAULTS:
        raise WrongUsage(f"kind = {kind!r} is not a fault: use one of {', '.join(ALL_FAULTS)}")
    start_s = _read("start", parse_duration, line.get("start", 0))
    rest = {key: value for key, value in line.items() if key != "start"}
    if kind in WORLD_VOCABULARY:
        return PlannedFault(kind, start_s, fields=_world_fields(kind, rest))
    try:
        parse_fault(rest)
    except InvalidFault as problem:
        raise WrongUsage(str(problem)) from problem
    return PlannedFault(kind, start_s, document=rest)


def fields_of(kind: FaultKind) -> list[str]:
    """Return every key that a fault of this kind takes, for messages and docs."""
    has_chance = kind.name in VOCABULARY and kind.on != "provider"
    chance = ["probability", "times"] if has_chance else []
    return list(dict.fromkeys((*SELECTORS_ON.get(kind.on, ()), *kind.fields, *chance)))


def _world_fields(kind: str, line: Mapping[str, Any]) -> dict[str, Any]:
    known = WORLD_VOCABULARY[kind].fields
    for key in line:
        if key != "kind" and key not in known:
            raise WrongUsage(f"{key!r} is not a field of {kind}: use {', '.join(known)}")
    fields = {
        key: _read(key, parser, line[key]) if key in line else default
        for key, (parser, default) in known.items()
    }
    if fields.get("commits_lost") and fields["at"] is None:
        raise WrongUsage("commits_lost needs at: what is in a cache is known from its beginning on")
    return fields


def _read(key: str, parser: Any, value: object) -> Any:
    try:
        return parser(value)
    except ValueError as problem:
        raise WrongUsage(f"{key}: {problem}") from problem
