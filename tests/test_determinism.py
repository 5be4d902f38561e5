"""Same seed, same trace: across processes, hash seeds and Python versions; other seeds differ."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCENARIOS = ("calm", "storm", "crash_after_answer", "provider_outage", "secret_rotation")
OTHER_PYTHONS = [
    v for v in ("3.11", "3.12", "3.13") if v != f"{sys.version_info[0]}.{sys.version_info[1]}"
]


def _digests(python: str, hash_seed: str, seed: int = 7, *, jobs: int = 1) -> dict[str, str]:
    command = [python, "-m", "scenarios", "run", *SCENARIOS, "--json", "-"]
    done = subprocess.run(
        [*command, "--seed", str(seed), "--jobs", str(jobs)],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {each["name"]: each["digest"] for each in json.loads(done.stdout)["scenarios"]}


@pytest.fixture(scope="module")
def reference() -> dict[str, str]:
    return _digests(sys.executable, "0")


def test_the_same_seed_gives_the_same_digest_under_another_hash_seed(reference) -> None:
    assert _digests(sys.executable, "1") == reference


def test_the_number_of_processes_changes_nothing(reference) -> None:
    assert _digests(sys.executable, "random", jobs=2) == reference


def test_every_scenario_has_a_digest_of_its_own(reference) -> None:
    assert len(set(reference.values())) == len(SCENARIOS)


def test_another_seed_gives_other_digests(reference) -> None:
    others = _digests(sys.executable, "0", seed=8)
    assert all(others[name] != digest for name, digest in reference.items())


def _interpreter(version: str) -> str | None:
    """Find a Python that really runs: a version manager's placeholder may be on the path."""
    managed = sorted(Path.home().glob(f".pyenv/versions/{version}*/bin/python"))
    for candidate in (shutil.which(f"python{version}"), *map(str, managed)):
        if candidate is None:
            continue
        done = subprocess.run([candidate, "--version"], capture_output=True, check=False)
        if done.returncode == 0:
            return candidate
    return None


def _environment(version: str, interpreter: str) -> str:
    """Return a Python of this version that has the harness's libraries; made once and kept."""
    folder = ROOT / ".pythons" / version
    python = folder / "bin" / "python"
    constraints = ROOT / "constraints.txt"
    stamp = folder / "constraints.txt"
    if not stamp.exists() or stamp.read_bytes() != constraints.read_bytes():
        # Its own pip, and bytecode of files that nobody imports, would cost more than all the rest.
        subprocess.run([interpreter, "-m", "venv", "--clear", "--without-pip", folder], check=True)
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "-q"]
        install = [*pip, "--no-compile", "--no-build-isolation", "-c", str(constraints)]
        packages = [str(ROOT / "packaging" / "psp-sim"), str(ROOT)]
        editable = [word for package in packages for word in ("-e", package)]
        subprocess.run([*install, "hatchling", "editables"], check=True, timeout=1200)
        subprocess.run([*install, *editable], check=True, timeout=1200)
        shutil.copy(constraints, stamp)
    return str(python)


@pytest.mark.parametrize("version", OTHER_PYTHONS)
def test_every_installed_python_gives_the_same_digests(version: str, reference) -> None:
    interpreter = _interpreter(version)
    if interpreter is None:
        pytest.skip(f"Python {version} is not installed on this machine")
    assert _digests(_environment(version, interpreter), "2") == reference
