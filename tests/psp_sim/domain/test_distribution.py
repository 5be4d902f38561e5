import random
import statistics

import pytest

from psp_sim.domain.distribution import DISTRIBUTIONS, fixed, parse_delay
from psp_sim.domain.duration import DURATION_S_MAX

WRITTEN = {
    "fixed": {"value": "5s"},
    "uniform": {"minimum": "1s", "maximum": "3s"},
    "normal": {"mean": "10s", "deviation": "1s"},
    "lognormal": {"median": "10s", "sigma": 0.5},
    "exponential": {"mean": "10s"},
    "pareto": {"minimum": "2s", "alpha": 3},
}
# Name → the median of the distribution as it is written above.
MEDIANS_S = {
    "fixed": 5.0,
    "uniform": 2.0,
    "normal": 10.0,
    "lognormal": 10.0,
    "exponential": 6.93,
    "pareto": 2.52,
}


def draws(delay, count=4000):
    source = random.Random(1)
    return [delay.draw(source) for _ in range(count)]


def test_every_distribution_is_tested_here():
    assert list(WRITTEN) == list(MEDIANS_S) == list(DISTRIBUTIONS)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_distribution_has_the_median_that_its_parameters_say(name):
    drawn = draws(parse_delay({"distribution": name, **WRITTEN[name]}))
    assert statistics.median(drawn) == pytest.approx(MEDIANS_S[name], rel=0.06)


def test_bounds_and_spread_follow_the_parameters():
    uniform = draws(parse_delay({"distribution": "uniform", **WRITTEN["uniform"]}))
    assert 1 <= min(uniform) < 1.01
    assert 2.99 < max(uniform) <= 3
    pareto = draws(parse_delay({"distribution": "pareto", **WRITTEN["pareto"]}))
    assert 2 <= min(pareto) < 2.01
    normal = draws(parse_delay({"distribution": "normal", **WRITTEN["normal"]}))
    assert statistics.stdev(normal) == pytest.approx(1, rel=0.05)


def test_a_plain_duration_is_always_the_same():
    assert parse_delay("5s") == fixed(5.0)
    assert parse_delay(0.5) == fixed(0.5)
    assert set(draws(parse_delay("5s"), 10)) == {5.0}


def test_a_draw_is_never_negative():
    drawn = draws(parse_delay({"distribution": "normal", "mean": "0s", "deviation": "1s"}))
    assert min(drawn) == 0.0


@pytest.mark.parametrize(
    "written",
    [
        {"distribution": "pareto", "minimum": "1s", "alpha": 0.0001},
        {"distribution": "lognormal", "median": "1s", "sigma": 1000},
        {"distribution": "exponential", "mean": "3000d"},
    ],
)
def test_a_heavy_tail_ends_at_the_longest_duration(written):
    drawn = draws(parse_delay(written))
    assert max(drawn) == DURATION_S_MAX


@pytest.mark.parametrize("name", ["exponential", "lognormal"])
def test_a_typical_value_of_zero_gives_next_to_no_delay(name):
    key = {"exponential": "mean", "lognormal": "median"}[name]
    written = WRITTEN[name] | {"distribution": name, key: 0}
    assert max(draws(parse_delay(written), 100)) < 1e-6


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ({}, "None is not a distribution: use one of fixed, uniform, normal, lognormal"),
        ({"distribution": "zipf"}, "'zipf' is not a distribution"),
        ({"distribution": ["fixed"]}, "is not a distribution"),
        ({"distribution": "uniform", "minimum": "1s"}, "takes exactly minimum and maximum"),
        ({"distribution": "fixed", "value": 1, "mean": 1}, "takes exactly value"),
        ({"distribution": "exponential", "mean": "soon"}, "'soon' is not a duration"),
        ({"distribution": "lognormal", "median": 1, "sigma": 0}, "sigma is a number above 0"),
        ({"distribution": "lognormal", "median": 1, "sigma": True}, "sigma is a number above 0"),
        ({"distribution": "pareto", "minimum": 1, "alpha": "3"}, "alpha is a number above 0"),
        ({"distribution": "pareto", "minimum": 1, "alpha": float("nan")}, "alpha is a number"),
        ({"distribution": "pareto", "minimum": 1, "alpha": float("inf")}, "alpha is a number"),
        ({"distribution": "uniform", "minimum": "3s", "maximum": "1s"}, "minimum is above"),
        ("soon", "'soon' is not a duration"),
        (None, "None is not a duration"),
    ],
)
def test_what_is_no_delay_is_refused_with_what_is_allowed(written, complaint):
    with pytest.raises(ValueError, match=complaint):
        parse_delay(written)


def test_a_generator_is_made_only_where_chance_has_a_part():
    def no_generator():
        raise AssertionError("a fixed delay needs no chance")

    assert fixed(2.5).draw_from(no_generator) == fixed(2.5).draw(random.Random(1)) == 2.5
    spread = parse_delay({"distribution": "uniform", "minimum": 0, "maximum": 9})
    assert spread.draw_from(lambda: random.Random(1)) == spread.draw(random.Random(1))
