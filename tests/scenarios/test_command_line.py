"""The command line: documents, exit statuses, and one clear line for what is wrong."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.__main__ import main
from scenarios.invariants import INVARIANTS
from scenarios.mutants import MUTANTS
from scenarios.vocabulary import ALL_FAULTS

NEVER_FIRES = """
summary = "A fault aimed at an order that nobody places."
invariants = ["charged_once"]
orders = 1

[[faults]]
kind = "drop"
order = 99
"""


def test_list_tells_what_there_is_as_json_and_nothing_else(capsys) -> None:
    assert main(["list", "--json", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {each["name"] for each in document["mutants"]} == set(MUTANTS)
    assert {each["name"] for each in document["invariants"]} == set(INVARIANTS)
    assert {each["name"] for each in document["faults"]} == set(ALL_FAULTS)
    for scenario in document["scenarios"]:
        assert set(scenario) >= {"name", "summary", "tags", "faults", "invariants", "catches"}


def test_list_for_people_names_every_scenario(capsys) -> None:
    assert main(["list"]) == 0
    assert "calm" in capsys.readouterr().out


def test_the_help_text_loads_nothing_of_what_it_tells_of() -> None:
    loaded = "import sys, scenarios.__main__ as it; sys.argv = ['it', '--help']\n"
    loaded += "try: it.main()\nfinally: print(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", loaded]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "explore" in done.stdout
    assert not {"httpx", "starlette", "rich", "psp_sim", "shop"} & set(done.stderr.split())


def test_run_writes_the_contracts_keys_and_ends_with_0_when_all_held(capsys) -> None:
    assert main(["run", "calm", "lost_webhooks", "--json", "-", "--jobs", "1"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["verdict"] == "held"
    assert (document["seed"], document["target"]) == (1, "sim")
    for scenario in document["scenarios"]:
        assert scenario["verdict"] == "held"
        assert scenario["runs"] == 1
        assert scenario["simulated_seconds"] > 0
        assert len(scenario["digest"]) >= 32
        assert scenario["replay"] is None
        for invariant in scenario["invariants"]:
            assert set(invariant) >= {"name", "verdict", "evaluated", "message"}
    assert document["scenarios"][1]["faults_fired"]["drop"] > 0
    assert "what it promises" in captured.err


def test_run_ends_with_1_when_a_promise_is_broken_and_says_which(capsys, tmp_path: Path) -> None:
    words = ["duplicated_webhooks", "--shop", "no_dedupe", "--jobs", "1", "--out", str(tmp_path)]
    assert main(["run", *words]) == 1
    out = capsys.readouterr().out
    (written,) = tmp_path.iterdir()
    assert f"again: psp-scenarios replay {written}" in out
    assert "✗ duplicated_webhooks: fulfilled_at_most_once" in out
    assert re.search(r"was fulfilled [2-9] times", out)


def test_run_ends_with_3_when_nothing_was_proven_and_says_why(capsys, tmp_path: Path) -> None:
    path = tmp_path / "dark.toml"
    path.write_text(NEVER_FIRES)
    assert main(["run", str(path), "--jobs", "1"]) == 3
    assert "the fault drop never fired" in capsys.readouterr().out


def test_seeds_are_played_one_after_the_other(capsys) -> None:
    assert main(["run", "calm", "--seeds", "1..3", "--json", "-", "--jobs", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["scenarios"][0]["runs"] == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "calmer"], "'calmer' is no scenario"),
        (["run", "--shop", "brokn"], "--shop brokn is not known"),
        (["run", "--target", "moon"], "--target moon is not known"),
        (["run", "--seeds", "5..1"], "--seeds 5..1 is not a range"),
        (["run", "--seeds", "1..1000000000000"], "are more than 1,000,000 seeds"),
        (["run", "--seeds", f"1..{'9' * 5000}"], "a seed has at most 18 digits"),
        (["run", "calm", "--jobs", "0"], "--jobs 0"),
        (["run", "calm", "--jobs", "1", "--json", "/nowhere/at/all.json"], "cannot write"),
        (["matrix", "--target", "moon"], "--target moon is not known"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_status_2(arguments, said, capsys) -> None:
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_an_unknown_option_is_wrong_usage(capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["run", "--sede", "1"])
    assert caught.value.code == 2
    assert "--sede" in capsys.readouterr().err
