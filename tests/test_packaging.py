"""The two packages: what each wheel carries, what it asks for, and the versions that are pinned."""

from __future__ import annotations

import ast
import json
import os
import re
import site
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
LIBRARY = ROOT / "packaging" / "psp-sim"
OURS = {"psp_sim", "sqlport", "shop", "scenarios", "loadtests", "tests"}
# Loaded by their names, so that no import statement shows them.
LOADED_BY_NAME = {"httptools"}
# Of an extra, and imported only by the file that the extra is for.
OPTIONAL = {
    "locust", "psutil", "psycopg", "psycopg_pool", "cryptography", "pytest", "distributed",
}  # fmt: skip
# Plugins of this environment that the scratch project has no use for, and that are slow to load.
OTHER_PLUGINS = ("playwright", "locust", "hypothesispytest", "faker", "pyreqwest", "schemathesis")
IMPORT_NAMES = {"faker": "Faker"}


def _project(folder: Path) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return project


def _distribution(requirement: str) -> str:
    return re.split(r"[<>=;\[ ]", requirement)[0]


def _imported(*packages: str) -> set[str]:
    """The distributions that the packages import, at the top or inside a function."""
    tops: set[str] = set()
    for path in (path for package in packages for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                tops |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                tops.add(node.module.split(".")[0])
    return {IMPORT_NAMES.get(top, top) for top in tops - OURS - sys.stdlib_module_names}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build both wheels, with the build backend that the environment has."""
    folder = tmp_path_factory.mktemp("wheels")
    for project in (LIBRARY, ROOT):
        command = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
        done = subprocess.run(command, cwd=project, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    return {path.name.split("-")[0]: path for path in folder.glob("*.whl")}


def _contents(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return [name for name in archive.namelist() if ".dist-info/" not in name]


def test_the_provider_carries_two_names_and_nothing_else(wheels: dict[str, Path]) -> None:
    assert {name.split("/")[0] for name in _contents(wheels["psp_sim"])} == {"psp_sim", "sqlport"}


def test_the_harness_carries_the_rest(wheels: dict[str, Path]) -> None:
    tops = {name.split("/")[0] for name in _contents(wheels["psp_scenarios"])}
    assert tops == {"shop", "scenarios", "loadtests"}


@pytest.mark.parametrize(
    ("wheel", "packages"),
    [("psp_sim", ("psp_sim", "sqlport")), ("psp_scenarios", ("shop", "scenarios", "loadtests"))],
)
def test_a_wheel_carries_every_file_of_its_packages(
    wheels: dict[str, Path], wheel: str, packages: tuple[str, ...]
) -> None:
    contents = set(_contents(wheels[wheel]))
    for package in packages:
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and path.suffix != ".pyc":
                assert path.relative_to(ROOT).as_posix() in contents


def test_the_catalogue_is_in_the_harness(wheels: dict[str, Path]) -> None:
    contents = _contents(wheels["psp_scenarios"])
    assert sum(name.startswith("scenarios/catalogue/") for name in contents) > 30


def test_the_provider_alone_starts_and_brings_no_shop(
    wheels: dict[str, Path], tmp_path: Path
) -> None:
    """Libraries come from this environment by path only: without its links to the checkout."""
    with zipfile.ZipFile(wheels["psp_sim"]) as archive:
        archive.extractall(tmp_path)
    program = (
        "import importlib.util, sys\n"
        f"sys.path += [{str(tmp_path)!r}, *{site.getsitepackages()!r}]\n"
        "from psp_sim.__main__ import main\n"
        f"assert sys.modules['psp_sim'].__file__.startswith({str(tmp_path)!r})\n"
        "assert not any(importlib.util.find_spec(name) for name in ('shop', 'scenarios'))\n"
        "main(['--help'])\n"
    )
    command = (sys.executable, "-I", "-S", "-c", program)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "usage: psp-sim" in done.stdout


def _environment(folder: Path, *wheels: Path) -> Path:
    """Make an environment with these wheels; return the folder of its programs.

    Libraries come from this one by path only, which leaves out its links to the checkout.
    """
    make = (sys.executable, "-m", "venv", "--without-pip", str(folder))
    subprocess.run(make, check=True, capture_output=True)
    python = str(folder / "bin" / "python")
    pip = (sys.executable, "-m", "pip", "--python", python, "--quiet", "install")
    options = ("--no-deps", "--no-index", "--disable-pip-version-check")
    subprocess.run((*pip, *options, *map(str, wheels)), check=True, capture_output=True)
    [libraries] = folder.glob("lib/python*/site-packages")
    (libraries / "beside.pth").write_text("\n".join(site.getsitepackages()))
    return folder / "bin"


def _files_in(markdown: str) -> dict[str, str]:
    """Return the files of a page: blocks of Python whose first line is ``# path``."""
    blocks = re.findall(r"```python\n# (\S+\.py)\n(.*?)```", markdown, re.DOTALL)
    return dict(blocks)


def _written(files: dict[str, str], folder: Path) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def _pytest(python: Path, folder: Path, *options: str, without: Sequence[str] = ()) -> str:
    """Run what the program ``pytest`` runs, which leaves the current folder out of the path."""
    others = [word for name in (*OTHER_PLUGINS, *without) for word in ("-p", f"no:{name}")]
    quick = ("-q", "-p", "no:cacheprovider", *others, "-W", "error")
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run(
        (str(python), "-P", "-m", "pytest", *quick, *options),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _plugin_page() -> str:
    return (ROOT / "docs" / "pytest-plugin.md").read_text(encoding="utf-8")


def test_the_documented_example_passes_as_it_is_written_in_an_empty_folder(
    wheels: dict[str, Path], tmp_path: Path
) -> None:
    programs = _environment(tmp_path / "venv", wheels["psp_sim"])
    files = _files_in(_plugin_page())
    assert len(files) == 2, "two files, says the page"
    project = _written(files, tmp_path / "project")
    said = _pytest(programs / "python", project, without=("asyncio", "xdist"))
    assert "4 passed" in said


def test_the_documented_example_passes_in_a_project_whose_packages_have_our_names(
    wheels: dict[str, Path], tmp_path: Path
) -> None:
    programs = _environment(tmp_path / "venv", wheels["psp_sim"])
    files = _files_in(_plugin_page())
    [asynchronous] = re.findall(
        r"```python\n(@pytest.mark.asyncio\n.*?)```", _plugin_page(), re.DOTALL
    )
    files["test_webhooks.py"] += f"\n\n{asynchronous}"
    files["scenarios/__init__.py"] = files["shop/__init__.py"] = "THEIRS = True\n"
    files["test_names.py"] = (
        "import scenarios, shop\ndef test_they_are_theirs(psp):\n"
        "    assert shop.THEIRS and scenarios.THEIRS\n"
    )
    files["pytest.ini"] = (
        "[pytest]\naddopts = --strict-markers\nasyncio_default_fixture_loop_scope = function\n"
    )
    project = _written(files, tmp_path / "project")
    assert "6 passed" in _pytest(programs / "python", project, "-n", "2")
    left = [path for path in project.rglob("*.*") if path.suffix != ".pyc"]
    assert {path.relative_to(project).as_posix(): path.read_text() for path in left} == files


def test_the_harness_runs_its_suite_from_any_folder(
    wheels: dict[str, Path], tmp_path: Path
) -> None:
    programs = _environment(tmp_path / "venv", *wheels.values())
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("raise RuntimeError('not this one')\n")
    some = ("calm", "crash_while_processing", "lost_answers", "storm")
    command = (str(programs / "psp-scenarios"), "run", *some, "--json", "-", "--jobs", "1")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["verdict"] == "held"
    assert [scenario["name"] for scenario in document["scenarios"]] == list(some)


def test_the_commands_are_installed_under_their_names() -> None:
    assert _project(LIBRARY)["scripts"] == {"psp-sim": "psp_sim.__main__:main"}
    assert _project(ROOT)["scripts"] == {
        "psp-shop": "shop.__main__:main",
        "psp-scenarios": "scenarios.__main__:run_as_process",
    }


def test_the_provider_asks_for_what_it_imports() -> None:
    asked = {_distribution(one) for one in _project(LIBRARY)["dependencies"]}
    assert asked == _imported("psp_sim", "sqlport") - OPTIONAL


def test_the_harness_asks_for_what_it_imports() -> None:
    asked = {_distribution(one) for one in _project(ROOT)["dependencies"]}
    imported = _imported("shop", "scenarios", "loadtests")
    assert asked - LOADED_BY_NAME - {"psp-sim"} == imported - OPTIONAL


def test_both_packages_have_one_version_one_licence_and_one_range_of_pythons() -> None:
    library, harness = _project(LIBRARY), _project(ROOT)
    assert f"psp-sim=={library['version']}" in harness["dependencies"]
    for key in ("version", "license", "requires-python"):
        assert library[key] == harness[key]
    assert (LIBRARY / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


def test_requirements_that_both_have_are_the_same() -> None:
    shared: dict[str, str] = {}
    for project in (LIBRARY, ROOT):
        for requirement in _project(project)["dependencies"]:
            name = _distribution(requirement)
            assert shared.setdefault(name, requirement) == requirement


def test_the_extras_have_their_names() -> None:
    extras = _project(ROOT)["optional-dependencies"]
    assert {"load", "page", "postgres", "cluster", "dev"} <= extras.keys()


def test_every_direct_requirement_is_pinned_to_one_version_and_no_address() -> None:
    lines = (ROOT / "constraints.txt").read_text().split()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line) for line in lines)
    pinned = {line.split("==")[0].lower() for line in lines}
    harness = _project(ROOT)
    extras = [one for extra in harness["optional-dependencies"].values() for one in extra]
    for requirement in (*harness["dependencies"], *_project(LIBRARY)["dependencies"], *extras):
        name = _distribution(requirement).lower()
        assert name in pinned or name == "psp-sim", f"{requirement} has no line in constraints.txt"
