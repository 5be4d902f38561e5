"""Something befalls the shop's endpoint: who has to mend it, and when it is mended."""

from __future__ import annotations

import pytest

from scenarios.endpoints import NOBODY, has_to_mend, what_is_wrong
from scenarios.mutants import CORRECT
from scenarios.run_suite import SIMULATED, Task, run_task
from scenarios.scenario import MISDIRECT, REMOVE, Scenario, Step
from scenarios.scenario_files import select
from scenarios.verdict import InvariantResult
from shop.settings import Settings

GOOD = {"id": "we_1", "status": "enabled", "url": "http://shop:8081/webhooks/psp"}
DISABLED = GOOD | {"id": "we_2", "status": "disabled"}


def _played(name: str, shop: str) -> InvariantResult:
    (scenario,) = select([name])
    run = run_task(Task(scenario, 1, SIMULATED, shop))
    return next(each for each in run.invariants if each.name == "endpoint_is_mended")


def test_one_good_endpoint_is_enough() -> None:
    """A shop may also register another one."""
    assert what_is_wrong([GOOD, DISABLED]) is None
    assert what_is_wrong([DISABLED, GOOD]) is None


@pytest.mark.parametrize(
    ("endpoints", "said"),
    [
        ([], "has no endpoint of the shop"),
        ([DISABLED], "nobody called POST /v1/webhook_endpoints/we_2/enable"),
        ([GOOD | {"url": NOBODY}], f"points to {NOBODY}, and nobody put that right"),
    ],
)
def test_what_keeps_webhooks_from_coming_is_told(endpoints: list[dict], said: str) -> None:
    assert said in str(what_is_wrong(endpoints))


@pytest.mark.parametrize(
    ("changes", "tracking", "expected"),
    [
        ({"provider": {"disable_after_failures": 2}}, "webhooks+reconciliation", True),
        ({"provider": {"disable_after": "1h"}}, "webhooks+reconciliation", True),
        ({"steps": (Step(MISDIRECT, 1.0),)}, "webhooks+reconciliation", True),
        ({"steps": (Step(REMOVE, 1.0),)}, "webhooks+reconciliation", True),
        ({}, "webhooks+reconciliation", False),
        ({"steps": (Step(MISDIRECT, 1.0),)}, "webhooks", False),
        ({"steps": (Step(MISDIRECT, 1.0),)}, "polling", False),
    ],
)
def test_only_a_shop_that_looks_after_its_endpoint_has_to_mend_it(
    changes: dict, tracking: str, expected: bool
) -> None:
    scenario = Scenario("one", "A promise.", (), (), **changes)
    assert has_to_mend(scenario, Settings(tracking=tracking)) is expected


@pytest.mark.parametrize("name", ["disabled_endpoint", "misdirected_endpoint", "removed_endpoint"])
def test_the_correct_shop_mends_what_the_one_that_forgets_leaves_broken(name: str) -> None:
    mended, left = _played(name, CORRECT), _played(name, "registers_and_forgets")
    assert (mended.verdict, mended.evaluated) == ("held", 1)
    assert (left.verdict, left.evaluated) == ("broken", 1)


def test_where_nothing_befalls_the_endpoint_nothing_is_proven() -> None:
    assert _played("calm", CORRECT).evaluated == 0
