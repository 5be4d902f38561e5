import pytest

from psp_sim.domain.distribution import fixed
from psp_sim.domain.errors import InvalidFault
from psp_sim.domain.script import parse_script


def words_of(text):
    return [(fault.kind, fault.attempt) for fault in parse_script(text)]


def test_the_nth_word_acts_on_the_nth_attempt():
    assert words_of("lose_response|ok|error") == [("lose_response", (1, 1)), ("error", (3, 3))]


def test_ok_asks_for_nothing():
    assert parse_script("ok") == []
    assert parse_script("ok|ok") == []


def test_scripts_run_side_by_side():
    assert words_of("drop|drop; lose_response") == [
        ("drop", (1, 1)),
        ("drop", (2, 2)),
        ("lose_response", (1, 1)),
    ]


def test_fields_stand_in_brackets():
    delay, error = parse_script("delay(by=5s, where=network) | error(status=500,when=after)")
    assert delay.fields == {"by": fixed(5.0), "where": "network"}
    assert error.fields == {"status": 500, "when": "after"}
    assert error.attempt == (2, 2)
    [settle] = parse_script("settle_after(by=0.5)")
    assert settle.fields["by"] == fixed(0.5)


def test_an_attempt_that_is_written_out_counts_more_than_the_place():
    assert words_of("ok|drop(attempt=1..3)") == [("drop", (1, 3))]


def test_an_outcome_has_no_attempt():
    assert words_of("decline(code=expired_card)") == [("decline", None)]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "'' in metadata.sim is not understood: write faults or ok between |"),
        ("drop|", "'' in metadata.sim is not understood"),
        ("drop drop", "'drop drop' in metadata.sim is not understood"),
        ("delay(by=5s", "is not understood"),
        ("explode", "kind 'explode' is not a fault: use one of drop"),
        ("delay(for=5s)", "'for' is not a field of delay: use event"),
        ("delay(by=soon)", "by of delay: 'soon' is not a duration"),
        ("delay(by=nan)", "nan is not a duration"),
        ("delay(by)", "by of delay: '' is not a duration"),
        ("delay(by=" + "9" * 5000 + ")", "by of delay: "),
        ("delay(kind=drop)", "'kind' stands twice"),
        ("delay(by=1s,by=2s)", "'by' stands twice"),
        ("outage", "outage is on the provider"),
    ],
)
def test_a_script_that_is_not_understood_is_refused_with_what_to_write(text, complaint):
    with pytest.raises(InvalidFault) as refused:
        parse_script(text)
    assert complaint in str(refused.value)
