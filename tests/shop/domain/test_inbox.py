"""Delays grow to a cap, and bad events are given up."""

from shop.domain.inbox import SetAside, TryAgain, after_failure
from shop.domain.retry import delay_after


def test_delays_double_up_to_the_cap():
    delays = [delay_after(n, first_s=1, cap_s=60) for n in range(1, 10)]
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_delay_after_very_many_attempts_is_still_the_cap():
    assert delay_after(10**9, first_s=1, cap_s=60) == 60


def test_a_bad_event_is_tried_again_later_and_set_aside_in_the_end():
    steps = [after_failure(n, now=100.0, attempts_max=3, first_s=1, cap_s=60) for n in (1, 2, 3, 4)]
    assert steps == [TryAgain(101.0), TryAgain(102.0), SetAside(), SetAside()]
