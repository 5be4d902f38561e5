"""Services of other shapes: what is right in them is not blamed, what is wrong is not missed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scenarios.__main__ import main
from scenarios.scenario_files import load_catalogue
from scenarios.targets.external import _provider_settings
from scenarios.targets.external_fit import why_not_external
from scenarios.vocabulary import PlannedFault
from tests.scenarios.targets.test_external_fit import RICH, TARGET, target_of

FLASK = Path(__file__).parents[3] / "examples" / "flask"
# The correct example, but for what a variable asks for.
SERVICE = f"""
import os, re, sys, threading, time
sys.path.insert(0, {str(FLASK)!r})
import correct
from flask import request

SHAPE = os.environ["SHAPE"]
numbers = {{}}

@correct.app.before_request
def dawdle():
    if SHAPE == "slow" and request.path == "/webhooks/psp":
        time.sleep(2)

@correct.app.after_request
def speak_lower(answer):
    if SHAPE == "lower case" and request.path == "/orders":
        answer.set_data(answer.get_data().replace(b"EUR", b"eur"))
    return answer

if SHAPE == "numbers":
    plain = correct.call
    def call(method, url, body=None, headers=None):
        if body and "fulfilment" in body:
            body = {{"order": int(body["order"]), "fulfilment": int(body["order"]) + 1000}}
        return plain(method, url, body, headers)
    correct.call = call
    class Uuid:
        hex = property(lambda self: str(time.time_ns()))
    correct.uuid.uuid4 = Uuid
    plainly = correct.change
    def change(statement, *values):
        return plainly(statement, *(v.removeprefix("ord_") if isinstance(v, str) else v
                                    for v in values))
    correct.change = change
    place = correct.app.view_functions["place_order"]
    def place_order():
        answer, status = place()
        return answer | {{"id": int(answer["id"].removeprefix("ord_"))}}, status
    correct.app.view_functions["place_order"] = place_order

correct.change("PRAGMA journal_mode = WAL")
correct.change(correct.SCHEMA)
threading.Thread(target=correct.work, daemon=True).start()
correct.app.run(port=int(os.environ["PORT"]), threaded=True)
"""


def target(folder: Path, shape: str, more: str = "") -> Path:
    (folder / "service.py").write_text(SERVICE)
    text = (FLASK / "correct.toml").read_text().replace('"correct.py"', '"service.py"')
    text = text.replace("[env]\n", f'[env]\nSHAPE = "{shape}"\n')
    text = re.sub("^(amount|currency) = .*\n", "", text, flags=re.MULTILINE)
    text = text.replace('order_id = "id"\n', f'order_id = "id"\n{more}')
    path = folder / "target.toml"
    path.write_text(text + 'answers_within = "1s"\n')
    return path


def invariants(target: Path) -> dict[str, str]:
    report = target.with_suffix(".json")
    main(["run", "calm", "--target", str(target), "--json", str(report)])
    (scenario,) = json.loads(report.read_text())["scenarios"]
    return {each["name"]: each["verdict"] for each in scenario["invariants"]}


@pytest.mark.live
def test_who_works_for_longer_than_the_provider_waits_is_told_so(tmp_path: Path) -> None:
    broken = {name for name, v in invariants(target(tmp_path, "slow")).items() if v == "broken"}
    assert broken == {"answered_in_time"}


@pytest.mark.live
@pytest.mark.parametrize("shape", ["numbers", "lower case"])
def test_orders_that_are_numbers_and_currencies_in_lower_case_are_right(
    shape: str, tmp_path: Path
) -> None:
    priced = 'amount = "amount"\ncurrency = "currency"\n'
    assert set(invariants(target(tmp_path, shape, priced)).values()) <= {"held", "unproven"}


@pytest.mark.live
@pytest.mark.parametrize(("key", "at"), [("amount", "total"), ("currency", "money")])
def test_a_price_that_is_not_where_it_was_said_to_be_is_one_line(
    key: str, at: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = {"amount": "amount", "currency": "currency", key: at}
    more = "".join(f'{name} = "{place}"\n' for name, place in where.items())
    assert main(["run", "calm", "--target", str(target(tmp_path, "plain", more))]) == 3
    assert f"place_order.{key} = '{at}' finds no " in capsys.readouterr().err


def test_an_amount_without_a_currency_is_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = target(tmp_path, "plain", 'amount = "amount"\n')
    assert main(["run", "calm", "--target", str(path)]) == 2
    assert "amount and currency go together" in capsys.readouterr().err


def test_a_webhook_is_waited_for_as_long_as_the_service_says(tmp_path: Path) -> None:
    patient = target_of(tmp_path, TARGET + RICH + "answers_within = '2s'\n")
    assert _provider_settings(patient, {}, 1).attempt_timeout_s == 2.0


def test_webhooks_are_sent_again_for_longer_than_any_chaos_lasts(tmp_path: Path) -> None:
    listens_only = target_of(tmp_path, TARGET + "corrected = ['refunded']\n")
    schedule = _provider_settings(listens_only, {}, 1).retry_schedule
    least_s = sum(schedule.delays_s) * (1 - schedule.jitter)
    played = [one for one in load_catalogue() if not why_not_external(one, listens_only)]
    lost = [one for one in played if any(_loses_all(each) for each in one.faults)]
    assert [one.name for one in lost if one.chaos_s >= least_s] == []
    assert "unreachable_until_healed" in {one.name for one in lost}


def _loses_all(fault: PlannedFault) -> bool:
    return fault.kind == "drop" and not {"probability", "attempt"} & fault.document.keys()
