"""What keeps a service from being tested is one clear line, and nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios.__main__ import main

pytestmark = pytest.mark.live

STUB = Path(__file__).with_name("stub_service.py")
ROOT = Path(__file__).parents[3]
TARGET = f"""
name = "stub"
base_url = "http://127.0.0.1:{{port}}"
start = ["{{python}}", "{STUB}", "{{port}}", "WRONG", "{{data_dir}}"]
ready = "/healthz"
[webhook]
url = "/hooks"
[place_order]
path = "/orders"
[read_order]
path = "/orders/{{order_id}}"
paid = ["paid"]
[timing]
gives_up_after = "1s"
retries_within = "1s"
"""


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    yield
    assert not list(scratch.glob("psp-scenarios-*"))
    assert not _running_in(scratch)


def _running_in(folder: Path) -> list[str]:
    """The processes that were told of a folder: the stub gets its data directory as an argument."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(folder / "psp-scenarios-") in words:
            found.append(words)
    return found


def target(folder: Path, wrong: str = "nothing", **changes: str) -> str:
    text = TARGET.replace("WRONG", wrong)
    for before, after in changes.values():
        assert before in text
        text = text.replace(before, after)
    path = folder / "target.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("wrong", "change", "status", "said"),
    [
        ("nothing", ('path = "/orders"', 'path = "/order"'), 3, "answered 404: <html>nothing"),
        ("no json", None, 3, "answered 200 with something that is not JSON: <html>welcome</html>"),
        ("no id", None, 3, "place_order.order_id = 'id' finds no id in {"),
        ("server error", None, 3, "answered that it cannot take an order now"),
        ("unreadable orders", None, 3, "; is [read_order] path right?"),
        ("no status", None, 3, "read_order.status = 'status' finds nothing in {"),
        (
            "dies at once",
            None,
            3,
            "ended by itself (exit status 7) before it was ready; its last line: cannot find my",
        ),
        (
            "throws",
            None,
            3,
            "ended by itself (exit status 1) before it was ready; it said: KeyError: 'PSP_URL'",
        ),
        ("dies later", None, 3, "ended by itself (exit status 9); its last line: out of memory"),
        (
            "never ready",
            ("[timing]", '[timing]\nready_within = "1s"'),
            3,
            "was not ready within 1 s: GET http://127.0.0.1:",
        ),
        (
            "nothing",
            ('start = ["{python}", ', 'start = ["./nowhere", '),
            2,
            "cannot run './nowhere'",
        ),
        ("nothing", ('path = "/orders"', 'pth = "/orders"'), 2, "'pth' is not a key of [place_ord"),
        (
            "nothing",
            ("[webhook]", 'logs = "/dev/null/x"\n[webhook]'),
            2,
            "logs: cannot write /dev/null/x/try_out.log: Not a directory",
        ),
    ],
)
def test_a_service_that_cannot_be_worked_with_is_one_line(
    wrong: str, change: tuple[str, str] | None, status: int, said: str, tmp_path: Path, capsys
) -> None:
    changes = {"change": change} if change else {}
    assert main(["run", "calm", "--target", target(tmp_path, wrong, **changes)]) == status
    captured = capsys.readouterr()
    assert said in captured.err
    assert len(captured.err.splitlines()) == 1
    assert captured.out == ""


def elsewhere(folder: Path) -> str:
    """Return the target file of a service that nobody starts, and nobody has."""
    started = TARGET.splitlines()[3].replace("WRONG", "nothing")
    return target(folder, a=(started, ""), b=("{port}", "9"), c=('url = "/hooks"', ""))


def test_a_service_that_is_not_there_is_one_line(tmp_path: Path, capsys) -> None:
    assert main(["run", "calm", "--target", elsewhere(tmp_path)]) == 3
    err = capsys.readouterr().err
    assert "nothing answers at http://127.0.0.1:9" in err
    assert len(err.splitlines()) == 1


def test_however_often_it_is_not_there_python_ends_in_order(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scenarios", "run", "calm", "--target", elsewhere(tmp_path)]
    runs = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(10)]
    assert [run.wait() for run in runs] == [3] * 10


@pytest.mark.parametrize("key", ["base_url", "[psp] port", "[warehouse] port"])
def test_a_port_that_is_taken_is_named_with_the_key_that_chooses_it(
    key: str, tmp_path: Path, capsys
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        change = {
            "base_url": ("http://127.0.0.1:{port}", f"http://127.0.0.1:{port}"),
            "[psp] port": ("[timing]", f"[psp]\nport = {port}\n[timing]"),
            "[warehouse] port": ("[timing]", f"[warehouse]\nport = {port}\n[timing]"),
        }[key]
        assert main(["run", "calm", "--target", target(tmp_path, change=change)]) == 3
    err = capsys.readouterr().err
    assert f"port {port}" in err
    assert key in err
    assert len(err.splitlines()) == 1


def test_a_mutant_cannot_be_chosen_for_a_service_of_ones_own(tmp_path: Path, capsys) -> None:
    words = ["run", "calm", "--target", target(tmp_path), "--shop", "no_dedupe"]
    assert main(words) == 2
    assert "--shop is a choice among our own shops" in capsys.readouterr().err


def test_a_service_that_never_gets_an_order_paid_is_broken_and_its_output_is_kept(
    tmp_path: Path, capsys
) -> None:
    kept = {"logs": ('name = "stub"', 'name = "stub"\nlogs = "logs"')}
    report = tmp_path / "report.json"
    words = ["run", "calm", "--target", target(tmp_path, **kept)]
    assert main([*words, "--json", str(report)]) == 1
    assert (tmp_path / "logs" / "calm-1.log").exists()
    assert "cannot be seen on this target" in capsys.readouterr().out
    document = json.loads(report.read_text())
    (scenario,) = document["scenarios"]
    assert document["target"].endswith("target.toml")
    assert scenario["digest"] is None
    assert "money_balances" not in [each["name"] for each in scenario["invariants"]]


@pytest.mark.parametrize(("number", "services"), [(signal.SIGINT, 2), (signal.SIGTERM, 1)])
def test_who_is_stopped_takes_everything_down(
    number: signal.Signals, services: int, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    command = [sys.executable, "-m", "scenarios", "run", "storm", "calm", "--target"]
    process = subprocess.Popen(
        [*command, target(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    # One to try it out, then one for each scenario.
    while len(_running_in(scratch)) < services and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    unexpected = [line for line in err.splitlines() if not line.startswith("hint: ")]
    assert (process.returncode, out, unexpected) == (130, "", [])
