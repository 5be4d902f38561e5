"""compose.yaml and Dockerfile, as far as they can be tried without a container engine."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from loadtests.processes import running

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
LASTING = ("psp", "shop", "warehouse")
_WITH_DEFAULT = re.compile(r"\$\{\w+:-([^${}]*)\}")


def _settings(service: str) -> dict[str, str]:
    """What a service finds in its environment when nobody has set anything."""
    settings = {}
    for name, value in SERVICES[service].get("environment", {}).items():
        while (plain := _WITH_DEFAULT.sub(r"\1", value)) != value:
            value = plain
        settings[name] = value
    return settings


def test_the_services_are_there() -> None:
    assert set(SERVICES) == {"psp", "shop", "warehouse", "locust"}
    assert SERVICES["locust"]["profiles"] == ["load"]


@pytest.mark.parametrize("service", SERVICES)
def test_every_command_is_a_module_that_exists(service: str) -> None:
    python, option, module, *_ = SERVICES[service]["command"]
    assert (python, option) == ("python", "-m")
    assert importlib.util.find_spec(module) is not None


def test_the_file_that_locust_is_given_exists() -> None:
    command = SERVICES["locust"]["command"]
    assert (ROOT / command[command.index("--locustfile") + 1]).is_file()


@pytest.mark.parametrize("service", LASTING)
def test_every_lasting_service_is_asked_for_its_health_by_python(service: str) -> None:
    test = SERVICES[service]["healthcheck"]["test"]
    assert test[:3] == ["CMD", "python", "-c"]
    compile(test[3], "healthcheck", "exec")


def test_the_provider_and_the_shop_share_a_key_that_says_what_it_is_for() -> None:
    key = _settings("psp")["PSP_API_KEY"]
    assert key == _settings("shop")["SHOP_PSP_KEY"]
    assert "development" in key
    assert "development" in _settings("psp")["PSP_ADMIN_TOKEN"]


def test_nothing_is_open_to_other_machines() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_urls_inside_the_network_name_services_and_their_ports() -> None:
    ports = {"psp": "8080", "shop": "8081", "warehouse": "8082"}
    texts = [*_settings("shop").values(), *SERVICES["locust"]["command"]]
    found = re.findall(r"http://(\w+):(\d+)", " ".join(texts))
    assert {host for host, _ in found} == set(ports)
    assert all(ports[host] == port for host, port in found)


def test_a_compose_program_accepts_the_file() -> None:
    # A dry run, since otherwise it first looks for an engine.
    program = (sys.executable, "-m", "podman_compose", "--dry-run")
    command = (*program, "--file", "compose.yaml", "--profile", "load", "config")
    ours = ("PSP_", "SHOP_")
    bare = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    read = yaml.safe_load(done.stdout)
    assert set(read["services"]) == set(SERVICES)
    for service in LASTING:
        environment = read["services"][service].get("environment", {})
        assert environment == _settings(service), "defaults are filled in as we expect"


@contextmanager
def _running(service: str, folder: Path, settings: dict[str, str]) -> Iterator[str]:
    """Run a service's own command as a plain process: on a free port, its files in a folder."""
    command = [{"8082": "0"}.get(word, word) for word in SERVICES[service]["command"][2:]]
    (folder / service).mkdir()
    moved = {
        name: value.replace("/data/", f"{folder}/") if "DATABASE" in name else value
        for name, value in _settings(service).items()
    }
    free = {name: "0" for name in moved if name.endswith("_PORT")}
    with running(service, command, folder / service, moved | free | settings) as url:
        yield url.replace("0.0.0.0", "127.0.0.1")


def _is_healthy(url: str) -> bool:
    with urllib.request.urlopen(f"{url}/healthz", timeout=10) as answer:
        return bool(answer.status == 200)


@pytest.mark.live
def test_the_same_commands_run_here_as_plain_processes(tmp_path: Path) -> None:
    with (
        _running("psp", tmp_path, {}) as psp,
        _running("warehouse", tmp_path, {}) as warehouse,
        _running("shop", tmp_path, {"SHOP_PSP": psp, "SHOP_PUBLIC_URL": ""}) as shop,
    ):
        assert all(_is_healthy(url) for url in (psp, warehouse, shop))


def test_what_the_image_copies_exists_and_is_sent_to_the_builder() -> None:
    sent = set((ROOT / ".dockerignore").read_text().split())
    copies = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    sources = [source for line in copies for source in line.split()]
    assert "psp_sim" in sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in sent, source


def test_the_image_carries_every_package_and_does_not_run_as_root() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    for package in ("sqlport", "psp_sim", "shop", "scenarios", "loadtests"):
        assert f"COPY {package} {package}\n" in dockerfile
    assert re.search(r"^USER (?!root)\w+$", dockerfile, re.MULTILINE)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_the_gate_is_a_program_and_uses_words_that_exist() -> None:
    gate = ROOT / ".ci" / "run"
    assert os.access(gate, os.X_OK)
    subprocess.run(("bash", "-n", str(gate)), check=True)
    words = set(re.findall(r"^make ([a-z]+)", gate.read_text(), re.MULTILINE))
    makefile = (ROOT / "Makefile").read_text()
    assert words >= {"check", "test"}
    assert words <= set(re.findall(r"^([a-z]+):(?!=)", makefile, re.MULTILINE))
