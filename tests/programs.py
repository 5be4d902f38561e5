"""Programs of the system that a test needs: found, else installed where that is allowed, else
the test is skipped with the reason."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

_INSTALL_TIMEOUT_S = 300
# Somebody else's installation may be under way as well.
_APT = ("apt-get", "--quiet", "-o", "DPkg::Lock::Timeout=120")


def program(name: str, package: str) -> str:
    """The path of a program, from the Debian package ``package`` if it is not there yet."""
    found = shutil.which(name, path=_search_path())
    if found is None:
        _install(package)
        found = shutil.which(name, path=_search_path())
    if found is None:
        pytest.skip(f"{name} is not there after installing the package {package}")
    return found


def _search_path() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin"])


def _install(package: str) -> None:
    if shutil.which("apt-get") is None:
        pytest.skip(f"the package {package} is missing, and there is no apt-get to install it with")
    if os.geteuid() != 0:
        pytest.skip(f"the package {package} is missing: as root, apt-get install {package}")
    # Test processes run side by side, and apt-get wants to be alone.
    with (Path(tempfile.gettempdir()) / "psp-sim-tests-apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _run(*_APT, "update")
        _run(*_APT, "install", "--yes", "--no-install-recommends", package)


def _run(*command: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(
            command, env=environment, check=True, capture_output=True, timeout=_INSTALL_TIMEOUT_S
        )
    except subprocess.CalledProcessError as problem:
        last = problem.stderr.decode(errors="replace").strip().splitlines()[-1:]
        pytest.skip(f"{' '.join(command)} failed: {''.join(last)}")
    except subprocess.TimeoutExpired:
        pytest.skip(f"{' '.join(command)} took longer than {_INSTALL_TIMEOUT_S} s")
