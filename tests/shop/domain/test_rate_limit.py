"""So many calls per second, and how long to wait."""

from shop.domain.rate_limit import TokenBucket


def test_twice_the_rate_may_come_at_once_then_each_has_to_wait_its_turn():
    bucket = TokenBucket(5.0)
    assert [bucket.take(100.0) for _ in range(10)] == [0.0] * 10
    assert bucket.take(100.0) == 0.2
    assert bucket.take(100.2) == 0.0
    assert bucket.take(100.2) > 0


def test_no_limit_lets_everything_through():
    assert {TokenBucket(0.0).take(1.0) for _ in range(1000)} == {0.0}


def test_a_clock_that_is_put_back_takes_nothing_away():
    bucket = TokenBucket(1.0)
    assert [bucket.take(moment) for moment in (100.0, 50.0)] == [0.0, 0.0]
    assert bucket.take(51.0) == 0.0
