"""One run in virtual time: hours of customers in seconds, and the same figures for a seed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from psp_sim.app import create_app as create_provider
from scenarios.comparison.observation import Observation
from scenarios.comparison.strategies import Strategy
from scenarios.comparison.watch import Place, watch
from scenarios.comparison.weather import Weather
from scenarios.comparison.workload import Workload
from scenarios.errors import ServiceBroke
from scenarios.service_settings import provider_settings
from scenarios.targets.plain_calls import PlainCalls
from scenarios.targets.simulated import (
    API_KEY,
    HARNESS_TIMEOUT_S,
    PROVIDER_URL,
    SHOP_URL,
    WAREHOUSE_URL,
)
from scenarios.targets.simulated_api import SimulatedApi
from scenarios.warehouse import Warehouse
from scenarios.world.latency import LOCAL_NETWORK
from scenarios.world.ports import HostEnvironment
from scenarios.world.world import World, free_earlier_worlds
from shop.app import create_app as create_shop
from shop.settings import Settings as ShopSettings


def observe_simulated(strategy: Strategy, workload: Workload, weather: Weather) -> Observation:
    """Run a strategy in a world of its own. Raises ServiceBroke for a bug of ours."""
    free_earlier_worlds()
    world = World(workload.seed, latency=LOCAL_NETWORK)
    warehouse = Warehouse(world.now)
    _add_hosts(world, strategy, workload, warehouse)
    transport = world.transport_for()
    authorization = {"authorization": f"Bearer {API_KEY}"}
    place = Place(
        provider=SimulatedApi(PROVIDER_URL, transport, HARNESS_TIMEOUT_S, authorization),
        shop=SimulatedApi(SHOP_URL, transport, HARNESS_TIMEOUT_S),
        now=world.now,
        learnt=lambda: len({shipment.order for shipment in warehouse.shipments}),
        listens=strategy.needs_public_address,
    )

    async def run() -> Observation:
        await world.start("psp", "warehouse", "shop")
        return await watch(replace(place, shop_started_at=world.now()), workload, weather)

    observation = world.run(run())
    world.close()
    for broke in world.application_errors:
        message = f"{broke.host} broke while {broke.doing}: {broke.error!r}"
        raise ServiceBroke(message) from broke.error
    return observation


def _add_hosts(world: World, strategy: Strategy, workload: Workload, warehouse: Warehouse) -> None:
    ours = provider_settings(
        {"settle_after": workload.settle_after}, api_key=API_KEY, seed=workload.seed
    )
    theirs = ShopSettings(
        psp=PROVIDER_URL,
        psp_key=API_KEY,
        public_url=SHOP_URL,
        warehouse_url=WAREHOUSE_URL,
        **strategy.settings,
    )

    def ports(environment: HostEnvironment) -> dict[str, Any]:
        return {
            "database": environment.database,
            "clock": environment.clock,
            "random": environment.random,
            "transport": PlainCalls(environment.transport, ours.connect_timeout_s),
        }

    world.add_host("psp", lambda environment: create_provider(ours, **ports(environment)))
    world.add_host("warehouse", lambda _: warehouse.app)
    world.add_host("shop", lambda environment: create_shop(theirs, **ports(environment)))
