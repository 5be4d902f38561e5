"""The first order tells what seems not to be right with a service or with its target file."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.__main__ import main
from scenarios.run_suite import try_service
from scenarios.targets import first_order

pytestmark = pytest.mark.live

FLASK = Path(__file__).parents[3] / "examples" / "flask"


def target(folder: Path, old: str = "", new: str = "") -> str:
    """The correct consumer, with one thing changed in it or in its target file."""
    code, text = ((FLASK / name).read_text() for name in ("correct.py", "correct.toml"))
    assert old in code + text
    (folder / "correct.py").write_text(code.replace(old, new) if old else code)
    # Nobody has to wait long for what will never come.
    text = text.replace("[timing]", '[timing]\nanswers_within = "1s"')
    (folder / "mine.toml").write_text(text.replace(old, new) if old else text)
    return str(folder / "mine.toml")


def test_where_all_is_right_nothing_is_said(tmp_path: Path) -> None:
    assert try_service(target(tmp_path)) is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"{psp_key}"', '"sk_other"', "refused the service's key (401)"),
        ('"{psp_url}"', '"http://127.0.0.1:9"', "was requested: does the service call {psp_url}"),
        ('"{webhook_secret}"', '"whsec_b3RoZXI="', "answered with 400: does the service verify"),
        ('url = "/webhooks/psp"', 'url = "/hooks"', "answered with 404: is [webhook] url right?"),
        ('paid = ["paid", "fulfilled"]', 'paid = ["complete"]', "its status is 'fulfilled'"),
        ('"{warehouse_url}"', '"http://127.0.0.1:9"', "nothing came to the warehouse: does the"),
        ('{"order": order["id"]', '{"order": order["key"]', "the warehouse was told of order"),
        ("failed = [", 'fulfilments = "x"\nfailed = [', "is [read_order] fulfilments right?"),
        (
            '{"reference": order["id"]}',
            '{"reference": order["id"], "amount": order["amount"] - 1}',
            "EUR (minor units), and a payment of ",
        ),
        ('"reference": order["id"]', '"reference": order["key"]', "they have to be the same"),
    ],
)
def test_what_is_wrong_is_named_with_the_key_to_look_at(
    old: str, new: str, said: str, tmp_path: Path
) -> None:
    hint = try_service(target(tmp_path, old, new))
    assert hint is not None
    assert said in hint


def test_a_service_that_registers_no_webhook_is_one_line_and_not_one_for_each_scenario(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_order, "_REGISTERS_WITHIN_S", 0.5)
    nowhere = target(tmp_path, 'url = "/webhooks/psp"', "")
    assert main(["run", "--target", nowhere]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert "registered no webhook endpoint" in line
    assert "[webhook] url" in line


def test_a_hint_is_told_at_once_and_again_below_the_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "calm", "--target", target(tmp_path, '"{psp_key}"', '"sk_other"')]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("hint: the provider refused the service's key (401)")
    assert "hint: the provider refused" in captured.out
