"""Marks count what really happened: each in a scenario made for it, none where all is calm."""

from __future__ import annotations

import json
from functools import cache

import pytest

from scenarios.__main__ import main
from scenarios.marks import MARKS, MarkCount, count_marks, doubts_of, sum_of
from scenarios.marks.seen import Call, Seen, seen_in
from scenarios.run_suite import services_quiet
from scenarios.scenario_files import select
from scenarios.targets.simulated import Simulated, simulate
from tests.scenarios.evidence_of import delivery, evidence, payment
from tests.scenarios.report.junit_rules import broken_rules

SOMEWHERE = {
    "event_came_twice": "duplicated_webhooks",
    "event_came_three_times": "duplicated_webhooks",
    "copies_came_at_once": "concurrent_duplicates",
    "one_fact_under_two_ids": "same_fact_new_id",
    "event_overtaken": "reordered_webhooks",
    "pending_after_captured": "reordered_webhooks",
    "webhook_before_answer": "webhook_overtakes_answer",
    "attempt_after_the_fourth": "three_day_ladder",
    "attempts_ran_out": "lost_webhooks",
    "acknowledgement_lost": "provider_forgets_answer",
    "webhook_refused": "forged_signatures",
    "webhook_put_off": "flood_of_webhooks",
    "signed_before_rotation": "secret_rotation",
    "answer_lost_after_commit": "lost_answers",
    "error_after_commit": "errors_after_commit",
    "request_in_vain": "lost_requests",
    "repeat_got_the_first_payment": "lost_answers",
    "turned_away_with_429": "rate_limited",
    "outcome_found_by_asking": "lost_webhooks",
    "endpoint_enabled_again": "disabled_endpoint",
    "crash_between_commit_and_response": "crash_before_answer",
    "crash_right_after_a_response": "crash_after_answer",
    "power_cut": "power_cut",
    "crash_with_news_in_the_inbox": "crash_while_processing",
    "shop_restarted_while_webhooks_waited": "crash_before_answer",
    "provider_restarted_while_webhooks_waited": "provider_forgets_answer",
    "called_while_standing_still": "paused_shop",
    "message_swallowed": "network_partition",
    "provider_hung_up": "provider_outage",
    "payment_failed": "declined_payment",
    "dispute_after_fulfilment": "disputed_payment",
    "money_taken_back_after_fulfilment": "late_failure",
    "refund_undone": "refund_returned",
    "payment_never_settled": "no_outcome_ever",
    "money_that_no_order_asked_for": "paid_for_something_else",
}


@cache
def played(name: str) -> Simulated:
    (scenario,) = select([name])
    with services_quiet():
        return simulate(scenario, 1, "correct")


@cache
def counted(name: str) -> dict[str, int]:
    done = played(name)
    return count_marks(done.evidence, done.world.trace)


@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_is_hit_where_it_has_to_be_and_not_where_all_is_calm(mark: str) -> None:
    assert counted(SOMEWHERE[mark])[mark] > 0
    assert counted("calm")[mark] == 0


def test_the_table_of_marks_has_no_double_and_room_for_no_more_than_it_says() -> None:
    assert set(SOMEWHERE) == set(MARKS)
    assert len({mark.summary for mark in MARKS.values()}) == len(MARKS)


def _asked(sent_at: float, status: int, *, received: bool = True) -> Call:
    body = json.dumps({"reference": "ord_1"}).encode()
    call = Call("shop", "psp", "POST", "/v1/payments", body, sent_at, sent_at + 0.1)
    call.status = status
    if received:
        call.received_at = sent_at + 0.2
    return call


def _made_at(second: int) -> dict[str, object]:
    return {"payments": [payment(1, created=f"1970-01-01T00:00:{second:02}.100Z")]}


def test_an_error_without_effect_is_a_request_in_vain_and_one_with_effect_is_not() -> None:
    error = _asked(10.0, 500)
    with_effect = Seen(evidence(**_made_at(10)), [error, _asked(20.0, 201)], [])
    assert MARKS["error_after_commit"].count(with_effect) == 1
    assert MARKS["request_in_vain"].count(with_effect) == 0
    assert MARKS["repeat_got_the_first_payment"].count(with_effect) == 1
    without = Seen(evidence(**_made_at(20)), [error, _asked(20.0, 201)], [])
    assert MARKS["error_after_commit"].count(without) == 0
    assert MARKS["request_in_vain"].count(without) == 1
    assert MARKS["repeat_got_the_first_payment"].count(without) == 0


def test_an_answer_counts_as_lost_only_if_it_never_came() -> None:
    came = Seen(evidence(**_made_at(10)), [_asked(10.0, 201)], [])
    lost = Seen(evidence(**_made_at(10)), [_asked(10.0, 0, received=False)], [])
    assert MARKS["answer_lost_after_commit"].count(came) == 0
    assert MARKS["answer_lost_after_commit"].count(lost) == 1


def _told(event: str, sequence: int, at: float, kind: str = "payment.processing") -> Call:
    document = {"id": event, "type": kind, "sequence": sequence, "data": {"id": "pay_1"}}
    call = Call("psp", "shop", "POST", "/webhooks/psp", json.dumps(document).encode(), at, at)
    call.answered_at, call.status = at + 1.0, 200
    return call


def test_an_event_is_overtaken_by_a_newer_one_and_not_by_its_own_repeat() -> None:
    in_order = [_told("evt_1", 1, 1.0), _told("evt_2", 2, 3.0), _told("evt_1", 1, 5.0)]
    assert MARKS["event_overtaken"].count(Seen(evidence(), in_order, [])) == 0
    assert MARKS["event_overtaken"].count(Seen(evidence(), in_order[1:], [])) == 1


def test_copies_come_at_once_only_if_the_first_is_not_answered_yet() -> None:
    first = _told("evt_1", 1, 1.0)
    for at, count in ((1.5, 1), (2.5, 0)):
        seen = Seen(evidence(), [first, _told("evt_1", 1, at)], [])
        assert MARKS["copies_came_at_once"].count(seen) == count


def test_an_acknowledgement_that_is_in_the_books_was_not_lost() -> None:
    noted = delivery((200, []))
    noted["attempts"][0]["webhook_id"] = "evt_1"
    calls = [_told("evt_1", 1, 1.0), _told("evt_1", 1, 9.0)]
    mark = MARKS["acknowledgement_lost"]
    assert mark.count(Seen(evidence(deliveries=[noted]), calls[:1], [])) == 0
    assert mark.count(Seen(evidence(deliveries=[noted]), calls, [])) == 1


def test_a_body_that_is_no_event_is_passed_over() -> None:
    broken = Call("psp", "shop", "POST", "/webhooks/psp", b'{"id":"evt', 1.0)
    assert Seen(evidence(), [broken], []).webhooks == []


def test_runs_add_up_and_each_mark_at_zero_is_a_doubt() -> None:
    zero = dict.fromkeys(MARKS, 0)
    counts = sum_of([zero | {"payment_failed": 2}, zero | {"payment_failed": 1}])
    assert [each.count for each in counts if each.name == "payment_failed"] == [3]
    assert len(doubts_of(counts)) == len(MARKS) - 1
    assert doubts_of([MarkCount("payment_failed", "a payment failed", 0)]) == [
        "it never happened that a payment failed (payment_failed)"
    ]
    assert sum_of([{}, {}]) == [], "where nobody looked there is nothing to doubt"


def test_a_run_tells_every_mark_with_its_count(capsys) -> None:
    assert main(["run", "duplicated_webhooks", "--json", "-", "--jobs", "1"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in document["marks"]] == list(MARKS)
    assert document["marks"][0]["count"] == counted("duplicated_webhooks")["event_came_twice"]
    assert document["unproven_because"] == []


def test_a_whole_catalogue_that_misses_a_mark_proves_nothing_and_says_which(
    capsys, monkeypatch, tmp_path
) -> None:
    monkeypatch.setattr("scenarios.commands.run.select", lambda _: select(["calm"]))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    page, junit, text = (tmp_path / name for name in ("page.html", "junit.xml", "summary.md"))
    reports = ["--html", str(page), "--junit", str(junit), "--markdown", str(text)]
    assert main(["run", "--json", "-", "--jobs", "1", *reports]) == 3
    captured = capsys.readouterr()
    assert json.loads(captured.out)["verdict"] == "unproven"
    missed = "it never happened that a payment failed (payment_failed)"
    assert f"? the suite: {missed}" in captured.err
    assert "? the provider gave a delivery up (×0)" in captured.err
    assert f"::warning title=the suite%3A unproven::{missed}" in captured.err
    assert missed in page.read_text(encoding="utf-8")
    assert missed in text.read_text(encoding="utf-8")
    written = junit.read_text(encoding="utf-8")
    assert broken_rules(written) == []
    assert "it never happened that a payment failed" in written


def test_a_selection_is_not_judged_by_marks(capsys) -> None:
    assert main(["run", "calm", "--json", "-", "--jobs", "1"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["marks"][0]["count"] == 0
    assert f"0 of {len(MARKS)} things that have to happen sometimes did" in captured.err


def test_every_call_of_a_run_is_seen_once_with_its_times_in_order() -> None:
    done = played("duplicated_webhooks")
    seen = seen_in(done.evidence, done.world.trace)
    assert len(seen.calls) == len(done.world.trace.of_kind("request_sent"))
    for call in seen.calls:
        assert call.sent_at <= call.arrived_at <= call.answered_at <= call.received_at
