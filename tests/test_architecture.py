"""The layout's promises, checked on the source: directions, circles, clocks, threads, sizes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("sqlport", "psp_sim", "shop", "scenarios", "loadtests")

# Package → which of ours it may import.
ALLOWED = {
    "sqlport": set(),
    "psp_sim": {"sqlport"},
    "shop": {"sqlport"},
    "scenarios": {"sqlport", "psp_sim", "shop"},
    "loadtests": set(),
}

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

# Real clocks, hidden randomness and threads: only where the real world begins.
BANNED_CALLS = {
    "time.time",
    "time.monotonic",
    "time.sleep",
    "time.perf_counter",
    "datetime.now",
    "datetime.utcnow",
    "date.today",
    "random.random",
    "random.randint",
    "random.choice",
    "random.uniform",
    "random.shuffle",
    "random.seed",
    "random.SystemRandom",
    "uuid.uuid4",
    "uuid.uuid1",
    "secrets.token_hex",
    "secrets.token_bytes",
    "os.urandom",
    "asyncio.to_thread",
    "threading.Thread",
    "anyio.to_thread.run_sync",
}
BANNED_IMPORTS = {"threading", "secrets", "uuid", "starlette.testclient", "starlette.background"}


def _modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


ALL = [path for package in PACKAGES for path in _modules(package)]
OURS = {_name(path): path for path in ALL}


def _imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at the top or inside a function."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            assert node.module is not None
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in OURS else node.module


def _edges() -> dict[str, list[str]]:
    return {
        name: [found for found in _imports(path) if found in OURS and found != name]
        for name, path in OURS.items()
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_its_direction_allows(package: str) -> None:
    for path in _modules(package):
        for found in _imports(path):
            top = found.split(".")[0]
            if top in PACKAGES and top != package:
                assert top in ALLOWED[package], f"{path.relative_to(ROOT)} imports {found}"


def test_there_are_no_import_circles() -> None:
    edges = _edges()
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " → ".join([*trail[trail.index(name) :], name])
        if name in done:
            return
        for found in edges[name]:
            visit(found, (*trail, name))
        done.add(name)

    for name in edges:
        visit(name, ())


# Inside a service, from the top down; a file imports only from its own layer or below.
LAYERS = ("__main__", "app", "http", "verb", "store", "domain")


def _layer(name: str) -> str | None:
    parts = name.split(".")
    if parts[0] not in ("psp_sim", "shop") or len(parts) == 1:
        return None
    if "domain" in parts:
        return "domain"
    last = parts[-1]
    if last in ("__main__", "server", "guarded_transport", "pytest_plugin") or "testing" in parts:
        return "__main__"
    if last == "app":
        return "app"
    if last.startswith("http_") or "dashboard" in parts or "storefront" in parts:
        return "http"
    return (
        "store"
        if last.endswith("store") or last in ("outbox", "delivery_records", "queues")
        else "verb"
    )


def test_inside_a_service_imports_go_from_the_command_line_down_to_the_domain() -> None:
    for name, found_modules in _edges().items():
        for found in found_modules:
            upper, lower = _layer(name), _layer(found)
            if upper and lower and name.split(".")[0] == found.split(".")[0]:
                assert LAYERS.index(upper) <= LAYERS.index(lower), f"{name} imports {found}"


def test_only_the_translation_layer_of_a_service_knows_the_web_framework() -> None:
    for name, path in OURS.items():
        if _layer(name) in ("verb", "store", "domain"):
            assert not any(found.startswith("starlette") for found in _imports(path)), name


def test_the_domain_is_pure() -> None:
    for name, path in OURS.items():
        if _layer(name) != "domain":
            continue
        tree = _tree(path)
        asynchronous = (ast.AsyncFunctionDef, ast.Await, ast.AsyncWith, ast.AsyncFor)
        assert not any(isinstance(node, asynchronous) for node in ast.walk(tree)), name
        for found in _imports(path):
            top = found.split(".")[0]
            assert top not in ("asyncio", "httpx", "msgspec", "sqlite3", "uvicorn"), name


def test_the_world_knows_nothing_of_payments() -> None:
    for path in _modules("scenarios/world"):
        for found in _imports(path):
            is_ours = found.split(".")[0] in PACKAGES
            allowed = found.startswith(("sqlport", "scenarios.world")) or found == "scenarios"
            assert not is_ours or allowed, f"{path.relative_to(ROOT)} imports {found}"


# Files where the real world begins, and what measures or runs real processes.
REAL_WORLD = (
    "psp_sim/__main__.py",
    "psp_sim/server.py",
    "psp_sim/testing/provider_thread.py",
    "psp_sim/testing/psp.py",
    "shop/__main__.py",
    "scenarios/commands/probe.py",
    "scenarios/comparison/live.py",
    "scenarios/demo/run_demo.py",
    "scenarios/commands/run.py",
    "scenarios/run_on_processes.py",
    "scenarios/run_suite.py",
    "scenarios/search/explore.py",
    "scenarios/targets/external.py",
    "scenarios/targets/live.py",
    "scenarios/world/guard.py",
    "scenarios/world/loop.py",
    "scenarios/world/outlets.py",
)


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize("path", ALL, ids=_name)
def test_clocks_randomness_and_threads_come_in_as_arguments(path: Path) -> None:
    relative = path.relative_to(ROOT).as_posix()
    if relative in REAL_WORLD or relative.startswith("loadtests/"):
        return
    assert not BANNED_IMPORTS & set(_imports(path))
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call):
            assert _dotted(node.func) not in BANNED_CALLS, f"{relative}:{node.lineno}"


def test_no_wait_loses_a_cancellation() -> None:
    """Before Python 3.12 wait_for forgets one that comes as what it waits for is done."""
    sources = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert not [path for path in sources if "asyncio.wait_for(" in path.read_text("utf-8")]


def test_every_endpoint_is_asynchronous() -> None:
    """A plain ``def`` endpoint would run in a thread, which virtual time cannot see."""
    for package in ("psp_sim", "shop", "scenarios"):
        for path in _modules(package):
            tree = _tree(path)
            plain = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and _dotted(node.func) == "Route":
                    endpoint = _dotted(node.args[1]).split(".")[-1]
                    assert endpoint not in plain, f"{path.relative_to(ROOT)}:{node.lineno}"


@pytest.mark.parametrize("path", ALL, ids=_name)
def test_files_and_functions_stay_small(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= FILE_LINES_MAX, f"{lines} lines"
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            length = node.end_lineno - node.lineno + 1
            assert length <= FUNCTION_LINES_MAX, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", ALL, ids=_name)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(_tree(path))


def test_importing_a_service_does_nothing() -> None:
    """No module of a service runs a call with an effect when it is imported."""
    for name, path in OURS.items():
        if name.split(".")[0] not in ("psp_sim", "shop", "sqlport") or name.endswith("__main__"):
            continue
        for statement in _tree(path).body:
            is_call = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
            assert not is_call, f"{name}:{statement.lineno} calls something at import"
