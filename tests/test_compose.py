"""compose.yaml and Dockerfile, as far as they can be tried without a container engine."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from loadtests.lost_answers import FAULTS, stop_timeout_s
from tests.loadtests.test_run_load import patient_thresholds
from tests.topology import (
    FASTER,
    ROOT,
    SCALED,
    SERVICES,
    load_and_verify,
    open_topology,
    settings_of,
)

LASTING = [name for name, service in SERVICES.items() if "profiles" not in service]
OURS = [name for name in SERVICES if SERVICES[name].get("command", [""])[0] == "python"]
NGINX = ("gateway", "front")


def test_the_services_are_there() -> None:
    assert set(LASTING) == {*NGINX, "postgres", "warehouse", *SCALED}
    profiles = {name: SERVICES[name]["profiles"] for name in set(SERVICES) - set(LASTING)}
    assert profiles == {
        "locust-master": ["load"],
        "locust-worker": ["load"],
        "prometheus": ["observe"],
    }


@pytest.mark.parametrize("service", OURS)
def test_every_command_is_a_module_that_exists(service: str) -> None:
    python, option, module, *_ = SERVICES[service]["command"]
    assert (python, option) == ("python", "-m")
    assert importlib.util.find_spec(module) is not None


@pytest.mark.parametrize("service", ["locust-master", "locust-worker"])
def test_the_file_and_the_users_that_locust_is_given_exist(service: str) -> None:
    command = SERVICES[service]["command"]
    file = ROOT / command[command.index("--locustfile") + 1]
    users = [word for word in command if word.istitle()]
    assert users
    assert all(f"import {user}" in file.read_text(encoding="utf-8") for user in users)


@pytest.mark.parametrize("service", ["locust-master", "locust-worker"])
def test_users_can_ask_the_provider_which_faults_are_in_force(service: str) -> None:
    environment = settings_of(service)
    assert FAULTS not in environment, "what is told once and for all is wrong for other presets"
    assert environment["LOAD_ADMIN_TOKEN"] == settings_of("psp-api")["PSP_ADMIN_TOKEN"]


def test_buyers_have_the_time_that_they_need_where_answers_are_lost() -> None:
    command = SERVICES["locust-master"]["command"]
    assert float(command[command.index("--stop-timeout") + 1]) == stop_timeout_s("outage")


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_is_confined(service: str) -> None:
    settings = SERVICES[service]
    assert settings["user"] not in ("", "0", "root")
    assert settings["cap_drop"] == ["ALL"]
    assert settings["security_opt"] == ["no-new-privileges:true"]
    assert settings["read_only"] is True
    assert set(settings["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert "privileged" not in settings


@pytest.mark.parametrize("service", SERVICES)
def test_every_image_is_pinned_to_a_version(service: str) -> None:
    assert re.search(r":v?\d+\.\d+(\.\d+)?(-\w+)?$", SERVICES[service]["image"])


@pytest.mark.parametrize("service", [*LASTING, "prometheus"])
def test_every_lasting_service_is_asked_for_its_health(service: str) -> None:
    test = SERVICES[service]["healthcheck"]["test"]
    assert test[0] == "CMD"
    if service in OURS:
        assert test[1:3] == ["python", "-c"]
        compile(test[3], "healthcheck", "exec")


def test_every_secret_can_be_set_from_the_environment() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    for name in ("POSTGRES_PASSWORD", "PSP_API_KEY", "PSP_ADMIN_TOKEN", "SHOP_PSP_KEY"):
        assert f"${{{name}:-" in text
    assert re.findall(r"(?<!:-)(?<!admin_)(?<!sk_test_)for_development_only", text) == []


def test_the_provider_and_the_shop_share_a_key_that_says_what_it_is_for() -> None:
    key = settings_of("psp-api")["PSP_API_KEY"]
    assert key == settings_of("psp-delivery")["PSP_API_KEY"]
    assert key == settings_of("shop")["SHOP_PSP_KEY"] == settings_of("shop-worker")["SHOP_PSP_KEY"]
    assert "development" in key
    assert "development" in settings_of("psp-api")["PSP_ADMIN_TOKEN"]


def test_nothing_is_open_to_other_machines() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_what_is_scaled_has_no_port_of_the_machine() -> None:
    assert all("ports" not in SERVICES[name] for name in (*SCALED, "locust-worker"))


def test_urls_inside_the_network_name_services_and_their_ports() -> None:
    ports = {"front": {"8080", "8081"}, "gateway": {"8090"}, "warehouse": {"8082"}}
    values = [value for name in OURS for value in settings_of(name).values()]
    found = re.findall(r"http://([\w-]+):(\d+)", " ".join(values))
    assert {host for host, _ in found} == set(ports)
    assert all(port in ports[host] for host, port in found)


def test_prometheus_asks_every_process_that_has_metrics() -> None:
    jobs = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text())["scrape_configs"]
    asked = [one for job in jobs for sd in job["dns_sd_configs"] for one in sd["names"]]
    assert set(asked) == set(SCALED)


OBSERVE = ("--profile", "observe")


def test_a_compose_program_accepts_the_file() -> None:
    # A dry run, since otherwise it first looks for an engine.
    program = (sys.executable, "-m", "podman_compose", "--dry-run")
    command = (*program, "--file", "compose.yaml", "--profile", "load", *OBSERVE, "config")
    ours = ("PSP_", "SHOP_", "POSTGRES_", "GATEWAY_", "LOCUST_")
    bare = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    read = yaml.safe_load(done.stdout)
    assert set(read["services"]) == set(SERVICES)
    for service in LASTING:
        environment = read["services"][service].get("environment", {})
        assert environment == settings_of(service), "defaults are filled in as we expect"


@pytest.mark.live
def test_the_same_commands_run_here_and_survive_kill_9_under_load(tmp_path: Path) -> None:
    """nginx, PostgreSQL and two of every service, one provider and one shop process dying."""
    killed = ("psp-delivery", "shop-worker")
    extra = {**FASTER, "PSP_PRESET": "flaky", "PSP_LEASE": "5s"}
    with open_topology(tmp_path, dict.fromkeys(SCALED, 2), extra) as topology:
        reports = tmp_path / "reports"
        status = load_and_verify(topology, 6, 8, reports, killed, patient_thresholds(tmp_path))
        assert [topology.processes[name][0].poll() for name in killed] == [-9, -9]
        books = topology.books
        key = {"authorization": f"Bearer {books.psp_key}"}
        [endpoint] = _read(f"{books.psp_url}/v1/webhook_endpoints", key)["data"]
        deliveries = f"{books.psp_url}/v1/webhook_endpoints/{endpoint['id']}/deliveries"
        states = {one["state"] for one in _read(deliveries, key)["data"]}
    assert status == 0
    assert endpoint["url"] == f"http://127.0.0.1:{topology.nginx['8090']}/webhooks/psp"
    assert "delivered" in states, "webhooks came through the gateway"


def _read(url: str, headers: dict[str, str]) -> Any:
    with httpx.Client(trust_env=False, timeout=60) as client:
        for _ in range(20):  # faults are in force
            answer = client.get(url, headers=headers)
            if answer.status_code == 200:
                return answer.json()
    raise AssertionError(answer.text)


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
