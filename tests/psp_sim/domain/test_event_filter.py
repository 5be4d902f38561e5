"""What endpoints can listen to: nobody waits for a type that there will never be."""

import pytest

from psp_sim.domain.endpoint import is_wanted
from psp_sim.domain.errors import InvalidRequest
from psp_sim.domain.event import EVENT_TYPES
from psp_sim.domain.event_filter import FAMILIES, LISTENED_TO, check_events, check_type


def test_every_type_every_family_and_all_can_be_listened_to():
    assert check_events(LISTENED_TO) == LISTENED_TO
    assert FAMILIES == ("payment.*", "refund.*", "dispute.*", "endpoint.*")
    assert all(any(is_wanted(each, [family]) for family in FAMILIES) for each in EVENT_TYPES)


@pytest.mark.parametrize(
    "events",
    [
        ["payment.suceeded"],
        ["payment.succeeded", "refund"],
        [""],
        ["payment"],
        ["payments.*"],
        ["**"],
        ["payment.succeeded"] * 51,
        ["x"] * 5000,
        ["x" * 100_000],
        [],
    ],
)
def test_a_list_with_anything_else_is_refused_in_few_words(events):
    with pytest.raises(InvalidRequest, match=r"^events") as refusal:
        check_events(events)
    assert len(str(refusal.value)) < 1000


def test_a_misspelt_type_is_refused_with_what_there_is():
    with pytest.raises(InvalidRequest, match=r"'payment.suceeded' is none of \*, .*payment\.succ"):
        check_events(["payment.suceeded"])


def test_the_log_can_be_asked_for_a_type_that_there_is():
    assert check_type("endpoint.disabled") == "endpoint.disabled"
    assert check_type(None) is None
    for unknown in ("nope", "", "payment.*", "*"):
        with pytest.raises(InvalidRequest, match=f"^type: '{unknown}'".replace("*", r"\*")):
            check_type(unknown)
