"""The real provider and the real shop as hosts of a simulated world."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.applications import Starlette

from psp_sim.app import create_app as create_provider
from psp_sim.settings import Settings as ProviderSettings
from scenarios.converge import bound_s, pace_of
from scenarios.endpoints import has_to_mend
from scenarios.errors import ServiceBroke
from scenarios.evidence import Evidence, Played
from scenarios.marks import count_marks
from scenarios.mutants import CORRECT, parts_of
from scenarios.play import play
from scenarios.sample_shop import SampleShop
from scenarios.scenario import Scenario
from scenarios.service_settings import provider_settings
from scenarios.stage import Stage
from scenarios.targets.plain_calls import PlainCalls
from scenarios.targets.simulated_api import SimulatedApi
from scenarios.targets.world_control import SimulatedWorldControl
from scenarios.warehouse import Warehouse
from scenarios.world.latency import LOCAL_NETWORK, TINY
from scenarios.world.ports import HostEnvironment
from scenarios.world.world import World, free_earlier_worlds
from shop.app import create_app as create_shop
from shop.settings import Settings as ShopSettings

API_KEY = "sk_test_simulated"
PROVIDER_URL = "http://psp:8080"
SHOP_URL = "http://shop:8081"
WAREHOUSE_URL = "http://warehouse:8082/fulfilments"
HARNESS_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Simulated:
    """What was seen, and the world in which it happened, with its trace."""

    evidence: Evidence
    world: World


def play_simulated(
    scenario: Scenario, seed: int, shop: str, *, keeps_trace: bool = False, every_call: bool = False
) -> Played:
    """Play a scenario in virtual time. The same arguments give the same digest, anywhere."""
    done = simulate(scenario, seed, shop, every_call=every_call)
    trace = done.world.trace
    played = Played(
        done.evidence,
        done.world.loop.time(),
        trace.digest(),
        marks=count_marks(done.evidence, trace),
        trace=list(trace.lines()) if keeps_trace else (),
    )
    done.world.close()
    return played


def simulate(scenario: Scenario, seed: int, shop: str, *, every_call: bool = False) -> Simulated:
    """Play a scenario in virtual time and keep its world to look into.

    ``every_call`` looks more closely for what escapes from the world: see ``World.run``.
    """
    free_earlier_worlds()
    world = World(seed, latency=LOCAL_NETWORK, disk_delays=TINY)
    ours = provider_settings(scenario.provider, api_key=API_KEY, seed=seed)
    theirs = ShopSettings(
        psp=PROVIDER_URL,
        psp_key=API_KEY,
        public_url=SHOP_URL,
        warehouse_url=WAREHOUSE_URL,
        **scenario.shop,
    )
    warehouse = Warehouse(world.now)
    _add_hosts(world, ours, theirs, warehouse, shop)
    transport = world.transport_for()
    stage = Stage(
        provider=SimulatedApi(
            PROVIDER_URL,
            transport,
            HARNESS_TIMEOUT_S,
            {"authorization": f"Bearer {API_KEY}"},
            world.host("psp"),
        ),
        shop=SampleShop(
            SimulatedApi(SHOP_URL, transport, HARNESS_TIMEOUT_S, {}, world.host("shop"))
        ),
        warehouse=warehouse,
        now=world.now,
        seed=seed,
        world=SimulatedWorldControl(world, warehouse),
        pace=pace_of(theirs),
        mends_endpoint=has_to_mend(scenario, theirs),
    )
    evidence = world.run(_run(world, scenario, stage, bound_s(ours, theirs)), every_call=every_call)
    _expect_no_bugs(world, shop)
    return Simulated(evidence, world)


def _expect_no_bugs(world: World, shop: str) -> None:
    """Raise ServiceBroke for an exception that a service let out; a mutant's own are its bug."""
    for broke in world.application_errors:
        if broke.host != "shop" or shop == CORRECT:
            message = f"{broke.host} broke while {broke.doing}: {broke.error!r}"
            raise ServiceBroke(message) from broke.error


async def _run(world: World, scenario: Scenario, stage: Stage, limit_s: float) -> Evidence:
    await world.start("psp", "warehouse", "shop")
    return await play(scenario, stage, limit_s)


def _add_hosts(
    world: World, ours: ProviderSettings, theirs: ShopSettings, warehouse: Warehouse, shop: str
) -> None:
    parts = parts_of(shop)

    def provider_of(environment: HostEnvironment) -> Starlette:
        return create_provider(
            ours,
            database=environment.database,
            clock=environment.clock,
            random=environment.random,
            transport=PlainCalls(environment.transport, ours.connect_timeout_s),
        )

    def shop_of(environment: HostEnvironment) -> Starlette:
        return create_shop(
            theirs,
            database=environment.database,
            clock=environment.clock,
            random=environment.random,
            transport=PlainCalls(environment.transport, ours.connect_timeout_s),
            parts=parts,
        )

    world.add_host("psp", provider_of)
    world.add_host("warehouse", lambda _: warehouse.app)
    world.add_host("shop", shop_of)
