"""The profiles of real providers, against what each of them publishes."""

from itertools import accumulate, pairwise

import pytest

from psp_sim.domain.delivery import Gone, Waiting, WebhookAnswer, after_attempt, retry_after_s
from psp_sim.domain.retry_schedule import SCHEDULES, parse_schedule

MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86400.0

# docs.mollie.com: offsets from the first call.
MOLLIE_OFFSETS_S = [
    *(minutes * MINUTE_S for minutes in (1, 3, 7, 15, 31)),
    *(hours * HOUR_S for hours in (1, 2, 4, 26)),
]


def offsets_s(name):
    return list(accumulate(SCHEDULES[name].delays_s))


def test_mollie_calls_ten_times_within_26_hours():
    assert offsets_s("mollie") == MOLLIE_OFFSETS_S


def test_svix_tries_eight_times_within_28_hours():
    assert SCHEDULES["svix"].attempts_max == 8
    assert offsets_s("svix")[-1] == pytest.approx(27.6 * HOUR_S, rel=0.01)
    assert SCHEDULES["svix"].jitter == 0.2


def test_square_retries_eleven_times_in_about_a_day():
    assert SCHEDULES["square"].attempts_max == 12
    assert offsets_s("square")[-1] == pytest.approx(DAY_S, rel=0.01)


def test_adyen_goes_on_for_thirty_days():
    offsets = offsets_s("adyen")
    assert offsets[:4] == [9, 18, 27, 147]
    assert 30 * DAY_S - 8 * HOUR_S < offsets[-1] <= 30 * DAY_S


def test_shopify_retries_eight_times_in_four_hours():
    assert SCHEDULES["shopify"].attempts_max == 9
    assert offsets_s("shopify")[-1] == pytest.approx(4 * HOUR_S)


@pytest.mark.parametrize("name", ["shopify", "stripe-like"])
def test_an_assumed_shape_is_exponential(name):
    assert {later / earlier for earlier, later in pairwise(SCHEDULES[name].delays_s)} == {2.0}


def test_stripe_like_ends_within_three_days():
    assert 2.5 * DAY_S < offsets_s("stripe-like")[-1] <= 3 * DAY_S


@pytest.mark.parametrize(
    "written", ["svix", "5s,1m", ["5s", 60], {"delays": ["5s"], "jitter": 0}, "none"]
)
def test_a_schedule_can_be_stored_and_read_back(written):
    schedule = parse_schedule(written)
    assert parse_schedule(schedule.as_document()) == schedule


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"delays": "5s"},
        {"delays": ["5s"], "jitter": 2},
        {"delays": ["5s"], "jitter": True},
        {"delays": ["5s"], "times": 1},
        {"delays": ["1s"] * 500},
    ],
)
def test_a_table_that_is_no_schedule_is_refused(table):
    with pytest.raises(ValueError, match="is not a retry schedule"):
        parse_schedule(table)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("9" * 40, 999_999_999_999.0),
        ("Thu, 01 Jan 1970 00:20:00 GMT", 200.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header, expected):
    assert retry_after_s(header, 1000.0) == expected


def test_gone_is_gone_even_with_attempts_left():
    assert after_attempt(SCHEDULES["standard"], 1, WebhookAnswer(410), 0.0, 0.5) == Gone()


def test_retry_after_is_stretched_by_the_time_scale_like_all_delays():
    answer = WebhookAnswer(503, retry_after="2")
    schedule = parse_schedule(["100s"])
    assert after_attempt(schedule, 1, answer, 0.0, 0.5, 60.0) == Waiting(120.0)


@pytest.mark.parametrize("status", [429, 502, 504])
@pytest.mark.parametrize(
    ("delay", "retry_after", "expected"),
    [
        ("5s", None, 60.0),
        ("5s", "1", 60.0),
        ("5s", "1000", 60.0),
        ("40s", "70", 70.0),
        ("40s", "1000", 80.0),
        ("100s", "1", 100.0),
        ("100s", "1000", 200.0),
    ],
)
def test_who_asks_for_more_time_after_being_overrun_is_never_called_sooner(
    status, delay, retry_after, expected
):
    answer = WebhookAnswer(status, retry_after=retry_after)
    schedule = parse_schedule({"delays": [delay], "jitter": 0})
    assert after_attempt(schedule, 1, answer, 0.0, 0.5) == Waiting(expected)
