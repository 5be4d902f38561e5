"""What the documentation says is shown somewhere is shown there."""

import ast
import re
from pathlib import Path

import pytest

from shop.domain import errors
from shop.domain.errors import ShopError, WebhookRefused

ROOT = Path(__file__).parents[2]
CONSIDERATIONS = (
    "missed callbacks",
    "secure receipt",
    "validation",
    "fast acknowledgement through a queue",
    "status codes",
    "gateway rules",
    "authenticity",
    "correct URL registration",
    "idempotency",
)
# What a webhook may be answered with beside a refusal of its own kind.
OTHER_ANSWERS = (
    errors.BodyTooLarge,
    errors.BodyTooSlow,
    errors.DatabaseUnavailable,
    errors.MalformedRequest,
    errors.NotJson,
    errors.SecretNotKnownYet,
    errors.TooManyWebhooks,
)


def rows():
    """The cells of each consideration's row, by its name."""
    text = (ROOT / "docs" / "considerations.md").read_text(encoding="utf-8")
    table = text.split("## Shown at length")[0]
    cells = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return {row[0]: row for row in cells[1:]}


def in_ticks(cell):
    return re.findall(r"`([^`]+)`", cell)


def test_none_of_the_considerations_is_missing():
    assert tuple(rows()) == CONSIDERATIONS


@pytest.mark.parametrize("name", CONSIDERATIONS)
def test_the_code_the_tests_and_the_scenarios_that_are_named_exist(name):
    _, _, code, tests, scenarios = rows()[name]
    assert in_ticks(code)
    assert in_ticks(tests)
    assert in_ticks(scenarios)
    for path in in_ticks(code):
        assert (ROOT / path).is_file(), path
    for test in in_ticks(tests):
        path, function = test.split("::")
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        defined = (ast.AsyncFunctionDef, ast.FunctionDef)
        names = {node.name for node in ast.walk(tree) if isinstance(node, defined)}
        assert function in names, test
    for scenario in in_ticks(scenarios):
        assert (ROOT / "scenarios" / "catalogue" / f"{scenario}.toml").is_file(), scenario


def answers():
    """(status, code) of each row that says what a webhook is answered."""
    text = (ROOT / "docs" / "shop.md").read_text(encoding="utf-8")
    section = text.split("## What a webhook is answered")[1].split("\n## ")[0]
    return set(re.findall(r"^\| (\d{3}) \| `(\w+)` \|", section, re.MULTILINE))


def refusals():
    found = [error for error in vars(errors).values() if isinstance(error, type)]
    return [error for error in found if issubclass(error, WebhookRefused) and "code" in vars(error)]


def test_every_refusal_of_a_webhook_is_in_the_table_with_its_status():
    wanted = {(str(error.status), error.code) for error in (*refusals(), *OTHER_ANSWERS)}
    assert len(wanted) == len(refusals()) + len(OTHER_ANSWERS)
    assert answers() == wanted | {("500", ShopError.code)}
