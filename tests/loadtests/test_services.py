"""The load begins with services that know each other, whatever the faults refused at first."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from loadtests.processes import running
from loadtests.services import wait_until_registered

KEY = "sk_test_load"
_LOCAL = ("serve", "--host", "127.0.0.1", "--port", "0", "--database")


@pytest.mark.live
def test_nobody_buys_before_the_shop_is_registered_for_webhooks(tmp_path: Path) -> None:
    provider = ("psp_sim", *_LOCAL, f"sqlite:///{tmp_path}/psp.sqlite3")
    shop = ("shop", *_LOCAL, f"sqlite:///{tmp_path}/shop.sqlite3")
    refusal = {"kind": "error", "operation": "create_endpoint", "attempt": 1}
    with running("provider", provider, tmp_path, {"PSP_API_KEY": KEY}) as psp:
        headers = {"authorization": f"Bearer {KEY}"}
        with httpx.Client(base_url=psp.url, trust_env=False, headers=headers) as client:
            client.post("/_control/faults", json=refusal).raise_for_status()
            command = (*shop, "--psp", psp.url)
            with running("shop", command, tmp_path, {"SHOP_PSP_KEY": KEY}) as started:
                wait_until_registered(started.url)
                assert client.get("/_control/faults").json()["fired"] == {"error": 1}
                assert len(client.get("/v1/webhook_endpoints").json()["data"]) == 1
