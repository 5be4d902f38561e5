"""The ``[provider]`` and ``[shop]`` tables of a scenario, checked against real settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from psp_sim.domain.duration import parse_duration
from psp_sim.settings import Settings as ProviderSettings
from psp_sim.settings import parsed_settings
from scenarios.errors import WrongUsage
from shop.settings import Settings as ShopSettings

# What the harness itself decides for each run.
_OURS = (
    "host",
    "port",
    "database",
    "psp",
    "psp_key",
    "api_key",
    "admin_token",
    "public_url",
    "role",
    "seed",
)


def check_provider_settings(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the table as it is. Raises WrongUsage naming the key and what is allowed."""
    known = [setting.name.removesuffix("_s") for setting in fields(ProviderSettings)]
    _check_keys("provider", table, known)
    try:
        parsed_settings(table)
    except ValueError as problem:
        raise WrongUsage(f"[provider] {problem}") from problem
    return dict(table)


def provider_settings(table: Mapping[str, Any], **ours: Any) -> ProviderSettings:
    """Return the settings of a provider under a scenario's table."""
    return ProviderSettings(**(parsed_settings(table) | ours))


def check_shop_settings(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the table by full setting names, durations in seconds. Raises WrongUsage."""
    settings = {setting.name.removesuffix("_s"): setting for setting in fields(ShopSettings)}
    _check_keys("shop", table, list(settings))
    checked: dict[str, Any] = {}
    for key, value in table.items():
        name = settings[key].name
        try:
            checked[name] = parse_duration(value) if name.endswith("_s") else value
            ShopSettings(**{name: checked[name]})
        except (TypeError, ValueError) as problem:
            raise WrongUsage(f"[shop] {key}: {problem}") from problem
    return checked


def _check_keys(table: str, given: Mapping[str, Any], known: list[str]) -> None:
    allowed = [key for key in known if key not in (*_OURS, "faults")]
    for key in given:
        if key not in allowed:
            raise WrongUsage(f"{key!r} is not a key of [{table}]: use {', '.join(allowed)}")
