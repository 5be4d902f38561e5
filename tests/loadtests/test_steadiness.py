"""What counts as steady: memory and waiting times, early and late in a run."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from loadtests.memory_watch import watched_memory
from loadtests.steadiness import Change, changes, grown, waiting_times


def test_the_last_third_is_set_beside_the_first_and_the_warm_up_counts_for_neither() -> None:
    warm_up, early, between, late = [900.0], [1.0, 2.0, 3.0], [5.0] * 3, [6.0, 7.0, 8.0]
    assert changes({"shop": [*warm_up, *early, *between, *late]}, "MB") == [
        Change("shop", "MB", 2, 7)
    ]


def test_one_slow_moment_is_no_growth() -> None:
    values = [10.0] * 30
    values[-2] = 5_000
    [change] = changes({"POST /orders": values}, "ms")
    assert change.growth_percent == 0


def test_what_was_hardly_looked_at_says_nothing() -> None:
    assert changes({"shop": [1.0, 2.0], "provider": []}, "MB") == []


def test_growth_up_to_the_limit_is_allowed_and_above_it_is_told_with_both_figures() -> None:
    leak = Change("shop", "MB", 100, 126)
    assert grown([leak], 26) == []
    assert grown([Change("GET /orders/{id}", "ms", 1, 4)], 25) == []
    assert grown([leak, Change("provider", "MB", 100, 50)], 25) == [
        "shop grew by 26 % (100 → 126 MB), but may grow by 25 % at most."
    ]


def test_waiting_times_are_read_from_the_full_history_without_the_sum_of_all(
    tmp_path: Path,
) -> None:
    history = tmp_path / "history.csv"
    history.write_text(
        "Timestamp,Type,Name,50%\n1,POST,/orders,N/A\n1,,Aggregated,3\n2,POST,/orders,8\n3,POST,/orders,0\n",
        encoding="utf-8",
    )
    assert waiting_times(history) == {"POST /orders": [8.0]}


def test_memory_is_watched_while_the_run_lasts_and_a_process_that_has_gone_is_no_error() -> None:
    with watched_memory({"this": os.getpid(), "gone": 2**22 + 1}, run_s=1) as samples:
        give_up_at = time.monotonic() + 60
        while not samples["this"] and time.monotonic() < give_up_at:
            time.sleep(0.01)
    assert samples["this"][0] == pytest.approx(samples["this"][-1], rel=0.5)
    assert samples["this"][0] > 5
    assert samples["gone"] == []
