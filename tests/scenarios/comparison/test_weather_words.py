"""Each weather is told in a sentence that is made from its faults."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from psp_sim.domain.faults import VOCABULARY, parse_fault
from psp_sim.domain.presets import PRESETS
from scenarios.comparison.compare import DEFAULT_FAULTS, Result, Run, watch_run
from scenarios.comparison.document import comparison_document
from scenarios.comparison.page import page_of
from scenarios.comparison.strategies import STRATEGIES
from scenarios.comparison.terminal import show_comparison
from scenarios.comparison.weather import weather_named
from scenarios.comparison.weather_words import NOTHING, meaning_of
from scenarios.comparison.workload import Workload

DOCUMENT = Path(__file__).parents[3] / "docs" / "comparison.md"


def meaning(name: str) -> str:
    return weather_named(name, 1.0).meaning


@pytest.fixture(scope="module")
def played() -> list[Result]:
    workload = Workload(10, 1)
    return [watch_run(Run(STRATEGIES[0], workload, weather_named("blackout", workload.window_s)))]


def test_that_a_blackout_also_loses_webhooks_after_the_outage_is_said() -> None:
    said = meaning("blackout")
    assert "the provider is away for 5m" in said
    assert "from then on until five minutes after the last customer, the first 2 attempts" in said
    assert said.endswith("at each webhook never arrive")


def test_every_share_and_delay_of_flaky_weather_is_said() -> None:
    said = meaning("flaky")
    assert said.count(" %") == len(PRESETS["flaky"])
    assert "20 % come late (exponential, mean 10s)" in said
    assert "5 % of questions to the provider get the answer 503" in said


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_told_without_a_word_of_the_vocabulary(name: str) -> None:
    said = meaning(name)
    assert (said == NOTHING) == (not PRESETS[name])
    assert "{" not in said
    assert "_" not in said


def test_a_fault_without_a_phrase_of_its_own_is_told_as_the_vocabulary_tells_it() -> None:
    said = meaning_of([parse_fault({"kind": "slow_body"})])
    assert said == f"slow_body: {VOCABULARY['slow_body'].sees}"


def test_terminal_page_and_json_say_what_the_weather_is(played: list[Result]) -> None:
    said = meaning("blackout")
    document = comparison_document(played, [], 1, "sim")
    assert document["weathers"][0]["meaning"] == said
    assert said[1:] in page_of(played, [], document)
    written = StringIO()
    show_comparison(Console(file=written, width=1000), played, [], "10 payments")
    assert said in written.getvalue()


@pytest.mark.parametrize("name", DEFAULT_FAULTS)
def test_the_documentation_has_the_same_sentences(name: str) -> None:
    assert f"| {name} | {meaning(name)} |" in DOCUMENT.read_text(encoding="utf-8")
