"""From TOML files to scenarios, or one line that names the file, the key and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from psp_sim.domain.duration import parse_duration
from scenarios.calendar import check_calendar
from scenarios.errors import WrongUsage
from scenarios.invariants import INVARIANTS
from scenarios.mutants import MUTANTS
from scenarios.read_toml import read_toml
from scenarios.scenario import STEPS, Scenario, Step
from scenarios.service_settings import check_provider_settings, check_shop_settings
from scenarios.situations import SITUATIONS
from scenarios.vocabulary import parse_planned_fault

CATALOGUE = Path(__file__).parent / "catalogue"

_KEYS = (
    "summary",
    "tags",
    "invariants",
    "catches",
    "needs",
    "orders",
    "order_gap",
    "chaos",
    "faults",
    "steps",
    "provider",
    "shop",
)


def load_catalogue() -> list[Scenario]:
    """Return every scenario of the catalogue, by name."""
    return [load_scenario(path) for path in sorted(CATALOGUE.glob("*.toml"))]


def select(wanted: Sequence[str]) -> list[Scenario]:
    """Return the scenarios that names, tags or files ask for; all of them for an empty list.

    Raises WrongUsage for a word that is none of these, and for two files of one name: reports know
    scenarios by name.
    """
    catalogue = load_catalogue()
    if not wanted:
        return catalogue
    chosen: dict[str, Scenario] = {}
    files: dict[str, Path] = {}
    for word in wanted:
        folder = Path(word).parent if word.endswith(".toml") else CATALOGUE
        if word.endswith(".toml"):
            found = [load_scenario(Path(word))]
        else:
            found = [s for s in catalogue if word == s.name or word in s.tags]
        if not found:
            tags = sorted({tag for scenario in catalogue for tag in scenario.tags})
            raise WrongUsage(
                f"{word!r} is no scenario, tag or .toml file; "
                f"`psp-scenarios list` shows the scenarios; tags: {', '.join(tags)}"
            )
        for scenario in found:
            file = (folder / f"{scenario.name}.toml").resolve()
            if files.setdefault(scenario.name, file) != file:
                raise WrongUsage(
                    f"{file} and {files[scenario.name]} are both called {scenario.name!r}: "
                    "rename one of them"
                )
            chosen[scenario.name] = scenario
    return list(chosen.values())


def load_scenario(path: Path) -> Scenario:
    """Read one file. Raises WrongUsage."""
    try:
        document = read_toml(path)
    except OSError as problem:
        raise WrongUsage(f"{path}: {problem}") from problem
    try:
        scenario = read_scenario(path.stem, document)
        _check_customers(scenario)
        return scenario
    except WrongUsage as problem:
        raise WrongUsage(f"{path}: {problem}") from problem


def read_scenario(name: str, document: Mapping[str, Any]) -> Scenario:
    """Check a document and return the scenario that it describes. Raises WrongUsage."""
    for key in document:
        if key not in _KEYS:
            raise WrongUsage(f"{key!r} is not a key of a scenario: use {', '.join(_KEYS)}")
    if not isinstance(document.get("summary"), str) or not document["summary"]:
        raise WrongUsage("summary is missing: say in one sentence what the scenario promises")
    scenario = Scenario(
        name=name,
        summary=document["summary"],
        tags=tuple(_words(document, "tags")),
        invariants=tuple(_known(document, "invariants", list(INVARIANTS))),
        catches=tuple(_known(document, "catches", list(MUTANTS))),
        needs=tuple(_known(document, "needs", list(SITUATIONS))),
        orders=_count(document, "orders", 2),
        order_gap_s=_duration(document, "order_gap", 1.0),
        chaos_s=_duration(document, "chaos", 60.0),
        faults=tuple(_faults(document)),
        steps=tuple(_step(table) for table in _tables(document, "steps")),
        provider=check_provider_settings(_table(document, "provider")),
        shop=check_shop_settings(_table(document, "shop")),
        source=document,
    )
    check_calendar(scenario)
    return scenario


def _faults(document: Mapping[str, Any]) -> list[Any]:
    faults = []
    for number, table in enumerate(_tables(document, "faults"), start=1):
        try:
            faults.append(parse_planned_fault(table))
        except WrongUsage as problem:
            raise WrongUsage(f"faults, number {number}: {problem}") from problem
    return faults


def _step(table: Mapping[str, Any]) -> Step:
    if not {"do", "at"} <= set(table) <= {"do", "at", "order", "share"}:
        raise WrongUsage("a step has the keys do and at, and may have order and share")
    if table["do"] not in STEPS:
        raise WrongUsage(f"do = {table['do']!r} is no step: use {', '.join(STEPS)}")
    share = table.get("share", 1.0)
    if not isinstance(share, int | float) or isinstance(share, bool) or not 0 < share <= 1:
        raise WrongUsage(f"share = {share!r} is not a number above 0 and up to 1")
    return Step(table["do"], _duration(table, "at", 0.0), _count(table, "order", 1), float(share))


def _check_customers(scenario: Scenario) -> None:
    """Refuse a step for a customer who never comes. A search may do without some of them."""
    for number, step in enumerate(scenario.steps, start=1):
        if step.order > scenario.orders:
            raise WrongUsage(
                f"steps, number {number}: order = {step.order} is beyond orders = {scenario.orders}"
            )


def _words(document: Mapping[str, Any], key: str) -> list[str]:
    value = document.get(key, [])
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise WrongUsage(f"{key} must be a list of words")
    return value


def _known(document: Mapping[str, Any], key: str, allowed: Sequence[str]) -> list[str]:
    words = _words(document, key)
    for word in words:
        if word not in allowed:
            raise WrongUsage(f"{word!r} in {key} is not known: use {', '.join(allowed)}")
    return words


def _count(document: Mapping[str, Any], key: str, default: int) -> int:
    value = document.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 10_000:
        raise WrongUsage(f"{key} = {value!r} is not a whole number from 1 to 10000")
    return value


def _duration(document: Mapping[str, Any], key: str, default: float) -> float:
    try:
        return parse_duration(document.get(key, default))
    except ValueError as problem:
        raise WrongUsage(f"{key}: {problem}") from problem


def _table(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key, {})
    if not isinstance(value, dict):
        raise WrongUsage(f"{key} must be a table, written [{key}]")
    return value


def _tables(document: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    value = document.get(key, [])
    if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
        raise WrongUsage(f"{key} must be tables, written [[{key}]]")
    return value
