"""Standard output that is closed, full or of few letters: a line at most, and never a traceback."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenarios.process_groups import ROOT

HELD = "run calm --jobs 1"
BROKEN = "run duplicated_webhooks --shop no_dedupe --jobs 1"


def _run(words: str, redirected: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    command = f"{shlex.quote(sys.executable)} -m scenarios {words} {redirected}"
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        encoding="utf-8",
    )


@pytest.mark.parametrize(
    ("words", "encoding", "status", "said"),
    [
        (BROKEN, "ascii", 1, b"x duplicated_webhooks: fulfilled_at_most_once"),
        (BROKEN, "cp1252", 1, b"x duplicated_webhooks: fulfilled_at_most_once"),
        ("explore --shop no_dedupe --first --shrink-for 0s --jobs 1", "latin-1", 1, b"broken: "),
        ("compare --payments 10 --faults calm", "ascii", 0, b"polling"),
        ("list", "ascii", 0, b"calm"),
    ],
)
def test_every_command_can_speak_with_few_letters(
    words: str, encoding: str, status: int, said: bytes, tmp_path: Path
) -> None:
    aside = f"--out {tmp_path}" if status else ""
    command = [sys.executable, "-m", "scenarios", *words.split(), *aside.split()]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONIOENCODING": encoding}, capture_output=True
    )
    assert (done.returncode, done.stderr) == (status, b"")
    assert said in done.stdout


def test_json_loses_no_letter_where_there_are_few() -> None:
    few = _run("list --json -", PYTHONIOENCODING="ascii")
    assert json.loads(few.stdout) == json.loads(_run("list --json -").stdout)


@pytest.mark.parametrize(
    ("words", "redirected", "status", "said"),
    [
        (HELD, ">/dev/full", 2, "cannot write to standard output: No space left on device"),
        (f"{HELD} --json -", ">/dev/full", 2, "cannot write to standard output: No space left"),
        ("list --json -", ">/dev/full", 2, "cannot write to standard output: No space left"),
        ("list", ">/dev/full", 2, "cannot write to standard output: No space left"),
        (HELD, ">&-", 2, "cannot write to standard output: Bad file descriptor"),
        (f"{HELD} --json -", ">&-", 2, "cannot write to standard output: Bad file descriptor"),
        (BROKEN, ">/dev/full", 1, "cannot write to standard output: No space left on device"),
        ("run nothing", "2>/dev/full", 2, ""),
        ("run nothing", "2>&-", 2, ""),
        (f"{HELD} --json -", "2>&-", 2, ""),
    ],
)
def test_a_stream_that_takes_nothing_is_said_in_one_line_and_reports_are_written(
    words: str, redirected: str, status: int, said: str, tmp_path: Path
) -> None:
    junit = tmp_path / "it.xml"
    plays = words not in ("list", "list --json -", "run nothing")
    files = f"--out {tmp_path} --junit {junit}" if plays else ""
    done = _run(f"{words} {files}", redirected)
    assert done.returncode == status
    assert "Traceback" not in done.stderr
    if said:
        assert done.stderr.splitlines()[-1].startswith(f"psp-scenarios: {said}")
    assert junit.exists() is plays
