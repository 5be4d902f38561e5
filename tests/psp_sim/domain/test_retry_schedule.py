from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psp_sim.domain.delivery import Delivered, Exhausted, Waiting, WebhookAnswer, after_attempt
from psp_sim.domain.retry_schedule import JITTER, SCHEDULES, parse_schedule

# Standard Webhooks 1.0.0, "Deliverability and reliability": offsets from the first attempt.
STANDARD_OFFSETS_S = [
    5, 305, 2105, 9305, 27305, 63305, 113705, 185705, 272105,
]  # fmt: skip


def test_the_standard_schedule_is_the_ten_attempts_of_the_specification():
    standard = SCHEDULES["standard"]
    assert standard.attempts_max == 10
    assert list(accumulate(standard.delays_s)) == STANDARD_OFFSETS_S


def test_without_a_schedule_there_is_one_attempt():
    assert SCHEDULES["none"].attempts_max == 1
    assert SCHEDULES["none"].delay_after_s(1, 0.5) is None


def test_the_middle_of_the_jitter_is_the_plain_delay():
    assert [SCHEDULES["standard"].delay_after_s(n, 0.5) for n in (1, 2, 9, 10)] == [
        5.0, 300.0, 86400.0, None,
    ]  # fmt: skip


@given(
    st.integers(min_value=1, max_value=9),
    st.floats(min_value=0, max_value=1, exclude_max=True),
)
def test_jitter_stays_within_a_tenth_and_reaches_both_ends(attempt, fraction):
    standard = SCHEDULES["standard"]
    plain_s = standard.delays_s[attempt - 1]
    delay_s = standard.delay_after_s(attempt, fraction)
    assert plain_s * (1 - JITTER) <= delay_s <= plain_s * (1 + JITTER)
    assert standard.delay_after_s(attempt, 0.0) == pytest.approx(plain_s * 0.9)
    assert standard.delay_after_s(attempt, 0.999999) == pytest.approx(plain_s * 1.1, rel=1e-5)


def test_a_list_of_delays_is_a_schedule():
    schedule = parse_schedule("5s,1m,1h30m")
    assert schedule.delays_s == (5.0, 60.0, 5400.0)
    assert parse_schedule("standard") is SCHEDULES["standard"]
    assert parse_schedule(["5s", 60, "1h30m"]).delays_s == (5.0, 60.0, 5400.0)


@pytest.mark.parametrize("written", ["", "daily", "5s,", "5s,soon", "5s 1m", 5, None, True, ["x"]])
def test_what_is_no_schedule_is_refused_with_what_is_allowed(written):
    with pytest.raises(
        ValueError, match=r"use standard, svix, .*stripe-like, none, or a list of delays like 5s,1m"
    ):
        parse_schedule(written)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_only_a_status_of_2xx_is_success(status):
    answer = WebhookAnswer(status)
    assert after_attempt(SCHEDULES["standard"], 1, answer, 0.0, 0.5) == Delivered()


@pytest.mark.parametrize("status", [None, 100, 199, 300, 301, 304, 400, 404, 500, 503])
def test_any_other_answer_is_tried_again_until_the_schedule_ends(status):
    answer = WebhookAnswer(status, None if status else "no answer")
    standard = SCHEDULES["standard"]
    assert after_attempt(standard, 1, answer, 100.0, 0.5) == Waiting(105.0)
    assert after_attempt(standard, 10, answer, 100.0, 0.5) == Exhausted()
