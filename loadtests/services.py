"""A suite's name comes in; what it is played against goes out, started on free ports of this
machine, and what locust has to be told of it.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from loadtests.control_faults import kinds_in_force
from loadtests.lost_answers import FAULTS
from loadtests.processes import CouldNotStart, running
from loadtests.read_books import READ_TIMEOUT_S, Services

PROVIDER, WAREHOUSE, SHOP = "provider", "warehouse", "shop"
REGISTRAR = "registrar"
WEBHOOK_PATH = "/webhooks/psp"
# The provider's own delays, and those of its faults, pass ten times faster: a settlement after
# 200 ms, retries after 1, 2, 4 and 8 s.
TIME_SCALE = "10"
# A cache fills for a long time: with a small one, memory that grows is a leak.
CACHE = "?cache_mb=4"
SETTLE_AFTER, RETRIES = "2s", "10s,20s,40s,80s"
REGISTERED_WITHIN_S, LOOK_EVERY_S = 60.0, 0.05
_LOCAL = ("serve", "--host", "127.0.0.1", "--port", "0", "--database")


@dataclass(frozen=True)
class Target:
    """What is loaded: a sentence about it, locust's environment, and the books to verify, if any.

    ``process_ids`` are those of the processes that belong to it, by the names of their logs.
    """

    told: str
    environment: Mapping[str, str]
    books: Services | None = None
    process_ids: Mapping[str, int] = field(default_factory=dict)


@contextmanager
def whole_stack(folder: Path, preset: str) -> Iterator[Target]:
    """Start provider, warehouse and shop. Raises CouldNotStart."""
    key = f"sk_test_{secrets.token_hex(12)}"
    provider = ("psp_sim", *_LOCAL, f"sqlite:///{folder}/psp.sqlite3{CACHE}", "--preset", preset)
    delays = ("--settle-after", SETTLE_AFTER, "--retry-schedule", RETRIES)
    scaled = ("--time-scale", TIME_SCALE, "--quiet", "true")
    with ExitStack() as stack:
        psp = stack.enter_context(
            running(PROVIDER, (*provider, *delays, *scaled), folder, {"PSP_API_KEY": key})
        )
        warehouse = stack.enter_context(
            running(WAREHOUSE, ("loadtests.warehouse", "--port", "0"), folder)
        )
        shop = stack.enter_context(
            running(SHOP, _shop(folder, psp.url, warehouse.url), folder, {"SHOP_PSP_KEY": key})
        )
        wait_until_registered(shop.url)
        yield Target(
            f"the shop at {shop.url} and the provider at {psp.url} ({preset})",
            {
                "LOAD_SHOP": shop.url,
                "LOAD_PSP": psp.url,
                "LOAD_PSP_KEY": key,
                FAULTS: kinds_in_force(psp.url),
            },
            Services(psp.url, key, shop.url, warehouse.url),
            {PROVIDER: psp.process_id, WAREHOUSE: warehouse.process_id, SHOP: shop.process_id},
        )


@contextmanager
def shop_alone(folder: Path) -> Iterator[Target]:
    """Start a shop that takes its webhook secret from a stand-in. Raises CouldNotStart."""
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    with ExitStack() as stack:
        registrar = stack.enter_context(
            running(
                REGISTRAR,
                ("loadtests.registrar", "--port", "0"),
                folder,
                {"REGISTRAR_SECRET": secret},
            )
        )
        shop = stack.enter_context(
            running(SHOP, _shop(folder, registrar.url), folder, {"SHOP_PSP_KEY": "none"})
        )
        wait_until_registered(shop.url)
        url = shop.url + WEBHOOK_PATH
        yield Target(
            f"the webhooks of the shop at {url}",
            consumer(url, secret, "standard").environment,
            process_ids={REGISTRAR: registrar.process_id, SHOP: shop.process_id},
        )


def consumer(url: str, secret: str, dialect: str, *, may_be_public: bool = False) -> Target:
    """Return a consumer that runs already."""
    return Target(
        f"the webhooks at {url}",
        {
            "LOAD_WEBHOOK_URL": url,
            "LOAD_WEBHOOK_SECRET": secret,
            "LOAD_WEBHOOK_DIALECT": dialect,
            "LOAD_ALLOW_PUBLIC_TARGETS": "yes" if may_be_public else "no",
        },
    )


def wait_until_registered(*shop_urls: str) -> None:
    """Wait for the shop to be known to the provider, whose faults may refuse that a few times.

    What is paid before has no webhook: users who come at once would measure that and nothing else.
    Of several processes of one shop, one does it for all. Raises CouldNotStart.
    """
    give_up_at = time.monotonic() + REGISTERED_WITHIN_S
    with httpx.Client(timeout=READ_TIMEOUT_S, trust_env=False) as client:
        while time.monotonic() < give_up_at:
            for url in shop_urls:
                health = client.get(f"{url}/healthz").raise_for_status().json()
                if health["webhook_endpoint"]["state"] == "ok":
                    return
            time.sleep(LOOK_EVERY_S)
    raise CouldNotStart("the shop could not register for webhooks at the provider: see its log")


def _shop(folder: Path, psp_url: str, warehouse_url: str | None = None) -> tuple[str, ...]:
    command = ("shop", *_LOCAL, f"sqlite:///{folder}/shop.sqlite3{CACHE}", "--psp", psp_url)
    ships = ("--warehouse-url", f"{warehouse_url}/fulfilments") if warehouse_url else ()
    return (*command, *ships)
