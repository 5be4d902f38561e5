"""Thresholds: which figures cross which, and what is wrong with a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.locust_run import SUITES
from loadtests.run_load import THRESHOLDS
from loadtests.thresholds import Threshold, WrongThresholds, crossed, read_thresholds

ORDERS = {
    "type": "POST",
    "name": "/orders",
    "count": 200,
    "failures": 2,
    "per_second": 40.0,
    "p50_ms": 8.0,
    "p95_ms": 20.0,
    "p99_ms": 31.0,
}


def _crossed(**limits: float) -> list[str]:
    return crossed([Threshold("POST /orders", ("buyers",), **limits)], "buyers", [ORDERS])


@pytest.mark.parametrize(
    "limits",
    [
        {"count_min": 200},
        {"failed_percent_max": 1},
        {"per_second_min": 40, "p50_ms_max": 8, "p95_ms_max": 20, "p99_ms_max": 31},
    ],
)
def test_a_limit_that_is_just_kept_to_is_kept_to(limits: dict[str, float]) -> None:
    assert _crossed(**limits) == []


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"count_min": 201}, "count is 200.0, but must be at least 201"),
        ({"failed_percent_max": 0.9}, "failed_percent is 1.0, but must be at most 0.9"),
        ({"per_second_min": 41}, "per_second is 40.0, but must be at least 41"),
        ({"p95_ms_max": 19}, "p95_ms is 20.0, but must be at most 19"),
    ],
)
def test_a_limit_that_is_crossed_is_told_with_both_numbers(
    limits: dict[str, float], told: str
) -> None:
    [sentence] = _crossed(**limits)
    assert sentence == f"POST /orders: {told}."


def test_what_was_never_measured_keeps_to_nothing() -> None:
    threshold = Threshold("POST /orders", ("buyers",), p95_ms_max=1e9)
    assert crossed([threshold], "buyers", []) == ["POST /orders was never measured."]
    assert crossed([threshold], "webhooks", []) == []


def test_the_thresholds_that_come_along_can_be_read_and_cover_every_suite() -> None:
    thresholds = read_thresholds(THRESHOLDS, tuple(SUITES))
    assert {suite for each in thresholds.requests for suite in each.suites} == set(SUITES)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "must hold"),
        ("a = 1", "must hold"),
        ("threshold = []\nsoak = 1", "must be a table"),
        ("threshold = []\n[soak]\np99 = 1", "'p99' is no limit: use memory_growth_percent_max"),
        ("threshold = []\n[soak]\np50_growth_percent_max = true", "is not a number"),
        ("[[threshold]]\nrequest =", "cannot read"),
        ("[[threshold]]\np95_ms_max = 1", "needs request"),
        ('[[threshold]]\nrequest = "a"\np96_ms_max = 1', "'p96_ms_max' is no limit: use count_min"),
        ('[[threshold]]\nrequest = "a"\np95_ms_max = "1"', "is not a number"),
        ('[[threshold]]\nrequest = "a"\nsuites = ["x"]', "must be a list of buyers"),
    ],
)
def test_a_mistake_in_the_file_is_told_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "thresholds.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(WrongThresholds, match=told):
        read_thresholds(path, tuple(SUITES))
