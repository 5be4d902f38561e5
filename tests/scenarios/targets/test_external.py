"""Services that are not started here, or that register their webhook themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from scenarios.__main__ import main
from scenarios.targets.service_process import free_port

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[3]
SECRET = "whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"
ORDERS = """
[place_order]
path = "/orders"
json = { items = [{ sku = "mug", quantity = 1 }], email = "{email}", currency = "EUR" }
amount = "amount"
currency = "currency"
[read_order]
path = "/orders/{order_id}"
paid = ["paid", "fulfilled"]
failed = ["failed"]
[timing]
gives_up_after = "1s"
retries_within = "1s"
reconciles_within = "0s"
checks_endpoint_within = "1s"
"""
REGISTERS_ITSELF = """
name = "sample-shop"
base_url = "http://127.0.0.1:{port}"
start = [
  "{python}", "-m", "shop", "serve", "--port", "{port}", "--psp", "{psp_url}",
  "--psp-key", "{psp_key}", "--database", "sqlite:///{data_dir}/shop.sqlite3",
  "--warehouse-url", "{warehouse_url}", "--endpoint-check-interval", "1s",
]
ready = "/healthz"
"""
RUNS_ALREADY = f"""
name = "runs-already"
base_url = "http://127.0.0.1:PORT"
[psp]
port = PSP
key = "sk_test_own"
[warehouse]
port = GOODS
[webhook]
url = "/webhooks/psp"
secret = "{SECRET}"
"""


def verdicts(target: Path, *scenarios: str) -> dict[str, str]:
    report = target.with_suffix(".json")
    main(["run", *scenarios, "--target", str(target), "--json", str(report)])
    return {each["name"]: each["verdict"] for each in json.loads(report.read_text())["scenarios"]}


def test_a_service_that_registers_its_webhook_itself_is_waited_for_and_mends_it(
    tmp_path: Path,
) -> None:
    target = tmp_path / "target.toml"
    target.write_text(REGISTERS_ITSELF + ORDERS)
    assert verdicts(target, "duplicated_webhooks", "disabled_endpoint") == {
        "disabled_endpoint": "held",
        "duplicated_webhooks": "held",
    }


OFFERS = ORDERS.replace(
    "[read_order]", "currencies = ['EUR', 'JPY', 'KWD']\n[webhook]\nper_second = 10\n[read_order]"
)
# Here what is bought decides on the currency.
SEVERAL = (
    OFFERS.replace('"mug"', '"{sku}"')
    .replace(', currency = "EUR"', "")
    .replace("currencies", "skus = ['mug', 'ramen-bowl', 'incense']\ncurrencies")
)
AT_STAKE = ("many_currencies", "flood_of_webhooks")


def test_who_sells_in_several_currencies_and_limits_its_webhooks_is_put_to_both(
    tmp_path: Path,
) -> None:
    target = tmp_path / "target.toml"
    limited = REGISTERS_ITSELF.replace('"1s",', '"1s", "--webhooks-per-second", "10",')
    target.write_text(limited + SEVERAL)
    assert verdicts(target, *AT_STAKE) == dict.fromkeys(sorted(AT_STAKE), "held")


def test_who_says_so_and_does_neither_proves_neither(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "target.toml"
    target.write_text(REGISTERS_ITSELF + OFFERS)
    assert verdicts(target, *AT_STAKE) == dict.fromkeys(sorted(AT_STAKE), "unproven")
    said = " ".join(capsys.readouterr().out.split())
    assert "never happened that orders were paid in currencies with different numbers of" in said
    assert "never happened that the shop asked the provider to come again later (429)" in said


def test_a_service_that_runs_already_is_tested_where_it_is(tmp_path: Path) -> None:
    with free_port() as port, free_port() as psp_port, free_port() as warehouse_port:
        variables = {
            "PORT": str(port),
            "PSP_URL": f"http://127.0.0.1:{psp_port}",
            "PSP_KEY": "sk_test_own",
            "WEBHOOK_SECRET": SECRET,
            "WAREHOUSE_URL": f"http://127.0.0.1:{warehouse_port}/fulfilments",
            "DATA_DIR": str(tmp_path),
        }
        target = tmp_path / "target.toml"
        ports = {"PORT": port, "PSP": psp_port, "GOODS": warehouse_port}
        text = RUNS_ALREADY + ORDERS
        for word, number in ports.items():
            text = text.replace(f":{word}", f":{number}").replace(f"= {word}", f"= {number}")
        target.write_text(text)
        service = subprocess.Popen(
            [sys.executable, str(ROOT / "examples" / "flask" / "correct.py")],
            env=os.environ | variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/healthz")
            assert verdicts(target, "calm", "forged_signatures") == {
                "calm": "held",
                "forged_signatures": "held",
            }
        finally:
            service.kill()
            service.wait()


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            httpx.get(url, trust_env=False)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{url} did not answer")
