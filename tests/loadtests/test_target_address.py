"""A flood goes to this machine and private networks, unless somebody says otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loadtests.arguments import WrongUsage
from loadtests.target_address import check_target
from psp_sim.domain.target_address import is_forbidden, literal_address

ROOT = Path(__file__).parent.parent.parent
# Set apart for documentation: nobody has it.
PUBLIC = "http://192.0.2.1/hook"
ADDRESSES = (
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "172.32.0.1",
    "192.168.1.1",
    "93.184.216.34",
    "169.254.169.254",
    "100.100.100.200",
    "168.63.129.16",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "fd00::1",
    "fd00:ec2::254",
    "fe80::1",
    "::ffff:127.0.0.1",
    "64:ff9b::a00:1",
    "2606:4700::1",
    "2002:7f00:1::",
)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("allow_public", [False, True])
def test_it_goes_where_the_webhooks_of_the_provider_go(address: str, allow_public: bool) -> None:
    literal = literal_address(address)
    assert literal is not None
    url = f"http://[{address}]:3000/hook" if ":" in address else f"http://{address}:3000/hook"
    if is_forbidden(literal, allow_public=allow_public):
        with pytest.raises(WrongUsage, match="which is not called"):
            check_target(url, allow_public=allow_public)
    else:
        check_target(url, allow_public=allow_public)


def test_a_public_address_may_be_allowed_and_the_refusal_says_how() -> None:
    with pytest.raises(WrongUsage, match="add --allow-public-targets if it is yours"):
        check_target(PUBLIC, allow_public=False)


def test_a_name_is_as_good_as_its_addresses() -> None:
    check_target("http://localhost:3000/hook", allow_public=False)


def test_an_address_in_disguise_is_found_out() -> None:
    with pytest.raises(WrongUsage, match=r"2852039166 is 169\.254\.169\.254"):
        check_target("http://2852039166/hook", allow_public=True)


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "ftp://127.0.0.1/",
        "http://",
        "http:///hook",
        "http://127.0.0.1:70000/",
        "http://[::1/",
        "http://no-such-host.invalid/",
        "http://a..b/",
    ],
)
def test_what_is_no_url_of_a_host_is_refused(url: str) -> None:
    with pytest.raises(WrongUsage):
        check_target(url, allow_public=False)


@pytest.mark.parametrize("url", ["nonsense", PUBLIC])
def test_the_command_refuses_before_it_sends_anything(url: str, tmp_path: Path) -> None:
    flood = ("--suite", "webhooks", "--webhook-url", url, "--time", "1s", "--users", "1")
    done = subprocess.run(
        (sys.executable, "-m", "loadtests.run_load", *flood, "--reports", tmp_path / "reports"),
        cwd=ROOT,
        env=os.environ | {"LOAD_WEBHOOK_SECRET": "whsec_x"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("load: ")


def test_users_that_come_without_the_command_refuse_too() -> None:
    file = ROOT / "loadtests" / "locustfile.py"
    users = ("--headless", "--users", "1", "--run-time", "1s", "WebhookSender")
    done = subprocess.run(
        (sys.executable, "-m", "locust", "--locustfile", file, *users),
        cwd=ROOT,
        env=os.environ | {"LOAD_WEBHOOK_SECRET": "whsec_x", "LOAD_WEBHOOK_URL": PUBLIC},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "192.0.2.1 is 192.0.2.1, which is not called" in done.stderr
