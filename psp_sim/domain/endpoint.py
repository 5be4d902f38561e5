"""A webhook endpoint: where events go, under which secrets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from psp_sim.domain.duration import format_duration
from psp_sim.domain.errors import InvalidUrl
from psp_sim.domain.retry_schedule import RetrySchedule
from psp_sim.domain.target_address import is_forbidden, literal_address

URL_CHARACTERS_MAX = 2048
ENABLED = "enabled"
DISABLED = "disabled"
ALL_EVENTS = "*"

# Each of them adds a signature to every webhook; with five no header is over a kilobyte.
PREVIOUS_SECRETS_MAX = 5

_URL = re.compile(r"https?://[\x21-\x7e]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PreviousSecret:
    """A secret that was replaced, and the end of the overlap that was promised for it."""

    secret: str = field(repr=False)
    until: float


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A registered URL. Previous secrets, newest first, go on signing until their time is over.

    ``failures`` counts failed attempts since the last success, ``failing_since`` is the time of
    the first of them. Without a retry schedule of its own it has the provider's.
    """

    id: str
    url: str
    secret: str
    events: tuple[str, ...]
    status: str
    created_at: float
    dialect: str = "standard"
    retry_schedule: RetrySchedule | None = None
    disabled_reason: str | None = None
    failures: int = 0
    failing_since: float | None = None
    previous: tuple[PreviousSecret, ...] = ()

    @property
    def previous_until(self) -> float | None:
        """Until when any of the previous secrets signs, which may be over; None without any."""
        return max((one.until for one in self.previous), default=None)

    def secrets_at(self, now: float) -> Sequence[str]:
        """Return the secrets that sign at this time, newest first."""
        return (self.secret, *(one.secret for one in self.previous if now < one.until))

    def secrets_ended_at(self, now: float) -> Sequence[str]:
        """Return what is known of secrets that signed once and do no longer, newest first."""
        return tuple(one.secret for one in self.previous if now >= one.until)

    def with_new_secret(self, secret: str, now: float, overlap_s: float) -> Endpoint:
        """Return the endpoint with this secret; the one so far signs on during the overlap.

        Those before it keep what they were promised. When there are too many the oldest ends: who
        replaces a secret that has leaked must not be told to wait until there is room.
        """
        replaced = PreviousSecret(self.secret, now + overlap_s)
        signing = tuple(one for one in (replaced, *self.previous) if now < one.until)
        previous = signing[:PREVIOUS_SECRETS_MAX] or (replaced,)
        return replace(self, secret=secret, previous=previous)

    def wants(self, event_type: str) -> bool:
        """Tell whether the endpoint listens to this type of event."""
        return is_wanted(event_type, self.events)

    def as_enabled(self) -> Endpoint:
        """Return the endpoint with a clean record."""
        return replace(self, status=ENABLED, disabled_reason=None, failures=0, failing_since=None)


def is_wanted(event_type: str, events: Sequence[str]) -> bool:
    """Tell whether a list of types, families like ``payment.*`` and ``*`` covers this type."""
    family = event_type.partition(".")[0] + ".*"
    return any(wanted in events for wanted in (ALL_EVENTS, event_type, family))


def why_to_disable(
    endpoint: Endpoint, now: float, *, failures_max: int, failing_max_s: float
) -> str | None:
    """Return why an endpoint that has just failed again should be disabled, or None.

    Two rules, each off at 0: Shopify gives up after 8 failures in a row, Svix when everything has
    failed for 5 days. One success clears both.
    """
    if failures_max and endpoint.failures >= failures_max:
        return f"{endpoint.failures} attempts failed in a row"
    since = endpoint.failing_since
    if failing_max_s and since is not None and now - since >= failing_max_s:
        return f"every attempt has failed for {format_duration(now - since)}"
    return None


def check_url(url: object, *, allow_public: bool) -> str:
    """Return the URL if the provider may call it. Raises InvalidUrl.

    A test tool must not reach the world by accident: addresses that are public are refused unless
    allowed, link-local ones (cloud metadata) always. A name is checked where it is resolved.
    """
    if not isinstance(url, str) or len(url) > URL_CHARACTERS_MAX:
        raise InvalidUrl(f"url must be a text of at most {URL_CHARACTERS_MAX} characters")
    try:
        parts = urlsplit(url)
        address = literal_address(parts.hostname or "")
        is_url = parts.scheme in ("http", "https") and parts.port != 0 and _URL.fullmatch(url)
    except ValueError:
        is_url = None
    if not is_url:
        raise InvalidUrl(f"the webhook URL {url!r} must be like http://127.0.0.1:8081/webhooks/psp")
    if parts.username is not None:
        raise InvalidUrl("the webhook URL must not carry a user name or password")
    if address and is_forbidden(address, allow_public=allow_public):
        raise InvalidUrl(
            f"the provider does not call {address}: it calls loopback and private addresses"
        )
    return url
