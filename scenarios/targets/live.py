"""The real provider and the real shop as processes, over real HTTP, with time compressed.

The provider's own delays shrink by its time scale; the shop's are set one by one, since a service
under test cannot be told to live faster.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

from psp_sim.server import real_transport
from scenarios.api import Api, BadAnswer
from scenarios.calendar import outcome_within_s
from scenarios.converge import bound_s, pace_of
from scenarios.endpoints import has_to_mend
from scenarios.evidence import Evidence, Played
from scenarios.mutants import CORRECT
from scenarios.play import play
from scenarios.sample_shop import SampleShop
from scenarios.scenario import Scenario
from scenarios.service_settings import provider_settings
from scenarios.stage import Stage
from scenarios.targets.processes import running, serving
from scenarios.warehouse import Warehouse
from shop.register_endpoint import WEBHOOK_PATH
from shop.settings import Settings as ShopSettings
from shop.settings import documented

API_KEY = "sk_test_live"
TIME_SCALE = 60.0
# Patient, since a machine may be busy: whatever answers does so within milliseconds.
HARNESS_TIMEOUT_S = 60.0

# The standard schedule has steps of many hours; this one keeps its shape and ends within seconds.
COMPRESSED_SCHEDULE = "5s,10s,20s,40s,80s,160s,320s"

# A real machine may stand still for so long, in real seconds, without anybody's fault.
STANDSTILL_S = 30.0

# A run that would take longer than this is left to virtual time.
CHAOS_MAX_S = 30.0

# The shop's own delays that pass faster here; what it may wait for an answer has a floor.
_SCALED_SETTINGS = (
    "retry_first_delay_s",
    "retry_delay_cap_s",
    "reconcile_after_s",
    "reconcile_interval_s",
    "reconcile_interval_cap_s",
    "polling_interval_s",
    "endpoint_check_interval_s",
)
_RECONCILE_CAP_S = 300.0
_ANSWER_TIMEOUT_S = 0.5


class _LiveShop(SampleShop):
    """The shop in a process of its own, which takes real time to store its webhook secret."""

    async def check_ready(self) -> None:
        """Return if the shop answers, and no longer turns webhooks away for want of the secret."""
        await super().check_ready()
        status, answer = await self._api.call("POST", WEBHOOK_PATH, {})
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            raise BadAnswer(f"it cannot verify webhooks yet: {answer}")


def why_not_live(scenario: Scenario) -> str | None:
    """Say why a scenario cannot be played live, or return None."""
    if scenario.needs_a_world:
        kinds = [fault.kind for fault in scenario.faults if fault.is_of_the_world]
        return f"only a simulated world can {' and '.join(dict.fromkeys(kinds))} at will"
    if max(scenario.chaos_s, outcome_within_s(scenario)) / TIME_SCALE > CHAOS_MAX_S:
        return "it takes days, which only virtual time makes short"
    return None


async def play_live(scenario: Scenario, seed: int, shop: str) -> Played:
    """Play a scenario on real processes. Raises Unreachable."""
    provider_table = _provider_table(scenario.provider, seed)
    shop_table = _shop_table(scenario.shop)
    # Bounds are in the scenario's seconds, so they follow from the settings before any scaling.
    limit_s = bound_s(
        provider_settings(provider_table),
        ShopSettings(**({"reconcile_interval_cap_s": _RECONCILE_CAP_S} | dict(scenario.shop))),
    )
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="psp-scenarios-") as folder:
        async with _stage(Path(folder), provider_table, shop_table, seed, shop) as stage:
            # Unscaled: a real machine has delays of its own, which do not shrink with the others.
            theirs = ShopSettings(**scenario.shop)
            stage = replace(
                stage, pace=pace_of(theirs), mends_endpoint=has_to_mend(scenario, theirs)
            )
            patience_s = STANDSTILL_S * TIME_SCALE
            evidence: Evidence = await play(scenario, stage, limit_s + patience_s)
    return Played(evidence, (time.monotonic() - began) * TIME_SCALE, None)


@asynccontextmanager
async def _stage(
    folder: Path,
    provider_table: dict[str, Any],
    shop_table: dict[str, Any],
    seed: int,
    shop: str,
) -> AsyncIterator[Stage]:
    warehouse = Warehouse(time.time)
    config = folder / "psp.toml"
    config.write_text(_toml(provider_table | {"database": f"sqlite:///{folder}/psp.sqlite3"}))
    transport = real_transport()
    try:
        async with (
            serving(warehouse.app) as warehouse_url,
            running(
                "provider",
                ["-m", "psp_sim", "serve", "--config", str(config)],
                folder / "psp.log",
            ) as provider_url,
            running(
                "shop",
                _shop_command(
                    shop,
                    shop_table
                    | {
                        "database": f"sqlite:///{folder}/shop.sqlite3",
                        "port": 0,
                        "psp": provider_url,
                        "psp_key": API_KEY,
                        "warehouse_url": f"{warehouse_url}/fulfilments",
                    },
                ),
                folder / "shop.log",
            ) as shop_url,
        ):
            yield Stage(
                provider=Api(
                    provider_url,
                    transport,
                    HARNESS_TIMEOUT_S,
                    {"authorization": f"Bearer {API_KEY}"},
                ),
                shop=_LiveShop(Api(shop_url, transport, HARNESS_TIMEOUT_S)),
                warehouse=warehouse,
                now=time.time,
                seed=seed,
                time_scale=TIME_SCALE,
            )
    finally:
        await transport.aclose()


def _provider_table(table: Mapping[str, Any], seed: int) -> dict[str, Any]:
    ours = {"port": 0, "api_key": API_KEY, "seed": seed, "time_scale": TIME_SCALE}
    schedule = table.get("retry_schedule", "standard")
    if schedule == "standard":
        schedule = COMPRESSED_SCHEDULE
    return {**table, **ours, "retry_schedule": schedule}


def _shop_table(table: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {"reconcile_interval_cap_s": _RECONCILE_CAP_S, **table}
    settings = ShopSettings(**wanted)
    scaled = {name: getattr(settings, name) / TIME_SCALE for name in _SCALED_SETTINGS}
    return {
        **wanted,
        **scaled,
        "webhooks_per_second": settings.webhooks_per_second * TIME_SCALE,
        "psp_timeout_s": _ANSWER_TIMEOUT_S,
        "warehouse_timeout_s": _ANSWER_TIMEOUT_S,
    }


def _shop_command(shop: str, table: Mapping[str, Any]) -> list[str]:
    """Return how to start the correct shop, or the harness's own entry for a broken one."""
    module = ["-m", "shop"] if shop == CORRECT else ["-m", "scenarios.mutants", shop]
    names = {setting.name: setting.option for setting in documented()}
    options = [word for name, value in table.items() for word in (names[name], str(value))]
    return [*module, "serve", *options]


def _toml(table: Mapping[str, Any]) -> str:
    """Write a table of settings: texts, numbers, switches, and inline tables of these."""
    return "\n".join(f"{key} = {_toml_value(value)}" for key, value in table.items()) + "\n"


def _toml_value(value: Any) -> str:
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key} = {_toml_value(each)}" for key, each in value.items())
        return f"{{ {inner} }}"
    # JSON writes texts, numbers and switches just as TOML does.
    return json.dumps(value)
