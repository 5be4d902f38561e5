"""Reports of a held and of a broken run: complete, self-contained, and true to the evidence."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from scenarios.__main__ import main
from scenarios.report import terminal
from scenarios.report.annotations import annotation_lines
from scenarios.report.documents import run_document
from scenarios.report.html import OPEN_STORIES, html_report
from scenarios.report.junit import junit_text
from scenarios.report.markdown import markdown_report
from scenarios.report.order_story import steps_of
from scenarios.report.run_junit import run_suites
from scenarios.report.story import Told, order_stories, replay_command, sentences
from scenarios.run_suite import run_suite
from scenarios.scenario_files import select
from scenarios.verdict import Verdict
from tests.scenarios.evidence_of import evidence, payment
from tests.scenarios.report.junit_rules import broken_rules

VOID = {"meta", "br", "img", "link", "input", "hr", "wbr"}


def played(*names: str, shop: str = "correct") -> Told:
    results = run_suite(
        select(list(names)), [1], "sim", shop, 1, lambda _: None, keeps_evidence=True
    )
    return Told(results, "seed 1", "sim", shop)


@pytest.fixture(scope="module")
def held() -> Told:
    return played("calm", "forged_signatures", "three_day_ladder")


@pytest.fixture(scope="module")
def broken() -> Told:
    return played("duplicated_webhooks", "polling", shop="no_dedupe")


class Page(HTMLParser):
    """Checks that what is opened is closed, and gathers what would be fetched."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs) -> None:
        given = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        self.fetched += [given[name] for name in ("src", "srcset", "data") if name in given]
        self.fetched += [tag] if tag in ("script", "link", "iframe", "object") else []
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if tag == "a" else []

    def handle_startendtag(self, tag: str, attrs) -> None:
        """An SVG shape: it opens and closes at once."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("shop", ["held", "broken"])
def test_the_page_is_well_formed_and_fetches_nothing(shop: str, request) -> None:
    text = html_report(request.getfixturevalue(shop))
    page = Page(text)
    assert page.fetched == []
    assert not re.search(r"url\(|@import", text)
    assert all(link.removeprefix("#") in page.ids for link in page.links)
    assert len(set(page.ids)) == len(page.ids)


def test_the_page_shows_every_scenario_with_its_timeline_and_diagram(held: Told) -> None:
    text = html_report(held)
    assert "✓ held" in text
    assert text.count('class="sequence"') == len(held.results)
    for result in held.results:
        assert f"<b>{result.name}</b>" in text
    assert "What happened to each order" in text
    assert "From an order to its goods" in text


def test_a_failure_reads_as_a_story_with_its_command(broken: Told) -> None:
    result = broken.results[0]
    told = sentences(broken, result)
    assert told[0].startswith("2 customers buy at the shop “no_dedupe”. Faults in 2m")
    assert any(re.match(r"Order ord_\w+ was fulfilled \d times", line) for line in told)
    assert "the goods leave once.”" in " ".join(told)
    command = "psp-scenarios run duplicated_webhooks --seed 1 --shop no_dedupe"
    assert replay_command(broken, result) == command
    for text in (html_report(broken), markdown_report(broken)):
        assert command in text
        assert "the goods leave once.”" in text


def test_the_steps_of_an_order_come_from_the_evidence(broken: Told) -> None:
    first, *_ = order_stories(broken.results[0])
    said = [step.text for step in first.steps]
    assert said[0].startswith("places the order")
    webhooks = [step for step in first.steps if step.text == "payment.succeeded (duplicate)"]
    assert len(webhooks) == 3
    assert {step.mark for step in webhooks} == {"fault"}
    goods = [step for step in first.steps if step.target == "warehouse"]
    assert [step.mark for step in goods] == ["normal", "broken", "broken", "broken"]
    assert [step.at_s for step in first.steps] == sorted(step.at_s for step in first.steps)


def test_a_crash_and_the_return_stand_among_the_steps_of_an_order() -> None:
    crashed = played("crash_after_answer", shop="acknowledge_before_storing")
    [order] = order_stories(crashed.results[0])
    notes = [step for step in order.steps if step.target is None]
    assert [(note.source, note.text, note.mark) for note in notes] == [
        ("shop", "crashes", "fault"),
        ("shop", "is up again", "fault"),
    ]
    [webhook] = [step for step in order.steps if step.text == "payment.succeeded"]
    assert webhook.at_s < notes[0].at_s < notes[1].at_s


def test_the_second_charge_of_an_order_is_marked_and_a_second_try_is_not() -> None:
    def pay(number: int, status: str) -> dict[str, Any]:
        created = f"2026-01-01T00:00:0{number}Z"
        return payment(number, status, reference="ord_1", created=created)

    def marks(*statuses: str) -> list[str]:
        payments = [pay(number, status) for number, status in enumerate(statuses, start=1)]
        seen = evidence(payments=payments, deliveries=[])
        return [step.mark for step in steps_of(seen, seen.orders[0], 0.0) if step.target == "psp"]

    assert marks("succeeded", "succeeded") == ["normal", "broken"]
    assert marks("failed", "succeeded") == ["normal", "normal"]


def test_what_is_told_of_a_service_of_ones_own_names_no_shop_of_ours(held: Told) -> None:
    own = replace(held, target="my-service.toml")
    assert "Your own service, seed 1, target `my-service.toml`." in markdown_report(own)
    assert "the service of my-service.toml" in html_report(own)
    assert "Shop `correct`" in markdown_report(held)


def test_what_breaks_a_service_of_ones_own_is_told_with_what_is_known_to_cause_it(
    broken: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    causes = {"duplicated_webhooks": ["ships again"]}
    for told in (replace(broken, causes=causes), broken):
        terminal.show_results(terminal.make_console(), told)
        said = " ".join(capsys.readouterr().out.split())
        assert ("a known cause: ships again" in said) is bool(told.causes)
        assert ("Known causes: ships again." in markdown_report(told)) is bool(told.causes)
        played = {each["name"]: each for each in run_document(told, 1)["scenarios"]}
        assert bool(played["duplicated_webhooks"]["known_causes"]) is bool(told.causes)


def test_a_promise_that_the_target_cannot_show_is_not_called_unproven(held: Told) -> None:
    results = [
        replace(each, invariants=[i for i in each.invariants if i.name != "money_balances"])
        for each in held.results
    ]
    told = replace(held, results=results)
    assert "| cannot be seen here |" in markdown_report(told)
    assert "cannot be seen here" in html_report(told)
    assert "cannot be seen here" not in markdown_report(held) + html_report(held)


def test_a_webhook_that_never_arrived_is_drawn_so(held: Told) -> None:
    [order] = order_stories(held.results[2])
    assert sum(not step.arrives for step in order.steps) == 9


def test_refusing_a_forgery_is_not_drawn_as_a_mistake(held: Told) -> None:
    [order] = order_stories(held.results[1])
    refused = [step for step in order.steps if step.text == "401"]
    assert refused
    assert all(step.mark == "normal" for step in refused)


def test_markdown_has_a_diagram_that_mermaid_can_read(broken: Told) -> None:
    text = markdown_report(broken)
    blocks = re.findall(r"```mermaid\n(.*?)```", text, re.DOTALL)
    assert blocks
    for block in blocks:
        first, *lines = block.strip().splitlines()
        assert first == "sequenceDiagram"
        assert all(re.match(r" +(participant|Note over|\w+-)", line) for line in lines)
    assert text.count("```") % 2 == 0


def test_a_name_that_looks_like_markup_is_told_as_it_is_in_markdown(broken: Told) -> None:
    name = "a*b* <img> [x](y) `c` _d_ e_f # |"
    text = markdown_report(replace(broken, results=[replace(broken.results[0], name=name)]))
    written = r"a\*b\* \<img\> \[x\](y) \`c\` \_d\_ e_f \# \|"
    assert f"## ✗ broken: {written}\n" in text
    assert f"| **{written}**<br>" in text
    assert "duplicated_webhooks" in markdown_report(broken)


@pytest.mark.parametrize("shop", ["held", "broken"])
def test_junit_keeps_to_the_schema(shop: str, request) -> None:
    told = request.getfixturevalue(shop)
    assert broken_rules(junit_text(run_suites(told), "run")) == []


def test_each_broken_invariant_is_a_failure_and_each_idle_one_is_skipped(broken: Told) -> None:
    suite = run_suites(broken)[0]
    failures = [case.name for case in suite.cases if case.failure]
    assert failures == ["fulfilled_at_most_once", "money_balances"]
    assert all("Play it again: psp-scenarios run" in c.details for c in suite.cases if c.failure)
    skipped = [case.name for case in suite.cases if case.skipped]
    idle = ["forgeries_are_refused", "acknowledged_survives_a_crash", "endpoint_is_mended"]
    assert skipped == idle


def test_annotations_are_one_line_each(broken: Told, held: Told) -> None:
    lines = annotation_lines(broken)
    assert lines[0].startswith(
        "::error title=duplicated_webhooks%3A fulfilled_at_most_once::order ord_"
    )
    assert "%0APlay it again: psp-scenarios run" in lines[0]
    assert all("\n" not in line for line in lines)
    assert annotation_lines(held) == []


def test_the_command_writes_what_it_is_asked_for(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    files = {name: tmp_path / name for name in ("page.html", "junit.xml", "summary.md")}
    options = [
        *("--html", str(files["page.html"]), "--junit", str(files["junit.xml"])),
        *("--markdown", str(files["summary.md"]), "--json", "-", "--out", str(tmp_path / "out")),
    ]
    status = main(["run", "duplicated_webhooks", "--shop", "no_dedupe", "--jobs", "1", *options])
    assert status == 1
    captured = capsys.readouterr()
    replay = json.loads(captured.out)["scenarios"][0]["replay"]
    assert "::error title=duplicated_webhooks" in captured.err
    for path in files.values():
        assert f"psp-scenarios replay {replay}" in path.read_text(encoding="utf-8")
    assert main(["replay", replay]) == 1


def test_latest_leads_to_the_newest_report(tmp_path: Path, capsys) -> None:
    command = ["run", "calm", "--jobs", "1", "--report", "--out", str(tmp_path)]
    for _ in range(2):
        assert main(command) == 0
    folders = sorted(path for path in tmp_path.iterdir() if not path.is_symlink())
    assert len(folders) == 2
    assert (tmp_path / "latest").resolve() == max(folders, key=lambda p: p.stat().st_mtime_ns)
    written = {path.name for path in (tmp_path / "latest").iterdir()}
    assert written == {"index.html", "junit.xml", "summary.md", "run.json"}


def test_a_report_holds_its_own_replay_files_and_its_page_leads_to_them(tmp_path, capsys) -> None:
    names = ["duplicated_webhooks", "polling"]
    words = ["--shop", "no_dedupe", "--jobs", "1", "--report", "--out", str(tmp_path / "out")]
    assert main(["run", *names, *words]) == 1
    printed = re.findall(r"again: psp-scenarios replay (\S+)", capsys.readouterr().out)
    assert [Path(path).parent for path in printed] == [tmp_path / "out"]
    folder = (tmp_path / "out" / "latest").resolve()
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    moved = folder.rename(tmp_path / "from another machine")
    links = [link for link in Page(text).links if not link.startswith("#")]
    assert links == ["./no_dedupe-duplicated_webhooks.replay.json"]
    for link in links:
        assert f"psp-scenarios replay {link.removeprefix('./')}" in text
        assert (moved / link).read_text() == Path(printed[0]).read_text()
        assert main(["replay", str(moved / link)]) == 1


def test_no_file_of_a_report_names_the_folder_in_which_it_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    words = ["--shop", "no_dedupe", "--jobs", "1", "--report", "--out", str(out)]
    assert main(["run", "duplicated_webhooks", "event_stream", *words]) == 1
    moved = (out / "latest").resolve().rename(tmp_path / "from another machine")
    for file in moved.iterdir():
        assert str(out) not in file.read_text(encoding="utf-8"), file.name
    name = "no_dedupe-duplicated_webhooks.replay.json"
    for report in ("junit.xml", "summary.md"):
        assert f"psp-scenarios replay {name}" in (moved / report).read_text(encoding="utf-8")
    played = json.loads((moved / "run.json").read_text())["scenarios"]
    assert {each["name"]: each["replay"] for each in played} == {
        "event_stream": None,
        "duplicated_webhooks": name,
    }
    monkeypatch.chdir(moved)
    assert main(["replay", name]) == 1


def test_a_page_says_which_version_made_it_and_only_a_reports_page_when(tmp_path, held) -> None:
    said = f"psp-scenarios {version('psp-scenarios')}"
    assert f"{said}.</p>" in html_report(held)
    assert main(["run", "calm", "--jobs", "1", "--report", "--out", str(tmp_path)]) == 0
    text = (tmp_path / "latest" / "index.html").read_text(encoding="utf-8")
    assert re.search(rf"{re.escape(said)}, \d{{4}}-\d\d-\d\d \d\d:\d\d UTC\.</p>", text)


def test_many_failures_have_an_overview_with_links_and_all_but_the_first_are_folded() -> None:
    names = [each.name for each in select([]) if "no_dedupe" in each.catches]
    told = played(*names[: OPEN_STORIES + 2], shop="no_dedupe")
    text = html_report(told)
    overview = text[text.index("<nav") : text.index("</nav>")]
    troubled = [each for each in told.results if each.verdict is not Verdict.HELD]
    assert len(troubled) > OPEN_STORIES
    for result in troubled:
        assert f'href="#{result.name}"' in overview
    assert 'href="#promise-fulfilled_at_most_once"' in overview
    assert text.count('<details class="story broken"') == len(troubled) - OPEN_STORIES
    assert text.index("</nav>") < text.index('class="story')
    assert all(link.removeprefix("#") in Page(text).ids for link in Page(text).links)


def test_one_failure_needs_no_overview(broken: Told, held: Told) -> None:
    assert "<nav" not in html_report(held)
    assert "<nav" not in html_report(replace(broken, results=broken.results[:1]))


@pytest.mark.parametrize("option", ["--html", "--junit", "--markdown"])
def test_a_file_that_cannot_be_written_is_told_in_one_line(option: str, capsys) -> None:
    assert main(["run", "calm", "--jobs", "1", option, "/no/such/folder/file"]) == 2
    assert "cannot write /no/such/folder/file" in capsys.readouterr().err
