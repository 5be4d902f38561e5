"""Settings: which source counts, and one clear sentence for each that is wrong."""

from dataclasses import fields

import pytest

from psp_sim.domain.distribution import fixed
from psp_sim.domain.duration import DURATION_S_MAX
from psp_sim.domain.event import iso_timestamp
from psp_sim.domain.retry_schedule import SCHEDULES
from psp_sim.settings import (
    TIME_SCALE_MIN,
    Settings,
    environment_name,
    option_name,
    parsed_settings,
)

BAD = [
    ("host", "", "'' is not a text"),
    ("host", 7, "7 is not a text"),
    ("port", "banana", "'banana' is not a whole number"),
    ("port", "70000", "'70000' is not a port from 0 to 65535"),
    ("port", -1, "-1 is not a port"),
    ("port", 80.5, "80.5 is not a whole number"),
    ("port", True, "True is not a whole number"),
    ("port", [8080], "[8080] is not a whole number"),
    ("database", "", "'' is not a text"),
    ("api_key", "", "'' is not a text"),
    ("admin_token", 5, "5 is not a text"),
    ("seed", "x", "'x' is not a whole number"),
    ("seed", 1.5, "1.5 is not a whole number"),
    ("time_scale", "fast", "'fast' is not a number"),
    ("time_scale", 0, "0 is not above 0"),
    ("time_scale", -1, "-1 is not above 0"),
    ("time_scale", "nan", "'nan' is not above 0"),
    ("time_scale", "inf", "'inf' is not above 0"),
    ("time_scale", 1e-300, "1e-300 is below 0.01: the longest delays would pass the last year"),
    ("time_scale", [1], "[1] is not a number"),
    ("time_scale", True, "True is not a number"),
    ("retry_schedule", "daily", "'daily' is not a retry schedule: use standard, svix"),
    ("retry_schedule", 5, "5 is not a retry schedule"),
    ("retry_schedule", ["5s", "soon"], "is not a retry schedule"),
    ("settle_after", "soon", "'soon' is not a duration"),
    ("settle_after", {"distribution": "zipf"}, "'zipf' is not a distribution: use one of fixed"),
    ("refund_after", "later", "'later' is not a duration"),
    ("authorization_expires_after", 0, "0 is not above 0"),
    ("requests_per_second", -1, "-1 is not above 0"),
    ("public_url", "", "'' is not a text"),
    ("attempt_timeout", "-1s", "'-1s' is not a duration"),
    ("attempt_timeout", "0s", "'0s' is not above 0"),
    ("connect_timeout", 0, "0 is not above 0"),
    ("delivery_concurrency", 0, "0 is not 1 or more"),
    ("delivery_concurrency", "many", "'many' is not a whole number"),
    ("rotation_overlap", "a day", "'a day' is not a duration"),
    ("body_bytes_max", -5, "-5 is not 1 or more"),
    ("disable_after_failures", -1, "-1 is not 0 or more"),
    ("disable_after", "soon", "'soon' is not a duration"),
    ("forget_keys_after", "soon", "'soon' is not a duration"),
    ("preset", "drizzle", "'drizzle' is not known: use one of calm, flaky, storm"),
    ("allow_public_targets", "maybe", "'maybe' is neither true nor false"),
    ("stop_grace", "soon", "'soon' is not a duration"),
    ("quiet", "loud", "'loud' is neither true nor false"),
    ("log_format", "xml", "'xml' is not one of text, json"),
    ("role", "cook", "'cook' is not one of all, api, delivery"),
    ("webhook_url", "", "'' is not a text"),
    ("lease", "0s", "'0s' is not above 0"),
]

GOOD = [
    ("port", "0", 0),
    ("port", 65535, 65535),
    ("seed", "-3", -3),
    ("time_scale", "60", 60.0),
    ("time_scale", "0.01", 0.01),
    ("retry_schedule", "none", SCHEDULES["none"]),
    ("settle_after", 5, fixed(5.0)),
    ("attempt_timeout", "250ms", 0.25),
    ("requests_per_second", "0", 0.0),
    ("requests_per_second", "2.5", 2.5),
    ("rotation_overlap", "0s", 0.0),
    ("allow_public_targets", "YES", True),
    ("allow_public_targets", False, False),
]


def full_name(name):
    return next(s.name for s in fields(Settings) if s.name.removesuffix("_s") == name)


def test_with_the_smallest_time_scale_the_longest_delay_ends_at_a_time_that_can_be_written():
    year_2100 = 4_102_444_800
    assert iso_timestamp(year_2100 + DURATION_S_MAX / TIME_SCALE_MIN).startswith("3")


def test_without_any_source_the_defaults_hold():
    assert parsed_settings() == {}
    settings = Settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.retry_schedule is SCHEDULES["standard"]
    assert settings.allow_public_targets is False


def test_the_first_source_that_has_a_setting_counts():
    option, environment, file = {"port": "1"}, {"port": "2", "seed": "2"}, {"port": 3, "seed": 3}
    assert parsed_settings(option, environment, file) == {"port": 1, "seed": 2}
    assert parsed_settings({"port": None}, {"port": None}, file) == {"port": 3, "seed": 3}


@pytest.mark.parametrize(("name", "value", "parsed"), GOOD)
def test_a_setting_is_read(name, value, parsed):
    assert parsed_settings({name: value}) == {full_name(name): parsed}


@pytest.mark.parametrize(("name", "value", "complaint"), BAD)
def test_a_setting_that_is_wrong_is_named_with_what_is_wrong(name, value, complaint):
    with pytest.raises(ValueError) as refused:
        parsed_settings({name: value})
    assert str(refused.value).startswith(f"{name}: ")
    assert complaint in str(refused.value)


def test_a_wrong_value_in_a_source_that_does_not_count_is_no_matter():
    assert parsed_settings({"port": 1}, {"port": "banana"}) == {"port": 1}


def test_every_setting_has_a_meaning_and_some_wrong_value_here():
    named = [s.name.removesuffix("_s") for s in fields(Settings) if "meaning" in s.metadata]
    assert set(named) == {name for name, _, _ in BAD}
    for setting in fields(Settings):
        assert setting.name == "faults" or len(setting.metadata["meaning"]) > 5


def test_options_and_variables_are_named_after_the_setting_without_its_unit():
    assert option_name("attempt_timeout_s") == "--attempt-timeout"
    assert environment_name("attempt_timeout_s") == "PSP_ATTEMPT_TIMEOUT"
    assert environment_name("api_key") == "PSP_API_KEY"
