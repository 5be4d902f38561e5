"""The fixture ``psp`` for pytest: a provider on a free port, clean for each test.

pytest finds this file by the package's entry point; nothing else imports it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from psp_sim.settings import Settings
    from psp_sim.testing import Psp
    from psp_sim.testing.provider_thread import ProviderThread

API_KEY = "sk_test_pytest"
MARKER = "psp(**settings): settings of the provider for this test, such as retry_schedule='1s,2s'"

# Sixty times faster than life: payments settle within 50 ms, and the last retry comes within 11 s.
DEFAULTS: dict[str, Any] = {
    "time_scale": 60,
    "retry_schedule": "5s,10s,20s,40s,80s,160s,320s",
    "stop_grace": 0,
    "quiet": True,
}
# What the fixture needs to be so: one process, on a free port, with a database in memory.
DECIDED_HERE = ("host", "port", "database", "role", "api_key", "faults")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


# The services are imported inside, so that a run without this fixture does not pay for them.
@pytest.fixture(scope="session")
def _psp_thread() -> Iterator[ProviderThread]:
    from psp_sim.testing.provider_thread import ProviderThread

    with ProviderThread() as thread:
        yield thread


@pytest.fixture
def psp(request: pytest.FixtureRequest, _psp_thread: ProviderThread) -> Iterator[Psp]:
    """A simulated payment provider that this test has to itself."""
    from psp_sim.testing import Psp

    try:
        settings = settings_for_a_test(wanted_by(list(request.node.iter_markers("psp"))))
    except ValueError as problem:
        pytest.fail(f"@pytest.mark.psp: {problem}", pytrace=False)
    with _psp_thread.provider(settings) as running:
        handle = Psp(running.url, API_KEY, running.signing_secret)
        try:
            yield handle
        finally:
            handle.client.close()


def wanted_by(markers: Sequence[pytest.Mark]) -> dict[str, Any]:
    """Return the settings that markers ask for, of which the first is the nearest to the test.

    Raises ValueError if one has no name.
    """
    wanted: dict[str, Any] = {}
    for marker in reversed(markers):
        if marker.args:
            raise ValueError(
                f"give each setting by its name, like settle_after='10m', not {marker.args[0]!r}"
            )
        wanted |= marker.kwargs
    return wanted


def settings_for_a_test(wanted: Mapping[str, Any]) -> Settings:
    """Return the provider's settings under those that a marker gives.

    Raises ValueError naming the setting.
    """
    from psp_sim.domain.endpoint import check_url
    from psp_sim.domain.errors import InvalidUrl
    from psp_sim.settings import Settings, parsed_settings

    names = [each.name.removesuffix("_s") for each in fields(Settings)]
    known = [name for name in names if name not in DECIDED_HERE]
    for name in wanted:
        if name not in known:
            raise ValueError(f"{name!r} is no setting: use {', '.join(known)}")
    settings = Settings(**parsed_settings(wanted, DEFAULTS), api_key=API_KEY)
    try:
        if settings.webhook_url:
            check_url(settings.webhook_url, allow_public=settings.allow_public_targets)
    except InvalidUrl as problem:
        raise ValueError(f"webhook_url: {problem}") from problem
    return settings
