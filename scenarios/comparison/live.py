"""A small version over real HTTP between real processes, so that simulated figures can be checked.

All times pass ``TIME_SCALE`` times faster, the shop's as well as the provider's; what is measured
is given back in the workload's seconds. A real millisecond of latency so shows as several.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from psp_sim.server import real_transport
from scenarios.api import Api
from scenarios.comparison.compare import Result, Run, judge
from scenarios.comparison.observation import Observation
from scenarios.comparison.strategies import NEVER_S, STRATEGIES, Strategy
from scenarios.comparison.watch import Place, watch
from scenarios.comparison.weather import weather_named
from scenarios.comparison.workload import Workload
from scenarios.run_together import together
from scenarios.targets.processes import running, serving
from scenarios.warehouse import Warehouse
from shop.settings import documented

LIVE_PAYMENTS = 30
TIME_SCALE = 8.0
AT_ONCE = 3
_TIMEOUT_S = 10.0
_API_KEY = "sk_test_compare"
_LEAST_S = 0.001


def compare_live(
    payments: int,
    faults: Sequence[str],
    seed: int,
    on_result: Callable[[Result], None],
    strategies: Sequence[Strategy] = STRATEGIES,
) -> list[Result]:
    """Watch every strategy in every weather on real processes. Raises Unreachable."""
    workload = Workload(payments, seed)
    weathers = [weather_named(name, workload.window_s) for name in faults]
    runs = [Run(strategy, workload, weather) for weather in weathers for strategy in strategies]
    results = []
    with together(_watch_run, AT_ONCE) as watch_all:
        for result in watch_all(runs):
            results.append(result)
            on_result(result)
    return results


async def _watch_run(run: Run) -> Result:
    return judge(run, await observe_live(run), TIME_SCALE)


async def observe_live(run: Run) -> Observation:
    """Watch one strategy on a provider and a shop of its own. Raises Unreachable."""
    with tempfile.TemporaryDirectory(prefix="psp-compare-") as folder:
        async with _place(Path(folder), run) as place:
            return await watch(place, run.workload, run.weather)


@asynccontextmanager
async def _place(folder: Path, run: Run) -> AsyncIterator[Place]:
    warehouse = Warehouse(time.time)
    transport = real_transport()
    try:
        async with (
            serving(warehouse.app) as warehouse_url,
            running("provider", _provider(folder, run.workload), folder / "psp.log") as psp_url,
            running(
                "shop",
                _shop(folder, run.strategy, psp_url, warehouse_url),
                folder / "shop.log",
            ) as shop_url,
        ):
            authorization = {"authorization": f"Bearer {_API_KEY}"}
            yield Place(
                provider=Api(psp_url, transport, _TIMEOUT_S, authorization),
                shop=Api(shop_url, transport, _TIMEOUT_S),
                now=time.time,
                learnt=lambda: len({shipment.order for shipment in warehouse.shipments}),
                listens=run.strategy.needs_public_address,
                time_scale=TIME_SCALE,
            )
    finally:
        await transport.aclose()


def _provider(folder: Path, workload: Workload) -> list[str]:
    config = folder / "psp.toml"
    settle = ", ".join(f"{k} = {json.dumps(v)}" for k, v in workload.settle_after.items())
    config.write_text(
        f'port = 0\napi_key = "{_API_KEY}"\nseed = {workload.seed}\ntime_scale = {TIME_SCALE}\n'
        f'quiet = true\ndatabase = "sqlite:///:memory:"\nsettle_after = {{ {settle} }}\n'
    )
    return ["-m", "psp_sim", "serve", "--config", str(config)]


def _shop(folder: Path, strategy: Strategy, psp_url: str, warehouse_url: str) -> list[str]:
    settings = {
        **_faster(strategy),
        "port": 0,
        "database": f"sqlite:///{folder}/shop.sqlite3",
        "psp": psp_url,
        "psp_key": _API_KEY,
        "warehouse_url": f"{warehouse_url}/fulfilments",
    }
    options = {setting.name: setting.option for setting in documented()}
    words = [word for name, value in settings.items() for word in (options[name], str(value))]
    return ["-m", "shop", "serve", *words]


def _faster(strategy: Strategy) -> Mapping[str, Any]:
    """Return every time of the shop as it passes here; what never comes still never does."""
    shop = strategy.shop
    times = {
        setting.name: getattr(shop, setting.name)
        for setting in documented()
        if setting.unit == "seconds"
    }
    faster = {
        name: f"{max(value / TIME_SCALE, _LEAST_S):.6f}"
        for name, value in times.items()
        if value < NEVER_S and name != "webhook_tolerance_s"
    }
    return {**strategy.settings, **faster}
