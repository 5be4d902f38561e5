"""What a provider says once it listens: lines for a person, or one line of JSON.

A secret is said only where there is no other way to learn it: not a key or a password that was
given, and in JSON, which is often collected, not the endpoint's either (``--print-secret`` tells).
"""

from __future__ import annotations

import logging
from typing import Any

from psp_sim.domain.endpoint import Endpoint
from psp_sim.log_lines import JsonLines
from psp_sim.settings import Settings
from sqlport.postgres_url import is_postgres, read_postgres_url


def announcement(
    settings: Settings, url: str, endpoint: Endpoint | None, *, has_made_key: bool, at: float
) -> str:
    """Return it in the form that the settings ask for; ``at`` is now."""
    key = settings.api_key if has_made_key else None
    if settings.log_format == "json":
        return _json_line(settings, url, endpoint, key, at)
    return "\n".join(_text_lines(settings, url, endpoint, key))


def _text_lines(
    settings: Settings, url: str, endpoint: Endpoint | None, key: str | None
) -> list[str]:
    if endpoint is None:
        webhooks = ["  secrets   each endpoint's is in the answer that registers it"]
    else:
        webhooks = [f"  webhooks  {endpoint.url}", f"  secret    {endpoint.secret}"]
    return [
        f"psp-sim listening on {url}",
        f"  API key   {key or 'as given'}",
        f"  dashboard {url}/_dashboard",
        *webhooks,
        f"  database  {_shown_database(settings.database)}",
        f"  retries   {settings.retry_schedule.name}, time scale {settings.time_scale:g}",
        "  (Ctrl-C stops it)",
    ]


def _json_line(
    settings: Settings, url: str, endpoint: Endpoint | None, key: str | None, at: float
) -> str:
    facts: dict[str, Any] = {
        "at": at,
        "url": url,
        "api_key": key,
        "dashboard": f"{url}/_dashboard",
        "webhook_url": None if endpoint is None else endpoint.url,
        "database": _shown_database(settings.database),
        "retry_schedule": settings.retry_schedule.name,
        "time_scale": settings.time_scale,
    }
    record = logging.makeLogRecord(
        {
            "name": "psp_sim",
            "levelname": "INFO",
            "msg": f"psp-sim listening on {url} (role {settings.role})",
            "facts": {name: fact for name, fact in facts.items() if fact is not None},
        }
    )
    return JsonLines().format(record)


def _shown_database(url: str) -> str:
    return read_postgres_url(url).shown if is_postgres(url) else url
