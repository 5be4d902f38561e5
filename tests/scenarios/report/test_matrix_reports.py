"""The matrix as a table of signs, as JSON and as a page: the same pairs, told three ways."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from playwright.async_api import async_playwright
from rich.console import Console

from scenarios.__main__ import main
from scenarios.matrix import Cell, Matrix, MutantRow
from scenarios.mutants import MUTANTS
from scenarios.report.documents import matrix_document
from scenarios.report.matrix_html import matrix_html
from scenarios.report.matrix_signs import Sign, sign_of
from scenarios.report.matrix_terminal import show_matrix
from scenarios.scenario_files import load_catalogue, select
from scenarios.verdict import Verdict
from tests.programs import program
from tests.scenarios.report.test_reports import Page
from tests.shop.storefront.test_in_a_browser import ARGUMENTS, PATIENCE_MS

# What is seen of a sign and of the ground behind it, as red, green and blue.
SEEN = """each => {
  const pixel = document.createElement('canvas').getContext('2d');
  const seen = [];
  for (const one of [document.body, each]) {
    pixel.fillStyle = getComputedStyle(one).backgroundColor;
    pixel.fillRect(0, 0, 1, 1);
  }
  seen.push([...pixel.getImageData(0, 0, 1, 1).data].slice(0, 3));
  pixel.fillStyle = getComputedStyle(each).color;
  pixel.fillRect(0, 0, 1, 1);
  seen.push([...pixel.getImageData(0, 0, 1, 1).data].slice(0, 3));
  return seen;
}"""

HELD, UNPROVEN = Cell(Verdict.HELD), Cell(Verdict.UNPROVEN)
TWICE = Cell(Verdict.BROKEN, ["fulfilled_at_most_once", "money_balances"])
ONCE = Cell(Verdict.BROKEN, ["fulfilled_at_most_once"])
SCENARIOS = ("calm", "twice", "lost", "late")


def row(name: str, *cells: Cell, expected_by: tuple[str, ...]) -> MutantRow:
    return MutantRow(
        name, "M01", f"<{name}> & co", dict(zip(SCENARIOS, cells, strict=True)), expected_by
    )


def matrix(*, is_spoilt: bool = False) -> Matrix:
    rows = [
        row("no_dedupe", ONCE, TWICE, HELD, UNPROVEN, expected_by=("twice",)),
        row("in_memory", HELD, ONCE, TWICE, HELD, expected_by=("twice", "lost")),
    ]
    if is_spoilt:
        rows.append(row("deaf", HELD, HELD, HELD, HELD, expected_by=("lost",)))
        rows.append(row("mute", TWICE, HELD, HELD, HELD, expected_by=()))
    calm = dict.fromkeys(SCENARIOS, HELD)
    return Matrix(SCENARIOS, rows, calm | {"late": TWICE, "lost": UNPROVEN} if is_spoilt else calm)


def shown(table: Matrix, width: int = 160) -> str:
    out = StringIO()
    show_matrix(Console(file=out, width=width, highlight=False), table)
    return out.getvalue()


def test_an_invariant_is_the_only_killer_where_a_scenario_would_miss_without_it() -> None:
    by_name = {each.name: each for each in matrix().invariants}
    assert by_name["fulfilled_at_most_once"].only_killer_of == ["in_memory"]
    assert by_name["money_balances"].kills == ["no_dedupe", "in_memory"]
    assert by_name["money_balances"].only_killer_of == []
    assert "money_balances" in matrix().idle_invariants
    assert "fulfilled_at_most_once" not in matrix().idle_invariants


def test_signs_tell_what_had_to_be_caught_from_what_was_caught_as_well() -> None:
    first, _, deaf, _ = matrix(is_spoilt=True).rows
    assert [sign_of(first, name) for name in SCENARIOS] == [
        *(Sign.BY_CHANCE, Sign.KILLED, Sign.HELD, Sign.UNPROVEN),
    ]
    assert sign_of(deaf, "lost") is Sign.MISSED
    assert sign_of(deaf, "elsewhere") is Sign.NOT_PLAYED


def test_the_terminal_shows_the_whole_table_with_one_sign_per_pair() -> None:
    text = shown(matrix())
    assert re.search(r"^no_dedupe +M01 +○●·\?$", text, re.MULTILINE)
    assert re.search(r"^in_memory +M01 +·●●·$", text, re.MULTILINE)
    assert "1 calm" in text
    assert "2 of 2 mutants killed by 4 scenarios (8 pairs)" in text


def test_a_hundred_scenarios_and_more_stand_below_their_numbers() -> None:
    names = [f"scenario_{number}" for number in range(1, 112)]
    row = MutantRow("no_dedupe", "M01", "…", dict.fromkeys(names, HELD), ("scenario_1",))
    out = StringIO()
    table = Matrix(names, [row], dict.fromkeys(names, HELD))
    show_matrix(Console(file=out, width=200, highlight=False), table)
    tens, ones, signs = out.getvalue().splitlines()[1:4]
    assert len(tens.rstrip()) < len(ones) == len(signs)
    assert [tens[at] for at, one in enumerate(ones) if one == "0"] == list("12345678901")
    assert "  1 scenario_1" in out.getvalue()


def test_a_narrow_terminal_shows_who_caught_whom_as_a_list() -> None:
    text = shown(matrix(), width=27)
    assert "1234" not in text
    assert "(● =" in text
    assert shown(matrix(), width=28).count("1234") == 1


def test_survivors_and_false_alarms_are_told_with_the_reason() -> None:
    text = shown(matrix(is_spoilt=True))
    assert "survived: deaf (✗ lost did not catch it)" in text
    assert "survived: mute (no scenario names it)" in text
    assert "false alarms on the correct shop: late" in text
    assert "unproven on the correct shop: lost" in text


def test_the_document_has_every_cell_with_the_invariants_that_broke() -> None:
    document = matrix_document(matrix(is_spoilt=True), 1, "sim")
    assert set(document["mutants"][0]) >= {"name", "bug", "killed", "killed_by", "expected_by"}
    assert document["survivors"] == ["deaf", "mute"]
    assert document["false_alarms"] == ["late"]
    assert len(document["cells"]) == 5 * len(SCENARIOS)
    assert {
        "shop": "no_dedupe",
        "scenario": "twice",
        "verdict": "broken",
        "broken": ["fulfilled_at_most_once", "money_balances"],
    } in document["cells"]
    json.dumps(document)


@pytest.mark.parametrize("is_spoilt", [False, True])
def test_the_page_is_well_formed_fetches_nothing_and_leads_only_to_itself(is_spoilt: bool) -> None:
    text = matrix_html(matrix(is_spoilt=is_spoilt), 1, "sim")
    page = Page(text)
    assert page.fetched == []
    assert not re.search(r"url\(|@import", text)
    assert page.links
    assert all(link.removeprefix("#") in page.ids for link in page.links)
    assert len(set(page.ids)) == len(page.ids)
    assert "&lt;no_dedupe&gt; &amp; co" in text
    assert ("Survivors: deaf, mute." in text) is is_spoilt
    assert "in_memory in lost: caught, as the scenario says it must: fulfilled_at_most" in text


def _few(monkeypatch, *scenarios: str) -> None:
    few = {name: MUTANTS[name] for name in ("no_dedupe", "no_reconciliation")}
    monkeypatch.setattr("scenarios.matrix.MUTANTS", few)
    monkeypatch.setattr("scenarios.commands.matrix.select", lambda _: select(list(scenarios)))


def test_the_command_writes_the_table_and_ends_with_0(capsys, monkeypatch, tmp_path: Path) -> None:
    _few(monkeypatch, "duplicated_webhooks", "lost_webhooks")
    page = tmp_path / "matrix.html"
    assert main(["matrix", "--jobs", "1", "--json", "-", "--html", str(page)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert len(document["cells"]) == 6
    assert "2 of 2 mutants killed" in page.read_text(encoding="utf-8")


def test_named_pairs_alone_are_fewer_and_come_to_the_same_end(capsys, monkeypatch) -> None:
    _few(monkeypatch, "calm", "duplicated_webhooks", "lost_webhooks")
    assert main(["matrix", "--named", "--jobs", "1", "--json", "-"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    played = {(cell["shop"], cell["scenario"]) for cell in document["cells"]}
    assert played == {
        *(("correct", "duplicated_webhooks"), ("correct", "lost_webhooks")),
        *(("no_dedupe", "duplicated_webhooks"), ("no_reconciliation", "lost_webhooks")),
    }
    assert "2 named pairs" in captured.err


def test_a_survivor_ends_with_1(capsys, monkeypatch) -> None:
    _few(monkeypatch, "calm")
    assert main(["matrix", "--jobs", "1"]) == 1
    assert "survived: no_reconciliation (no scenario names it)" in capsys.readouterr().out


@pytest.mark.live
async def test_the_page_fits_every_screen_and_scrolls_by_keyboard(tmp_path: Path) -> None:
    """As large as it is in earnest: every scenario and every mutant."""
    names = [scenario.name for scenario in load_catalogue()]
    cells = dict.fromkeys(names, TWICE)
    rows = [MutantRow(m.name, m.bug, m.summary, cells, names[:1]) for m in MUTANTS.values()]
    file = tmp_path / "matrix.html"
    file.write_text(matrix_html(Matrix(names, rows, dict.fromkeys(names, HELD)), 1, "sim"))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program("chromium", "chromium"), args=ARGUMENTS, timeout=PATIENCE_MS
        )
        page = await browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(file.as_uri())
        for width in (1440, 390):
            await page.set_viewport_size({"width": width, "height": 800})
            beside = "document.documentElement.scrollWidth - innerWidth"
            assert await page.evaluate(beside) <= 0
        await page.focus(".matrix")
        for _ in range(5):
            await page.keyboard.press("ArrowRight")
        await page.wait_for_function("document.querySelector('.matrix').scrollLeft > 0")
        await page.emulate_media(media="print")
        await page.set_viewport_size({"width": 1047, "height": 740})
        assert await page.evaluate(beside) <= 0
        await browser.close()
    assert asked == [file.as_uri()]


def luminance(seen: list[int]) -> float:
    shares = [value / 255 for value in seen]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return sum(weight * s for weight, s in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.live
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_sign_of_the_table_can_be_read(scheme, tmp_path: Path) -> None:
    file = tmp_path / "matrix.html"
    file.write_text(matrix_html(matrix(is_spoilt=True), 1, "sim"))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program("chromium", "chromium"), args=ARGUMENTS, timeout=PATIENCE_MS
        )
        page = await browser.new_page(color_scheme=scheme)
        await page.goto(file.as_uri())
        for sign in ("killed", "chance", "missed", "unproven", "idle"):
            cell = page.locator(f".matrix td.{sign}").first
            for _ in ("at rest", "pointed at"):
                ground, ink = map(luminance, await cell.evaluate(SEEN))
                contrast = (max(ground, ink) + 0.05) / (min(ground, ink) + 0.05)
                assert contrast >= 4.5, sign
                await cell.hover()
        await browser.close()
