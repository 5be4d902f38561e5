"""Somebody's own service by its target file: the real provider, real HTTP, short delays.

Everything is this process's or its child: the provider and the warehouse are served from here, and
the service, if the target file says how, is started, killed and stopped from here.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from psp_sim.server import real_transport
from psp_sim.settings import Settings as ProviderSettings
from scenarios.api import Api
from scenarios.converge import SLACK_S
from scenarios.errors import Unreachable, WrongUsage
from scenarios.evidence import Played
from scenarios.play import play
from scenarios.scenario import Scenario
from scenarios.service_settings import provider_settings
from scenarios.stage import Patience, Stage
from scenarios.targets.embedded_provider import EmbeddedProvider, embedded_provider
from scenarios.targets.external_fit import (
    NOT_SHOWN,
    TIME_SCALE,
    judged,
    pace_in,
    paced,
    with_goods_gone,
    with_late_copies,
)
from scenarios.targets.external_shop import ExternalShop
from scenarios.targets.first_order import try_out
from scenarios.targets.processes import listening, serving
from scenarios.targets.service_control import ServiceControl
from scenarios.targets.service_process import ServiceProcess, free_port, is_taken
from scenarios.targets.target_file import Target, fill, load_target
from scenarios.targets.warehouse_door import WarehouseDoor
from scenarios.warehouse import Warehouse

__all__ = ["NOT_SHOWN", "check_external", "play_external"]

# Where a service that somebody else starts finds us, unless its target file says otherwise.
PSP_PORT = 8080
WAREHOUSE_PORT = 8082
CONNECT_TIMEOUT_S = 10.0
# At least so long the harness waits for an answer: a busy machine may stand still for a while.
ANSWER_TIMEOUT_MIN_S = 30.0

# The shape of the standard schedule within half a minute. It outlasts the chaos of scenarios that
# promise a retry after it, whatever the jitter takes away.
COMPRESSED_SCHEDULE = "3s,5s,10s,20s,40s,80s,160s,400s"

LONGER_CHAOS_S = 15.0
IDLE_SLACK_S = 3.0
DEATH_NEWS_WITHIN_S = 5.0


class _Clock:
    def now(self) -> float:
        return time.time()


@dataclass(frozen=True)
class _Set:
    """What one run is played on."""

    stage: Stage
    shop: ExternalShop
    service: ServiceProcess | None


async def check_external(file: str) -> str | None:
    """Start everything once, buy once and look at the order; return what seems not to be right.

    Raises WrongUsage for a file that is not right, and Unreachable for a service that cannot be
    worked with, before scenarios are played on it.
    """
    target = load_target(Path(file))
    if not target.is_started:
        await _expect_an_answer(target.document.base_url)
    async with _set(target, _provider_settings(target, {}, 0), 0, "try_out") as made:
        try:
            return await try_out(made.shop, made.stage, _own_s(target))
        except Unreachable as problem:
            if isinstance(problem.__cause__, httpx.TransportError):
                await _hear_of_its_end(made)
            if trouble := _trouble(made):
                raise Unreachable(trouble) from None
            raise


async def _hear_of_its_end(made: _Set) -> None:
    """Wait a while for the news of a process's end, which may come after its connections broke."""
    if made.service is None:
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DEATH_NEWS_WITHIN_S):
            await made.service.wait_until_gone()


def _trouble(made: _Set) -> str | None:
    """Say how the service came to an end that nobody here brought about, or None."""
    if made.service is None or made.service.died is None:
        return None
    return f"{made.service.died}; {made.service.last_line()}"


async def play_external(scenario: Scenario, seed: int, file: str) -> Played:
    """Play a scenario on the service. Raises WrongUsage or Unreachable."""
    target = load_target(Path(file))
    settings = _provider_settings(target, scenario.provider, seed)
    began = time.monotonic()
    async with _set(target, settings, seed, f"{scenario.name}-{seed}") as made:
        fitted = with_goods_gone(judged(paced(scenario, target), target), target)
        if made.service is not None:
            fitted = with_late_copies(fitted, made.service.took_s)
        mends = target.timing.checks_endpoint_within is not None and scenario.troubles_endpoint
        stage = replace(made.stage, pace=pace_in(scenario, target), mends_endpoint=mends)
        evidence = await play(fitted, stage, _bound_s(settings, target))
        trouble = _trouble(made)
    return Played(evidence, (time.monotonic() - began) * TIME_SCALE, None, trouble)


def _provider_settings(target: Target, table: Mapping[str, Any], seed: int) -> ProviderSettings:
    """Return the scenario's settings, with its delays compressed and the service's own pace."""
    schedule = table.get("retry_schedule", "standard")
    ours = {
        "port": _port(target, target.document.psp.port, PSP_PORT),
        "api_key": target.document.psp.key,
        "seed": seed,
        "time_scale": TIME_SCALE,
        # Real calls take real time: the provider makes what it invents faster, and no network.
        "attempt_timeout_s": target.timing.answers_within,
        "connect_timeout_s": CONNECT_TIMEOUT_S,
        "allow_public_targets": not target.is_started,
        "quiet": True,
    }
    if schedule == "standard":
        table = {**table, "retry_schedule": COMPRESSED_SCHEDULE}
    return provider_settings(table, **ours)


def _port(target: Target, given: int | None, agreed: int) -> int:
    if given is not None:
        return given
    return 0 if target.is_started else agreed


def _bound_s(settings: ProviderSettings, target: Target) -> float:
    """Return how long after the healing a correct service may take, in the scenario's seconds."""
    schedule = settings.retry_schedule
    ladder_s = sum(schedule.delays_s) * (1 + schedule.jitter)
    sending_s = schedule.attempts_max * settings.attempt_timeout_s * TIME_SCALE
    return ladder_s + sending_s + _own_s(target) * TIME_SCALE + SLACK_S


def _own_s(target: Target) -> float:
    """Return how long the service may take by itself, in real seconds."""
    timing = target.timing
    housekeeping_s = max(timing.reconciles_within or 0.0, timing.checks_endpoint_within or 0.0)
    return timing.gives_up_after + timing.retries_within + housekeeping_s


@asynccontextmanager
async def _set(
    target: Target, settings: ProviderSettings, seed: int, log_name: str
) -> AsyncIterator[_Set]:
    """Build everything in the order in which each needs the other; take it down in reverse."""
    document = target.document
    shipped_to, counted_at = Warehouse(time.time), Warehouse(time.time)
    transport = real_transport(CONNECT_TIMEOUT_S, allow_public=True)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(transport.aclose)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="psp-scenarios-")))
        port = stack.enter_context(free_port())
        base_url = fill(document.base_url, {"port": str(port)}).rstrip("/")
        warehouse_port = _port(target, document.warehouse.port, WAREHOUSE_PORT)
        bound = stack.enter_context(listening(warehouse_port, "[warehouse] port"))
        door = WarehouseDoor(shipped_to.app)
        warehouse_url = await stack.enter_async_context(serving(door, bound))
        provider = await stack.enter_async_context(
            embedded_provider(settings, _Clock(), random.Random(seed))
        )
        own_s = target.timing.gives_up_after + target.timing.retries_within
        timeout_s = max(ANSWER_TIMEOUT_MIN_S, own_s)
        headers = {"authorization": f"Bearer {settings.api_key}"}
        api = Api(provider.harness_url, transport, timeout_s, headers)
        service_api = Api(base_url, transport, timeout_s)
        secret = await _register(target, api, base_url)
        service = None
        if target.is_started:
            values = {
                "psp_url": provider.url,
                "psp_key": settings.api_key,
                "webhook_secret": secret,
                "warehouse_url": f"{warehouse_url}/fulfilments",
                "port": str(port),
                "data_dir": str(folder / "data"),
                "python": sys.executable,
            }
            (folder / "data").mkdir()
            log = _log_file(target, folder, log_name)
            service = _service(target, values, service_api, log)
            await _start(stack, service)
        shop = ExternalShop(
            target,
            service_api,
            api,
            shipped_to if target.find_fulfilments is None else counted_at,
            time.time,
        )
        yield _Set(_stage(target, api, shop, provider, door, service, seed), shop, service)


def _stage(
    target: Target,
    api: Api,
    shop: ExternalShop,
    provider: EmbeddedProvider,
    door: WarehouseDoor,
    service: ServiceProcess | None,
    seed: int,
) -> Stage:
    control = ServiceControl(
        service,
        provider.transport.line,
        door,
        target.timing.answers_within,
        lambda seconds: seconds / TIME_SCALE,
        time.time,
    )
    provider.transport.watch = control
    return Stage(
        provider=api,
        shop=shop,
        warehouse=shop.warehouse,
        now=time.time,
        seed=seed,
        time_scale=TIME_SCALE,
        world=control,
        patience=Patience(LONGER_CHAOS_S, _own_s(target) + IDLE_SLACK_S, control.is_busy),
    )


async def _register(target: Target, provider: Api, base_url: str) -> str:
    """Register the webhook if the target file says where; return its secret, or an empty text.

    Raises WrongUsage for an address or a secret that the provider does not take.
    """
    webhook = target.document.webhook
    if webhook.url is None:
        return ""
    wanted = {"url": base_url + webhook.url, "dialect": webhook.dialect}
    if webhook.secret is not None:
        wanted["secret"] = webhook.secret
    status, answer = await provider.call("POST", "/v1/webhook_endpoints", wanted)
    if status != 201:
        raise WrongUsage(f"[webhook]: the provider does not take it: {answer['detail']}")
    return str(answer["secret"])


def _log_file(target: Target, folder: Path, name: str) -> Path:
    """Return where the service's output goes: kept if the target file says where, else not."""
    if target.document.logs is None:
        return folder / "service.log"
    kept = target.file.parent / target.document.logs
    log = kept / f"{name}.log"
    try:
        kept.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        log.touch()
    except OSError as problem:
        raise WrongUsage(
            f"{target.file}: logs: cannot write {log}: {problem.strerror}"
        ) from problem
    return log


def _service(target: Target, values: Mapping[str, str], api: Api, log: Path) -> ServiceProcess:
    document = target.document
    return ServiceProcess(
        command=[fill(word, values) for word in document.start],
        folder=target.file.resolve().parent,
        environment={name: fill(str(text), values) for name, text in document.env.items()},
        log=log,
        api=api,
        ready=document.ready,
        ready_within_s=target.timing.ready_within,
    )


async def _start(stack: AsyncExitStack, service: ServiceProcess) -> None:
    url = httpx.URL(service.api.base_url)
    port = url.port or (443 if url.scheme == "https" else 80)
    if is_taken(url.host, port):
        raise Unreachable(
            f"port {port} of base_url is taken by another program: stop that, "
            "or write {port} in base_url and start the service there"
        )
    stack.push_async_callback(service.stop)
    await service.start()
    await service.wait_until_ready()


async def _expect_an_answer(base_url: str) -> None:
    transport = real_transport(CONNECT_TIMEOUT_S, allow_public=True)
    try:
        await Api(base_url.rstrip("/"), transport, ANSWER_TIMEOUT_MIN_S).send("GET", "/")
    except httpx.HTTPError as problem:
        raise Unreachable(
            f"nothing answers at {base_url} ({type(problem).__name__}): start the service, "
            "or let the harness do it with start"
        ) from problem
    finally:
        await transport.aclose()
