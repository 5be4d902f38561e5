import pytest
from hypothesis import given
from hypothesis import strategies as st

from psp_sim.domain.duration import DURATION_S_MAX, format_duration, parse_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("250ms", 0.25),
        ("5s", 5),
        ("1.5s", 1.5),
        ("10m", 600),
        ("1h30m", 5400),
        ("3d", 259200),
        ("1d2h3m4s5ms", 93784.005),
        (5, 5),
        (0, 0),
        (0.25, 0.25),
    ],
)
def test_a_duration_is_read_as_people_write_it(written, seconds):
    assert parse_duration(written) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "5",
        "s",
        "5 s",
        "5x",
        "-5s",
        "5S",
        "1h 30m",
        ".5s",
        "5.s",
        True,
        None,
        [5],
        {},
        -1,
        -0.001,
        float("nan"),
    ],
)
def test_what_is_no_duration_is_refused_with_examples(written):
    with pytest.raises(ValueError, match='is not a duration: write "250ms", "5s"'):
        parse_duration(written)


def test_the_longest_duration_is_ten_years():
    assert parse_duration("3650d") == DURATION_S_MAX
    with pytest.raises(ValueError, match="write at most 3650d"):
        parse_duration("3650d1s")


@pytest.mark.parametrize(
    "written", ["9" * 400 + "s", "9" * 400 + "." + "9" * 400 + "ms", 1e300, float("inf")]
)
def test_a_duration_that_no_clock_could_hold_is_refused(written):
    with pytest.raises(ValueError, match="at most"):
        parse_duration(written)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0ms"),
        (0.25, "250ms"),
        (1, "1s"),
        (65.9, "1m5s"),
        (2105, "35m5s"),
        (3600, "1h"),
        (90061, "1d1h"),
        (273600, "3d4h"),
    ],
)
def test_a_duration_is_shown_by_its_two_largest_units(seconds, shown):
    assert format_duration(seconds) == shown


@given(st.floats(min_value=0, max_value=0.9999))
def test_less_than_a_second_is_never_shown_as_a_whole_number_of_seconds(seconds):
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, abs=0.00101)


@given(st.integers(min_value=1, max_value=10_000_000))
def test_what_is_shown_reads_back_as_no_more_than_it_was(seconds):
    read = parse_duration(format_duration(seconds))
    assert read <= seconds
    assert read > seconds * 0.95 - 1
