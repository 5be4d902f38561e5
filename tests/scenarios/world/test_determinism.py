from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenarios.world.busy_run import digest

ROOT = Path(__file__).parents[3]

# Pinned so that every supported Python must come to the same. Change it when the world's behaviour
# changes on purpose: every stored replay changes with it.
DIGEST_OF_SEED_1 = "d9aa82e5edf9732a356b937259221936"


def test_the_same_seed_gives_the_same_run() -> None:
    assert digest(1) == digest(1)


def test_every_python_gives_the_same_run() -> None:
    assert digest(1) == DIGEST_OF_SEED_1


def test_different_seeds_give_different_runs() -> None:
    assert len({digest(seed) for seed in range(5)}) == 5


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_another_process_with_other_hashes_gives_the_same_run(hash_seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", "-m", "tests.scenarios.world.busy_run", "1"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert (done.stdout, done.stderr) == (digest(1), "")


def test_what_the_process_did_before_does_not_matter() -> None:
    first = digest(1)
    litter: list[object] = [object() for _ in range(100_000)]
    litter.append(litter)
    del litter
    assert digest(1) == first
