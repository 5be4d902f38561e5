"""What a provider says once it listens."""

import json

import pytest

from psp_sim.announcement import announcement
from psp_sim.settings import Settings


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_the_databases_password_is_not_said(log_format):
    settings = Settings(
        api_key="sk_given",
        log_format=log_format,
        database="postgresql://user:hidden@db/psp?password=hidden&pool_size=3",
    )
    said = announcement(settings, "http://127.0.0.1:1", None, has_made_key=False, at=0.0)
    assert "postgresql://db/psp" in said
    assert "hidden" not in said
    assert "sk_given" not in said


def test_the_json_line_has_what_each_other_log_line_has_and_numbers_are_numbers():
    settings = Settings(api_key="sk_made", log_format="json", time_scale=60)
    said = json.loads(announcement(settings, "http://[::1]:1", None, has_made_key=True, at=0.0))
    assert said == {
        "time": "1970-01-01T00:00:00.000Z",
        "level": "info",
        "logger": "psp_sim",
        "message": "psp-sim listening on http://[::1]:1 (role all)",
        "url": "http://[::1]:1",
        "api_key": "sk_made",
        "dashboard": "http://[::1]:1/_dashboard",
        "database": "sqlite:///psp.sqlite3",
        "retry_schedule": "standard",
        "time_scale": 60,
    }
