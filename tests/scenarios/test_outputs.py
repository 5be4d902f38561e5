"""What cannot be written costs neither the verdict nor what can be."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path

import pytest

from scenarios.__main__ import main
from scenarios.errors import WrongUsage
from scenarios.report.files import check_file, check_folder
from scenarios.search.replay import file_name

BREAKS = ["duplicated_webhooks", "--shop", "no_dedupe", "--jobs", "1"]
# Where a folder is asked for, this is a file; so it cannot be written, whoever runs the tests.
NOT_A_FOLDER = "/dev/null/x"


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if each path had gone bad after it was looked at."""
    for check in ("check_file", "check_folder"):
        for command in ("run", "explore"):
            monkeypatch.setattr(f"scenarios.commands.{command}.{check}", lambda _: None)
    monkeypatch.setattr("scenarios.commands.compare.check_file", lambda _: None)


@pytest.mark.usefixtures("unchecked")
def test_a_broken_run_says_so_and_writes_what_it_can(tmp_path: Path, capsys) -> None:
    good = {word: tmp_path / f"it.{word}" for word in ("junit", "markdown", "json")}
    options = [word for name, path in good.items() for word in (f"--{name}", str(path))]
    bad = ["--out", NOT_A_FOLDER, "--html", f"{NOT_A_FOLDER}.html", "--report"]
    assert main(["run", *BREAKS, *options, *bad]) == 1
    captured = capsys.readouterr()
    assert "✗ duplicated_webhooks: fulfilled_at_most_once" in captured.out
    assert captured.err.count("psp-scenarios: cannot write") == 3
    assert json.loads(good["json"].read_text())["scenarios"][0]["replay"] is None
    assert "fulfilled_at_most_once" in good["junit"].read_text()
    assert "ships the order once" in good["markdown"].read_text()


@pytest.mark.usefixtures("unchecked")
def test_a_run_that_held_but_could_not_tell_ends_with_2(tmp_path: Path, capsys) -> None:
    junit = tmp_path / "it.xml"
    words = ["run", "calm", "--jobs", "1", "--html", f"{NOT_A_FOLDER}.html", "--junit", str(junit)]
    assert main(words) == 2
    captured = capsys.readouterr()
    assert "held: 1 held of 1 scenarios" in captured.out
    assert captured.err.startswith(f"psp-scenarios: cannot write {NOT_A_FOLDER}.html")
    assert junit.exists()


@pytest.mark.usefixtures("unchecked")
def test_a_search_tells_what_it_found_where_it_cannot_write_it(capsys) -> None:
    words = ["explore", "--shop", "no_dedupe", "--first", "--shrink-for", "0s", "--jobs", "1"]
    assert main([*words, "--out", NOT_A_FOLDER]) == 1
    captured = capsys.readouterr()
    assert "The promise that broke:" in captured.out
    assert "again:" not in captured.out
    assert "psp-scenarios: cannot write" in captured.err


@pytest.mark.usefixtures("unchecked")
def test_a_comparison_is_shown_and_written_where_its_page_cannot_be(tmp_path: Path, capsys) -> None:
    written = tmp_path / "it.json"
    words = ["compare", "--payments", "10", "--faults", "calm", "--jobs", "1"]
    assert main([*words, "--html", f"{NOT_A_FOLDER}.html", "--json", str(written)]) == 2
    captured = capsys.readouterr()
    assert "What to choose" in captured.out
    assert captured.err.startswith(f"psp-scenarios: cannot write {NOT_A_FOLDER}.html")
    assert json.loads(written.read_text())["payments"] == 10


@pytest.mark.parametrize(
    "words",
    [
        ["run", "--html"],
        ["run", "--junit"],
        ["run", "--markdown"],
        ["run", "--json"],
        ["run", "--out"],
        ["explore", "--out"],
        ["explore", "--json"],
        ["matrix", "--html"],
        ["matrix", "--json"],
        ["compare", "--html"],
        ["compare", "--json"],
    ],
    ids=" ".join,
)
def test_a_path_that_cannot_be_written_is_told_before_anything_is_played(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    played = partial(pytest.fail, "it was played")
    for place in ("run.run_suite", "explore.search", "matrix.run_matrix", "compare.compare"):
        monkeypatch.setattr(f"scenarios.commands.{place}", lambda *_, **__: played())
    assert main([*words, NOT_A_FOLDER]) == 2
    assert f"cannot write {NOT_A_FOLDER}: Not a directory" in capsys.readouterr().err


def test_looking_whether_it_can_be_written_changes_nothing(tmp_path: Path) -> None:
    there = tmp_path / "there.html"
    there.write_text("old")
    check_file(str(there))
    check_file(str(tmp_path / "new.html"))
    check_file("/dev/full")
    check_folder(str(tmp_path / "some" / "folder"))
    assert there.read_text() == "old"
    assert list(tmp_path.iterdir()) == [there]
    with pytest.raises(WrongUsage, match="Is a directory"):
        check_file(str(tmp_path))


def test_a_long_name_of_a_scenario_still_gives_a_replay_file(tmp_path: Path, capsys) -> None:
    scenario = tmp_path / f"{'long' * 60}.toml"
    scenario.write_text('summary = "Twice."\n[[faults]]\nkind = "duplicate"\n')
    out = tmp_path / "out"
    words = [str(scenario), "--shop", "no_dedupe", "--jobs", "1", "--out", str(out)]
    assert main(["run", *words]) == 1
    (replay,) = out.iterdir()
    assert main(["replay", str(replay)]) == 1
    assert capsys.readouterr().err == ""


def test_a_scenario_whose_name_is_no_text_has_all_reports_too(tmp_path: Path, capsys) -> None:
    scenario = tmp_path / os.fsdecode(b"bad\xff.toml")
    scenario.write_text('summary = "Twice."\n[[faults]]\nkind = "duplicate"\n')
    out = tmp_path / "out"
    words = [str(scenario), "--shop", "no_dedupe", "--jobs", "1", "--out", str(out), "--report"]
    assert main(["run", *words]) == 1
    assert "cannot write" not in capsys.readouterr().err
    reports = {path.name for path in (out / "latest").iterdir()}
    assert reports >= {"index.html", "junit.xml", "summary.md", "run.json"}
    assert any(name.endswith(".replay.json") for name in reports)
    (played,) = json.loads((out / "latest" / "run.json").read_text())["scenarios"]
    assert played["name"] == os.fsdecode(b"bad\xff")
    assert main(["replay", str(out / "latest" / played["replay"])]) == 1


def test_names_that_are_cut_stay_apart_and_short_ones_as_they_are() -> None:
    one, other = (file_name("é" * 300 + end) for end in "ab")
    assert one != other
    assert len(one.encode()) < 255 - len(".replay.json")
    assert file_name("storm") == "storm"
