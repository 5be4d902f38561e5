"""A target file is read into its final types, or one line says what to change in it."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from scenarios.api import Api
from scenarios.errors import WrongUsage
from scenarios.targets.external_shop import ExternalShop
from scenarios.targets.target_file import fill, fill_all, load_target
from scenarios.warehouse import Warehouse

GOOD = """
name = "mine"
base_url = "http://127.0.0.1:{port}"
start = ["./serve"]
[env]
PSP = "{psp_url}"
RETRIES = 3
[webhook]
url = "/hooks"
[place_order]
path = "/orders"
json = { items = [{ sku = "{sku}" }] }
[read_order]
path = "/orders/{order_id}"
paid = ["paid"]
[timing]
gives_up_after = "1500ms"
"""


def load(folder: Path, text: str):
    path = folder / "target.toml"
    path.write_text(text)
    return load_target(path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"x = {'[' * 5000}{']' * 5000}", "too deep"),
        (f"x = {'9' * 5000}", "more than 64 bits"),
        (f"x = [0x{'f' * 5000}]", "more than 64 bits"),
    ],
    ids=["a depth", "a number", "a number in hexadecimal"],
)
def test_what_is_too_large_to_read_is_told_in_one_line(
    tmp_path: Path, line: str, said: str
) -> None:
    with pytest.raises(WrongUsage, match=rf"target\.toml: .*{said}"):
        load(tmp_path, f"{line}\n{GOOD}")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("[read_order]", 'currencies = ["Euro"]\n[read_order]', "'Euro' is not an ISO 4217 code"),
        ("{sku}", "{sku} {currency}", "{currency} needs currencies"),
        ("[webhook]", "[webhook]\nper_second = 0", "per_second: 0 lets nothing through"),
    ],
)
def test_an_offer_that_cannot_be_is_refused_with_its_key(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    with pytest.raises(WrongUsage, match=said):
        load(tmp_path, GOOD.replace(before, after))


async def test_customers_take_turns_in_the_currencies(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content)["money"])
        return httpx.Response(201, json={"id": len(asked)})

    text = GOOD.replace("json = {", 'currencies = ["EUR", "JPY"]\njson = { money = "{currency}",')
    api = Api("http://127.0.0.1:1", httpx.MockTransport(answer), 1.0)
    shop = ExternalShop(load(tmp_path, text), api, api, Warehouse(lambda: 0.0), lambda: 0.0)
    for number in (1, 2, 3):
        await shop.place_order(1, number)
    assert asked == ["EUR", "JPY", "EUR"]


def test_what_is_left_out_has_a_default_and_durations_are_seconds(tmp_path: Path) -> None:
    target = load(tmp_path, GOOD)
    assert target.timing.gives_up_after == 1.5
    assert target.timing.reconciles_within is None
    assert target.is_started
    assert target.shares_nothing
    assert target.find_order_id({"id": 7}) == 7
    assert target.find_status({"status": "paid"}) == "paid"


def test_a_service_on_a_fixed_port_is_put_to_one_scenario_at_a_time(tmp_path: Path) -> None:
    assert not load(tmp_path, GOOD.replace("{port}", "3000")).shares_nothing


def test_expressions_that_do_not_fit_an_answer_find_nothing(tmp_path: Path) -> None:
    text = GOOD.replace("paid =", 'fulfilments = "length(shipments)"\npaid =')
    target = load(tmp_path, text)
    assert target.find_fulfilments is not None
    assert target.find_fulfilments({"shipments": [1, 2]}) == 2
    assert target.find_fulfilments({}) is None


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('name = "mine"', "", "the key is missing: `name`"),
        ('name = "mine"', "name = 7", "name: Expected `str`, got `int`"),
        ('name = "mine"', 'name = "mine"\nnmae = "x"', "'nmae' is not a key of a target file: use"),
        ('path = "/orders"', 'pth = "/orders"', "'pth' is not a key of [place_order]: use path"),
        ('paid = ["paid"]', "", "read_order: the key is missing: `paid`"),
        ('paid = ["paid"]', "paid = []", "read_order.paid: name the status words"),
        ("{order_id}", "latest", "read_order.path: it has to contain {order_id}"),
        ('"/hooks"', '"hooks"', "webhook.url: 'hooks' is not a path that begins with /"),
        ('url = "/hooks"', 'dialect = "morse"', "webhook.dialect: 'morse' is not known: use sta"),
        ("{psp_url}", "{psp}", "env.PSP: {psp} is no placeholder: use {psp_url}, {psp_key}"),
        ("http://127.0.0.1:{port}", "127.0.0.1:3000", "base_url: '127.0.0.1:3000' is not like"),
        ('start = ["./serve"]', "", "base_url: {port} is for a service that the harness starts"),
        ('"1500ms"', '"soon"', "timing.gives_up_after: 'soon' is not a duration"),
        ('path = "/orders"', 'path = "/orders"\norder_id = "a["', "place_order.order_id: 'a['"),
        ("[timing]", "[timing]\n[timing]", "target.toml: "),
        ("[timing]", "[refund_order]\n[timing]", "refund_order: the key is missing: `path`"),
        (
            "[timing]",
            "[refund_order]\npath = 'refunds/{order_id}'\n[timing]",
            "refund_order.path: 'refunds/{order_id}' is not a path that begins with /",
        ),
        (
            "[timing]",
            "[refund_order]\npath = '/refunds'\n[timing]",
            "refund_order: {order_id} has to be in its path or json",
        ),
        ("[timing]", "[psp]\nport = 99999999\n[timing]", "psp.port: 99999999 is not from 1 to"),
        ("[timing]", "[psp]\nport = -1\n[timing]", "psp.port: -1 is not from 1 to 65535"),
        ("[timing]", "[warehouse]\nport = 65536\n[timing]", "warehouse.port: 65536 is not from"),
        ("[timing]", f"[psp]\nport = {'9' * 5000}\n[timing]", "more than 64 bits"),
        ("RETRIES = 3", f"RETRIES = {'[' * 5000}{']' * 5000}", "lie too deep in each other"),
        (
            'http://127.0.0.1:{port}"\nstart = ["./serve"]',
            'http://127.0.0.1:3000"',
            "webhook.secret: a service that runs already has to know its secret",
        ),
    ],
)
def test_what_is_wrong_is_one_line_with_file_key_and_what_is_allowed(
    before: str, after: str, said: str, tmp_path: Path
) -> None:
    assert before in GOOD
    with pytest.raises(WrongUsage) as caught:
        load(tmp_path, GOOD.replace(before, after))
    assert said in str(caught.value)
    assert str(tmp_path / "target.toml") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(WrongUsage, match=r"cannot read the target nowhere\.toml"):
        load_target(Path("nowhere.toml"))


def test_placeholders_are_filled_wherever_a_text_is_and_other_braces_stay() -> None:
    assert fill("{a}/{b} {c d}", {"a": "1"}) == "1/{b} {c d}"
    document = {"items": [{"sku": "{sku}", "quantity": 1}], "note": "for {sku}"}
    filled = fill_all(document, {"sku": "mug"})
    assert filled == {"items": [{"sku": "mug", "quantity": 1}], "note": "for mug"}


def test_a_number_is_one_where_its_placeholder_stands_alone() -> None:
    document = {"amount": "{amount}", "note": "{amount} cents"}
    assert fill_all(document, {"amount": 300}) == {"amount": 300, "note": "300 cents"}
