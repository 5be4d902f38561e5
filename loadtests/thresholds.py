"""Thresholds from a file and a run's figures come in; a sentence for each one crossed goes out."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any


class WrongThresholds(Exception):
    """The file cannot be used; the text says what to change in it."""


@dataclass(frozen=True)
class Threshold:
    """What one kind of request has to keep to in the suites that make it.

    ``request`` is its type and name, as the table shows them; None sets no limit.
    """

    request: str
    suites: tuple[str, ...]
    count_min: float | None = None
    per_second_min: float | None = None
    failed_percent_max: float | None = None
    p50_ms_max: float | None = None
    p95_ms_max: float | None = None
    p99_ms_max: float | None = None


@dataclass(frozen=True)
class SoakLimits:
    """How much a figure of a soak's last third may exceed that of its first, in percent.

    None sets no limit.
    """

    memory_growth_percent_max: float | None = None
    p50_growth_percent_max: float | None = None


@dataclass(frozen=True)
class Thresholds:
    """A whole file."""

    requests: tuple[Threshold, ...]
    soak: SoakLimits


_LIMITS = tuple(f.name for f in fields(Threshold) if f.name.endswith(("_min", "_max")))
_SOAK_LIMITS = tuple(f.name for f in fields(SoakLimits))


def read_thresholds(path: Path, suites: Sequence[str]) -> Thresholds:
    """Read a TOML file of ``[[threshold]]`` tables and a ``[soak]``. Raises WrongThresholds."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise WrongThresholds(f"cannot read the thresholds in {path}: {problem}") from problem
    tables = document.get("threshold")
    if not isinstance(tables, list) or not set(document) <= {"threshold", "soak"}:
        raise WrongThresholds(f"{path} must hold [[threshold]] tables, a [soak], and nothing else")
    try:
        requests = tuple(_threshold(table, suites) for table in tables)
        return Thresholds(requests, _soak_limits(document.get("soak", {})))
    except WrongThresholds as problem:
        raise WrongThresholds(f"{path}: {problem}") from problem


def crossed(
    thresholds: Sequence[Threshold], suite: str, requests: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return a sentence for each limit that the run did not keep to; none when it kept to all.

    A request that was never made keeps to no limit: its figures would be made up.
    """
    by_name = {f"{one['type']} {one['name']}": one for one in requests}
    found = []
    for threshold in thresholds:
        if suite not in threshold.suites:
            continue
        figures = by_name.get(threshold.request)
        if figures is None or not figures["count"]:
            found.append(f"{threshold.request} was never measured.")
        else:
            found += _over(threshold, figures)
    return found


def _over(threshold: Threshold, figures: Mapping[str, Any]) -> list[str]:
    measured = {**figures, "failed_percent": 100 * figures["failures"] / figures["count"]}
    found = []
    for limit_name in _LIMITS:
        limit = getattr(threshold, limit_name)
        name, is_least = limit_name[: -len("_max")], limit_name.endswith("_min")
        if limit is None:
            continue
        value = measured[name]
        if value < limit if is_least else value > limit:
            bound = "at least" if is_least else "at most"
            what = f"{threshold.request}: {name} is {value:,.1f}"
            found.append(f"{what}, but must be {bound} {limit:,g}.")
    return found


def _threshold(table: Any, suites: Sequence[str]) -> Threshold:
    if not isinstance(table, dict) or not isinstance(table.get("request"), str):
        raise WrongThresholds('each [[threshold]] needs request = "TYPE NAME"')
    limits = {name: value for name, value in table.items() if name not in ("request", "suites")}
    _require_numbers(limits, _LIMITS)
    wanted = table.get("suites", list(suites))
    if not isinstance(wanted, list) or not set(wanted) <= set(suites):
        raise WrongThresholds(f"suites = {wanted!r} must be a list of {', '.join(suites)}")
    return Threshold(table["request"], tuple(wanted), **limits)


def _soak_limits(table: Any) -> SoakLimits:
    if not isinstance(table, dict):
        raise WrongThresholds("soak must be a table: write [soak]")
    _require_numbers(table, _SOAK_LIMITS)
    return SoakLimits(**table)


def _require_numbers(limits: Mapping[str, Any], known: Sequence[str]) -> None:
    for name, value in limits.items():
        if name not in known:
            raise WrongThresholds(f"{name!r} is no limit: use {', '.join(known)}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise WrongThresholds(f"{name} = {value!r} is not a number")
