"""Options, environment and defaults."""

import re

import pytest

from shop.settings import TRACKING, BadSetting, Settings, documented, settings_from


def test_options_win_over_the_environment_and_that_over_the_defaults():
    settings = settings_from({"port": "1"}, {"SHOP_PORT": "2", "SHOP_PSP_KEY": "k"})
    assert (settings.port, settings.psp_key, settings.psp_timeout_s) == (1, "k", 5.0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("5s", 5.0), ("10m", 600.0), ("12h", 43200.0), ("7", 7.0)],
)
def test_a_time_carries_its_unit_and_a_bare_number_is_in_seconds(text, seconds):
    assert settings_from({"reconcile_after_s": text}, {}).reconcile_after_s == seconds


def test_the_key_is_not_shown_where_settings_are_printed():
    assert "sk_secret" not in repr(Settings(psp_key="sk_secret"))


def test_every_setting_has_a_meaning_and_names_that_follow_from_its_own():
    assert all(setting.meaning for setting in documented())
    one = next(setting for setting in documented() if setting.name == "psp_timeout_s")
    assert (one.option, one.environment, one.unit, one.default) == (
        "--psp-timeout",
        "SHOP_PSP_TIMEOUT",
        "seconds",
        5.0,
    )


@pytest.mark.parametrize("tracking", TRACKING)
def test_the_ways_of_tracking_that_exist_are_accepted(tracking):
    assert Settings(tracking=tracking).uses_webhooks is ("webhooks" in tracking)


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"SHOP_PORT": "x"}, "SHOP_PORT must be a whole number, not 'x'"),
        ({"SHOP_PORT": "65536"}, "--port must be between 0 and 65535, not 65536"),
        ({"SHOP_PSP_TIMEOUT": "0s"}, "--psp-timeout must be between 0.001"),
        ({"SHOP_PSP_TIMEOUT": "nan"}, "SHOP_PSP_TIMEOUT must be a time like 250ms, 5s, 10m or 12h"),
        ({"SHOP_PSP_TIMEOUT": "-1s"}, "SHOP_PSP_TIMEOUT must be a time like 250ms, 5s, 10m or 12h"),
        ({"SHOP_POLLING_FACTOR": "x"}, "SHOP_POLLING_FACTOR must be a number, not 'x'"),
        ({"SHOP_TRACKING": "hope"}, "--tracking must be one of"),
        ({"SHOP_PSP": ""}, "--psp must be an http"),
        ({"SHOP_PSP": "ftp://x"}, "--psp must be an http"),
        ({"SHOP_PUBLIC_URL": "http://"}, "--public-url must be an http"),
        ({"SHOP_WAREHOUSE_URL": "http://x:99999"}, "--warehouse-url must be an http"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_what_would_be(environment, sentence):
    with pytest.raises(BadSetting, match="^" + re.escape(sentence)):
        settings_from({}, environment)
