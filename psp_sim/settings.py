"""Every setting of the provider, once: its name, default, unit and meaning.

A setting comes from the command line, else the environment, else the configuration file, else here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from psp_sim.domain.course import AUTHORIZATION_EXPIRES_AFTER_S
from psp_sim.domain.distribution import Delay, fixed, parse_delay
from psp_sim.domain.duration import parse_duration
from psp_sim.domain.errors import InvalidFault
from psp_sim.domain.presets import preset_named
from psp_sim.domain.retry_schedule import SCHEDULES, RetrySchedule, parse_schedule

ENVIRONMENT_PREFIX = "PSP_"
LOG_FORMATS = ("text", "json")
ROLES = ("all", "api", "delivery")
# With it the longest duration there may be lasts a thousand years.
TIME_SCALE_MIN = 0.01


def _setting(default: Any, parse: Callable[[Any], Any], meaning: str) -> Any:
    return field(default=default, metadata={"parse": parse, "meaning": meaning})


def _port(value: Any) -> int:
    port = _whole(value)
    if not 0 <= port <= 65535:
        raise ValueError(f"{value!r} is not a port from 0 to 65535")
    return port


def _whole(value: Any) -> int:
    try:
        return int(str(value))
    except ValueError as problem:
        raise ValueError(f"{value!r} is not a whole number") from problem


def _positive(value: Any) -> float:
    try:
        number = float(str(value))
    except ValueError as problem:
        raise ValueError(f"{value!r} is not a number") from problem
    if not 0 < number < float("inf"):
        raise ValueError(f"{value!r} is not above 0")
    return number


def _time_scale(value: Any) -> float:
    scale = _positive(value)
    if scale < TIME_SCALE_MIN:
        raise ValueError(
            f"{value!r} is below {TIME_SCALE_MIN:g}: the longest delays would pass the last year "
            "that can be written"
        )
    return scale


def _not_negative(value: Any) -> float:
    return 0.0 if str(value).strip() in ("0", "0.0") else _positive(value)


def _positive_duration(value: Any) -> float:
    duration_s = parse_duration(value)
    if duration_s == 0:
        raise ValueError(f"{value!r} is not above 0")
    return duration_s


def _positive_whole(value: Any) -> int:
    if _whole(value) < 1:
        raise ValueError(f"{value!r} is not 1 or more")
    return _whole(value)


def _count(value: Any) -> int:
    if _whole(value) < 0:
        raise ValueError(f"{value!r} is not 0 or more")
    return _whole(value)


def _preset(value: Any) -> str:
    try:
        preset_named(value)
    except InvalidFault as problem:
        raise ValueError(str(problem)) from problem
    return str(value)


def _switch(value: Any) -> bool:
    if str(value).lower() in ("1", "true", "yes", "on"):
        return True
    if str(value).lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError(f"{value!r} is neither true nor false")


def _log_format(value: Any) -> str:
    if value not in LOG_FORMATS:
        raise ValueError(f"{value!r} is not one of {', '.join(LOG_FORMATS)}")
    return str(value)


def _role(value: Any) -> str:
    if value not in ROLES:
        raise ValueError(f"{value!r} is not one of {', '.join(ROLES)}")
    return str(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is not a text")
    return value


@dataclass(frozen=True)
class Settings:
    """How one provider runs. Durations are in seconds once parsed."""

    host: str = _setting("127.0.0.1", _text, "address to listen on")
    port: int = _setting(8080, _port, "port to listen on; 0 picks a free one")
    database: str = _setting(
        "sqlite:///psp.sqlite3",
        _text,
        "where state is kept: sqlite:///FILE, sqlite:///FILE?cache_mb=64&synchronous=full, "
        "sqlite:///:memory: or postgresql://…",
    )
    role: str = _setting(
        "all",
        _role,
        "on PostgreSQL, this process's share: api (requests), delivery (webhooks), or all",
    )
    api_key: str = _setting("", _text, "key that clients must send; made and printed if not given")
    admin_token: str = _setting(
        "", _text, "token that lets the control API answer to other machines than this one"
    )
    seed: int | None = _setting(
        None, _whole, "repeats secrets, faults and ids, but for the time in front"
    )
    time_scale: float = _setting(
        1.0,
        _time_scale,
        "how many times faster the provider's own delays pass, 0.01 or more; timestamps stay real",
    )
    retry_schedule: RetrySchedule = _setting(
        SCHEDULES["standard"], parse_schedule, "a schedule's name, or delays like 5s,1m,10m"
    )
    disable_after_failures: int = _setting(
        0, _count, "failed attempts in a row that disable an endpoint; 0 for no such limit"
    )
    disable_after_s: float = _setting(
        5 * 86400.0,
        parse_duration,
        "how long an endpoint may fail without a success before it is disabled; 0 for ever",
    )
    forget_keys_after_s: float = _setting(
        0.0,
        parse_duration,
        "age at which an idempotency key is forgotten, and a repeat does it all again; 0 for never",
    )
    settle_after: Delay = _setting(
        fixed(2.0), parse_delay, "from accepting a payment to its outcome"
    )
    refund_after: Delay = _setting(
        fixed(2.0), parse_delay, "from accepting a refund to its success"
    )
    authorization_expires_after_s: float = _setting(
        AUTHORIZATION_EXPIRES_AFTER_S,
        _positive_duration,
        "how long money that is held (manual capture) waits for its capture",
    )
    attempt_timeout_s: float = _setting(
        15.0, _positive_duration, "how long an endpoint may take to answer a webhook"
    )
    connect_timeout_s: float = _setting(
        5.0, _positive_duration, "how long connecting to an endpoint may take"
    )
    delivery_concurrency: int = _setting(
        64, _positive_whole, "webhooks on their way to one endpoint at one time"
    )
    lease_s: float = _setting(
        30.0,
        _positive_duration,
        "on PostgreSQL: how long a process may go unheard before others take over its deliveries",
    )
    rotation_overlap_s: float = _setting(
        86400.0, parse_duration, "how long a rotated secret goes on signing beside the new one"
    )
    requests_per_second: float = _setting(
        0.0, _not_negative, "requests to /v1 above this rate get 429; 0 is no limit"
    )
    public_url: str = _setting(
        "", _text, "URL under which payers reach this provider; empty: as the request came"
    )
    body_bytes_max: int = _setting(65536, _positive_whole, "largest request body that is read")
    allow_public_targets: bool = _setting(
        False, _switch, "allow webhooks to public addresses; loopback and private ones always may"
    )
    stop_grace_s: float = _setting(
        5.0, parse_duration, "how long webhooks on their way may still take when asked to stop"
    )
    quiet: bool = _setting(False, _switch, "write no line for each webhook")
    log_format: str = _setting("text", _log_format, "how log lines are written: text or json")
    webhook_url: str = _setting(
        "", _text, "where webhooks are sent from the start; the secret is shown with the rest"
    )
    preset: str = _setting("calm", _preset, "faults by name, beside those that are listed")
    faults: tuple[Mapping[str, Any], ...] = ()


def option_name(setting: str) -> str:
    """Return the command-line option of a setting: ``retry_schedule`` → ``--retry-schedule``."""
    return "--" + setting.removesuffix("_s").replace("_", "-")


def environment_name(setting: str) -> str:
    """Return the environment variable of a setting: ``retry_schedule`` → ``PSP_RETRY_SCHEDULE``."""
    return ENVIRONMENT_PREFIX + setting.removesuffix("_s").upper()


def parsed_settings(*sources: Mapping[str, Any]) -> dict[str, Any]:
    """Take each setting from the first source that has it, and parse it.

    A source maps setting names (without the unit ``_s``) to values. Raises ValueError naming the
    setting.
    """
    values: dict[str, Any] = {}
    for setting in fields(Settings):
        if "parse" not in setting.metadata:
            continue
        name = setting.name.removesuffix("_s")
        given = next((source[name] for source in sources if source.get(name) is not None), None)
        if given is not None:
            try:
                values[setting.name] = setting.metadata["parse"](given)
            except ValueError as problem:
                raise ValueError(f"{name}: {problem}") from problem
    return values
