"""``psp-scenarios probe`` over real HTTP: what it prints and writes, and how it ends."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from psp_sim.server import bind, url_of
from scenarios.__main__ import main
from scenarios.targets.processes import serving
from tests.scenarios.probe import endpoints
from tests.scenarios.probe.endpoints import SECRET, endpoint


async def run_probe(url: str, *options: str) -> tuple[int, str, str]:
    # The limit belongs to the endpoint, and the machine may stand still.
    patient = ("--secret", SECRET, "--limit", "60s")
    command = ("-m", "scenarios", "probe", url, *patient, *options)
    pipes = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
    process = await asyncio.create_subprocess_exec(sys.executable, *command, **pipes)
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_a_right_endpoint_ends_with_0_and_json_alone_on_standard_output() -> None:
    async with serving(endpoint(endpoints.correct)) as url:
        status, out, err = await run_probe(f"{url}/hooks", "--json", "-")
    document = json.loads(out)
    assert {each["verdict"] for each in document["checks"]} == {"pass"}, out
    assert (status, document["score"]) == (0, 100)
    assert "why it matters" in err


async def test_a_wrong_endpoint_ends_with_1_and_is_told_how_to_fix_it(tmp_path: Path) -> None:
    junit = tmp_path / "probe.xml"
    async with serving(endpoint(endpoints.looks_only_into_the_past)) as url:
        status, out, _ = await run_probe(f"{url}/hooks", "--junit", str(junit))
    assert status == 1
    assert "abs(now - timestamp) > 300" in out
    failures = ElementTree.parse(junit).findall(".//testcase[failure]")
    assert [case.get("name") for case in failures] == ["future_refused"]


def test_however_often_nobody_is_there_python_ends_in_order() -> None:
    with bind("127.0.0.1", 0) as bound:
        url = url_of(bound)
    command = [sys.executable, "-m", "scenarios", "probe", url, "--secret", SECRET]
    probes = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(10)]
    assert [probe.wait() for probe in probes] == [3] * 10


def test_nobody_there_ends_with_3_and_one_line(capsys) -> None:
    with bind("127.0.0.1", 0) as bound:
        url = url_of(bound)
    assert main(["probe", url, "--secret", SECRET]) == 3
    captured = capsys.readouterr()
    assert captured.err.startswith(f"psp-scenarios: {url} cannot be reached: Connection refused")
    assert captured.err.count("\n") == 1
    assert "causes" not in captured.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["localhost:3000/hooks"], "is not a URL like"),
        (["http://127.0.0.1:99999/"], "is not a URL"),
        (["http://127.0.0.1:1/", "--dialect", "morse"], "--dialect morse is not known"),
        (["http://127.0.0.1:1/", "--body", "no/such/file"], "cannot read the body no/such/file"),
        (["http://127.0.0.1:1/", "--limit", "soon"], "--limit"),
        (["http://127.0.0.1:1/", "--limit", "0s"], "--limit has to be above 0"),
        (["http://8.8.8.8/"], "add --allow-public-targets"),
        (["http://169.254.169.254/", "--allow-public-targets"], "which is not called"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_ends_with_2_and_one_line(capsys, arguments: list[str], said: str) -> None:
    assert main(["probe", *arguments, "--secret", SECRET]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1


def test_an_empty_secret_is_told(capsys) -> None:
    assert main(["probe", "http://127.0.0.1:1/", "--secret", ""]) == 2
    assert "--secret is empty" in capsys.readouterr().err
