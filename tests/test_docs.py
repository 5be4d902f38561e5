"""What users can meet is documented: every setting, error, fault, route, invariant, command."""

from __future__ import annotations

import ast
import random
import re
from dataclasses import fields
from pathlib import Path

import httpx
import pytest
from starlette.routing import Route

import psp_sim.app
import shop.app
from psp_sim.domain.course_plan import METHODS
from psp_sim.domain.dialects import DIALECTS
from psp_sim.domain.errors import error_classes
from psp_sim.domain.event import EVENT_TYPES
from psp_sim.domain.payment import LIFECYCLE
from psp_sim.domain.presets import PRESETS
from psp_sim.domain.retry_schedule import SCHEDULES
from psp_sim.settings import Settings as ProviderSettings
from psp_sim.settings import environment_name, option_name
from scenarios.__main__ import _parser
from scenarios.invariants import INVARIANTS
from scenarios.marks import MARKS
from scenarios.mutants import MUTANTS
from scenarios.scenario import STEPS
from scenarios.scenario_files import load_catalogue
from scenarios.situations import SITUATIONS
from scenarios.vocabulary import ALL_FAULTS, fields_of
from shop.domain import errors as shop_errors
from shop.settings import Settings as ShopSettings
from shop.settings import documented
from sqlport import open_database

ROOT = Path(__file__).parent.parent


def _page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def _rows_of(page: str, word: str) -> str:
    """Return the table rows that begin with a word, or an empty text."""
    return "\n".join(line for line in page.splitlines() if line.startswith(f"| `{word}` |"))


@pytest.mark.parametrize("name", [f.name for f in fields(ProviderSettings) if f.metadata])
def test_every_setting_of_the_provider_is_documented(name: str) -> None:
    row = _rows_of(_page("settings"), option_name(name))
    assert environment_name(name) in row


@pytest.mark.parametrize("setting", documented(), ids=lambda setting: setting.name)
def test_every_setting_of_the_shop_is_documented(setting) -> None:
    assert setting.environment in _rows_of(_page("settings"), setting.option)


@pytest.mark.parametrize("error", error_classes(), ids=lambda error: error.__name__)
def test_every_error_of_the_provider_is_documented(error) -> None:
    assert _rows_of(_page("errors"), error.code)


@pytest.mark.parametrize("line", LIFECYCLE, ids=lambda line: f"{line.before}-{line.trigger}")
def test_every_move_of_a_payment_is_documented(line) -> None:
    row = f"| `{line.before}` | {line.meaning} | `{line.after}` | `payment.{line.after}` |"
    assert row in _page("payments").splitlines()


def test_no_move_of_a_payment_is_documented_that_it_does_not_make() -> None:
    rows = re.findall(r"^\| `\w+` \| .* \| `payment\.\w+` \|$", _page("payments"), re.MULTILINE)
    assert len(rows) == len(LIFECYCLE)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_every_type_of_event_is_documented(event_type: str) -> None:
    is_first = event_type == "payment.requires_action"
    assert f"`{event_type.removeprefix('payment.') if is_first else event_type}`" in _page(
        "payments"
    )


@pytest.mark.parametrize("name", METHODS)
def test_every_payment_method_is_documented(name: str) -> None:
    assert METHODS[name].meaning in _rows_of(_page("payments"), name)


def _shop_error_codes() -> list[str]:
    found = [error for error in vars(shop_errors).values() if isinstance(error, type)]
    codes = {error.code for error in found if isinstance(getattr(error, "code", None), str)}
    assert codes, "the shop's errors carry codes"
    return sorted(codes)


@pytest.mark.parametrize("code", _shop_error_codes())
def test_every_error_of_the_shop_is_documented(code: str) -> None:
    assert _rows_of(_page("errors"), code)


@pytest.mark.parametrize("kind", ALL_FAULTS.values(), ids=lambda kind: kind.name)
def test_every_fault_is_documented_with_its_fields(kind) -> None:
    row = _rows_of(_page("faults"), kind.name)
    assert row
    for name in fields_of(kind):
        assert f"`{name}`" in row or name in ("probability", "times"), name


@pytest.mark.parametrize(
    ("page", "word"),
    [
        *(("routes", name) for name in DIALECTS),
        *(("settings", name) for name in SCHEDULES),
        *(("faults", name) for name in PRESETS),
    ],
)
def test_every_dialect_schedule_and_preset_is_documented(page: str, word: str) -> None:
    assert _rows_of(_page(page), word)


@pytest.mark.parametrize("invariant", INVARIANTS.values(), ids=lambda invariant: invariant.name)
def test_every_invariant_is_documented_with_its_promise(invariant) -> None:
    assert invariant.promise in _rows_of(_page("invariants"), invariant.name)


@pytest.mark.parametrize("mark", MARKS.values(), ids=lambda mark: mark.name)
def test_every_coverage_mark_is_documented(mark) -> None:
    assert mark.summary in _rows_of(_page("self-checks"), mark.name)


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=lambda mutant: mutant.name)
def test_every_mutant_is_documented(mutant) -> None:
    assert mutant.bug in _rows_of(_page("invariants"), mutant.name)


@pytest.mark.parametrize("scenario", load_catalogue(), ids=lambda scenario: scenario.name)
def test_every_scenario_is_documented_with_its_promise(scenario) -> None:
    assert scenario.summary in _rows_of(_page("scenarios"), scenario.name)


@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_documented(step: str) -> None:
    assert _rows_of(_page("scenarios"), step)


@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=lambda situation: situation.name)
def test_every_situation_is_documented(situation) -> None:
    assert situation.summary in _rows_of(_page("scenarios"), situation.name)


async def _routes() -> list[str]:
    database = await open_database("sqlite:///:memory:")
    ports = {
        "database": database,
        "clock": None,
        "random": random.Random(1),
        "transport": httpx.MockTransport(lambda _: httpx.Response(200)),
    }
    provider = psp_sim.app.create_app(ProviderSettings(api_key="k"), **ports)
    merchant = shop.app.create_app(ShopSettings(psp_key="k", public_url="http://s"), **ports)
    await database.close()
    return [
        f"{method} {route.path}"
        for app in (provider, merchant)
        for route in app.routes
        if isinstance(route, Route)
        for method in sorted(route.methods or ())
        if method != "HEAD"
    ]


async def test_every_route_is_documented() -> None:
    page = _page("routes")
    missing = [route for route in await _routes() if not _rows_of(page, route)]
    assert not missing


def test_every_command_and_option_of_the_harness_is_documented() -> None:
    page = _page("commands")
    commands = next(
        action.choices for action in _parser()._actions if isinstance(action.choices, dict)
    )
    for name, parser in commands.items():
        assert f"psp-scenarios {name}" in page
        parser.declare()
        assert len(parser._actions) > 1, name
        for action in parser._actions:
            for option in action.option_strings:
                assert option.startswith("-h") or option == "--help" or f"`{option}" in page, option


def test_every_word_of_the_makefile_is_documented() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    words = re.findall(r"^([a-z]+):(?!=)", makefile, re.MULTILINE)
    page = _page("commands")
    assert words
    for word in words:
        assert f"`make {word}`" in page, word


def test_every_page_is_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for page in sorted((ROOT / "docs").glob("*.md")):
        assert f"docs/{page.name}" in readme, page.name


def test_the_files_that_the_flow_names_exist() -> None:
    named = re.findall(r"`((?:psp_sim|shop|scenarios|sqlport)/[\w/]+\.py)`", _page("flow"))
    assert named
    for path in named:
        assert (ROOT / path).is_file(), path


def test_every_dependency_has_its_reason() -> None:
    page = _page("design")
    for file in (ROOT / "pyproject.toml", ROOT / "packaging" / "psp-sim" / "pyproject.toml"):
        block = re.search(r"^dependencies = \[(.*?)^\]", file.read_text(), re.MULTILINE | re.DOTALL)
        assert block, file
        for requirement in ast.literal_eval(f"[{block[1]}]"):
            name = re.split(r"[<>=;\[ ]", requirement)[0]
            assert f"`{name}`" in page or name == "psp-sim", name
