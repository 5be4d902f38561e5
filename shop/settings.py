"""Every setting of the shop, once: its default, meaning and unit, environment name and option.

Options win over the environment, the environment over the defaults.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from shop.domain.peer_address import networks_in

WEBHOOKS = "webhooks"
WEBHOOKS_AND_RECONCILIATION = "webhooks+reconciliation"
POLLING = "polling"
POLLING_WITH_BACKOFF = "polling+backoff"
LONG_POLLING = "long-polling"
EVENT_STREAM = "event-stream"
TRACKING = (
    WEBHOOKS_AND_RECONCILIATION,
    WEBHOOKS,
    POLLING,
    POLLING_WITH_BACKOFF,
    LONG_POLLING,
    EVENT_STREAM,
)

ALL, WEB, WORKER = "all", "web", "worker"
ROLES = (ALL, WEB, WORKER)

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(rf"(?P<number>\d+(\.\d+)?)(?P<unit>{'|'.join(_UNITS_S)})?")


class BadSetting(ValueError):
    """A setting that cannot be used; the text names it and says what would be accepted."""


_MOST = 10**9


def _setting(
    default: Any,
    meaning: str,
    unit: str = "",
    *,
    least: float = 0,
    most: float = _MOST,
    secret: bool = False,
) -> Any:
    metadata = {"meaning": meaning, "unit": unit, "least": least, "most": most}
    return field(default=default, repr=not secret, metadata=metadata)


def _seconds(default: float, meaning: str) -> Any:
    return _setting(default, meaning, "seconds", least=0.001)


def _bytes(default: int, meaning: str) -> Any:
    return _setting(default, meaning, "bytes", least=1)


# One line per setting, so that the whole table can be read at a glance.
@dataclass(frozen=True)
class Settings:
    """How this shop runs. ``documented()`` gives the same table to command line and docs.

    Raises BadSetting.
    """

    # fmt: off
    host: str = _setting("127.0.0.1", "address to listen on")
    port: int = _setting(8081, "port to listen on; 0 picks a free one", most=65535)
    database: str = _setting(
        "sqlite:///shop.sqlite3",
        "sqlite:///FILE, sqlite:///FILE?cache_mb=64&synchronous=full, sqlite:///:memory: or postgresql://…",
    )
    role: str = _setting(ALL, f"one of {', '.join(ROLES)}: what this process does of the whole")
    look_interval_s: float = _seconds(2.0, "PostgreSQL: delay between two looks for others' work")
    psp: str = _setting("http://127.0.0.1:8080", "base URL of the payment provider")
    psp_key: str = _setting("", "API key at the payment provider", secret=True)
    tracking: str = _setting(WEBHOOKS_AND_RECONCILIATION, f"one of {', '.join(TRACKING)}")
    public_url: str = _setting("", "base URL the provider reaches us at; empty: where we listen")
    warehouse_url: str = _setting("", "where fulfilments are POSTed; empty: nothing is shipped")
    psp_timeout_s: float = _seconds(5.0, "longest wait for an answer of the provider")
    warehouse_timeout_s: float = _seconds(5.0, "longest wait for an answer of the warehouse")
    retry_first_delay_s: float = _seconds(1.0, "delay before the first retry; doubles each time")
    retry_delay_cap_s: float = _seconds(60.0, "longest delay between two tries")
    requests_at_once: int = _setting(16, "outgoing requests of one kind at the same time", least=1)
    ask_first_after_s: float = _seconds(43200.0, "age from which we look before we ask again")
    inbox_attempts_max: int = _setting(5, "tries before a bad event is set aside", least=1)
    webhook_tolerance_s: float = _seconds(300.0, "how far a webhook may be from our clock")
    webhook_body_limit_bytes: int = _bytes(1_048_576, "largest webhook body")
    webhook_allow_list: str = _setting("", "networks that webhooks may come from; empty: all")
    trusted_proxies: str = _setting("", "networks of proxies whose X-Forwarded-For is believed")
    order_body_limit_bytes: int = _bytes(65_536, "largest body of any other request")
    body_timeout_s: float = _seconds(10.0, "longest wait for the body of a request")
    reconcile_after_s: float = _seconds(60.0, "age at which a pending order is asked about")
    reconcile_interval_s: float = _seconds(60.0, "delay to the next question; doubles each time")
    reconcile_interval_cap_s: float = _seconds(3600.0, "longest delay between two such questions")
    endpoint_check_interval_s: float = _seconds(600.0, "delay to the next look at our endpoint")
    polling_interval_s: float = _seconds(5.0, "delay between two questions when polling")
    polling_first_delay_s: float = _seconds(1.0, "polling+backoff: age at the first question")
    polling_factor: float = _setting(2.0, "polling+backoff: how much longer each delay is", least=1)
    polling_delay_cap_s: float = _seconds(60.0, "polling+backoff: longest delay")
    long_polling_wait_s: float = _setting(
        30.0, "how long the provider may hold a question", "seconds", least=0.001, most=60
    )
    long_polls_at_once: int = _setting(64, "questions held at the same time", least=1)
    stream_silence_s: float = _seconds(45.0, "silence after which the event stream is opened anew")
    catalogue_seed: int = _setting(1, "decides who makes the things that are for sale")
    webhooks_per_second: float = _setting(0.0, "most webhooks taken; 0: any number", "per second")
    # fmt: on

    def __post_init__(self) -> None:
        for setting in documented():
            _check_range(setting, getattr(self, setting.name))
        _check_tracking(self.tracking)
        _check_role(self)
        for name in ("psp", "public_url", "warehouse_url"):
            _check_url(name, getattr(self, name))
        for name in ("webhook_allow_list", "trusted_proxies"):
            _check_networks(name, getattr(self, name))

    @property
    def uses_webhooks(self) -> bool:
        """Whether the provider has to know where to send webhooks."""
        return self.tracking in (WEBHOOKS, WEBHOOKS_AND_RECONCILIATION)

    @property
    def answers(self) -> bool:
        """Whether customers and the provider may call this process."""
        return self.role in (ALL, WEB)

    @property
    def works(self) -> bool:
        """Whether this process works off what is stored."""
        return self.role in (ALL, WORKER)


@dataclass(frozen=True)
class Documented:
    """One setting as a person meets it."""

    name: str
    kind: type
    default: Any
    meaning: str
    unit: str
    least: float
    most: float

    @property
    def option(self) -> str:
        """The command line option, such as ``--psp-timeout``; a time carries its own unit."""
        return "--" + self.name.removesuffix("_s").replace("_", "-")

    @property
    def environment(self) -> str:
        """The environment variable, such as ``SHOP_PSP_TIMEOUT``."""
        return "SHOP_" + self.name.removesuffix("_s").upper()


def documented() -> tuple[Documented, ...]:
    """Every setting, in the order in which they are declared."""
    return _DOCUMENTED


def settings_from(options: Mapping[str, str | None], environment: Mapping[str, str]) -> Settings:
    """Build the settings from option texts by setting name, and from SHOP_* variables.

    Raises BadSetting.
    """
    values: dict[str, Any] = {}
    for setting in documented():
        text = options.get(setting.name)
        given_by = setting.option
        if text is None:
            text, given_by = environment.get(setting.environment), setting.environment
        if text is not None:
            values[setting.name] = _parsed(setting, text, given_by)
    return Settings(**values)


def _documented(one: Field[Any]) -> Documented:
    return Documented(one.name, type(one.default), one.default, **one.metadata)


_DOCUMENTED = tuple(_documented(one) for one in fields(Settings))


def _parsed(setting: Documented, text: str, given_by: str) -> Any:
    if setting.unit == "seconds":
        return _time(text, given_by)
    try:
        return setting.kind(text)
    except ValueError:
        kind = "whole number" if setting.kind is int else "number"
        raise BadSetting(f"{given_by} must be a {kind}, not {text!r}") from None


def _time(text: str, given_by: str) -> float:
    """Read ``250ms``, ``5s``, ``10m``, ``12h``, ``3d``, or a bare number of seconds."""
    written = _DURATION.fullmatch(text)
    if written is None:
        raise BadSetting(f"{given_by} must be a time like 250ms, 5s, 10m or 12h, not {text!r}")
    return float(written["number"]) * _UNITS_S[written["unit"] or "s"]


def _check_range(setting: Documented, value: Any) -> None:
    if setting.kind is str:
        return
    if not setting.least <= value <= setting.most:
        allowed = f"between {setting.least} and {setting.most}"
        raise BadSetting(f"{setting.option} must be {allowed}, not {value}")


def _check_tracking(tracking: str) -> None:
    if tracking not in TRACKING:
        raise BadSetting(f"--tracking must be one of {', '.join(TRACKING)}, not {tracking!r}")


def _check_role(settings: Settings) -> None:
    role = settings.role
    if role not in ROLES:
        raise BadSetting(f"--role must be one of {', '.join(ROLES)}, not {role!r}")
    if role == ALL:
        return
    if not settings.database.startswith(("postgresql://", "postgres://")):
        raise BadSetting(
            f"--role {role} needs --database postgresql://…, which processes can share"
        )
    if settings.uses_webhooks and not settings.public_url:
        raise BadSetting(f"--role {role} needs --public-url, the same one for every process")


def _check_networks(name: str, text: str) -> None:
    try:
        networks_in(text)
    except ValueError as problem:
        option = "--" + name.replace("_", "-")
        raise BadSetting(
            f"{option} must be networks like 203.0.113.0/24,2001:db8::/32: {problem}"
        ) from None


def _check_url(name: str, url: str) -> None:
    if not url and name != "psp":
        return
    option = "--" + name.replace("_", "-")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise BadSetting(f"{option} must be an http:// or https:// URL with a host, not {url!r}")
