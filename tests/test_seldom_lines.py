"""What everybody has to say at once is written once in a while, by provider and shop alike."""

import logging

import pytest

import psp_sim.log_lines
import shop.log_lines


def line(at, **more):
    record = logging.makeLogRecord({"msg": "gone away", **more})
    record.created = at
    return record


@pytest.fixture(params=[psp_sim.log_lines, shop.log_lines], ids=["psp_sim", "shop"])
def is_written(request):
    return request.param.Seldom().filter


def test_a_line_that_everybody_says_is_written_once_a_minute(is_written):
    said = [is_written(line(at, seldom="call")) for at in (1000, 1001, 1059.9, 1060, 1061, 1130)]
    assert said == [True, False, False, True, False, True]


def test_each_kind_of_line_has_a_minute_of_its_own(is_written):
    assert [is_written(line(1000, seldom=word)) for word in ("call", "work", "call")] == [
        True,
        True,
        False,
    ]


def test_every_other_line_is_written(is_written):
    assert [is_written(line(1000)) for _ in range(3)] == [True, True, True]


def test_a_clock_that_was_set_back_silences_nothing_for_long(is_written):
    assert is_written(line(9000, seldom="call"))
    assert is_written(line(1000, seldom="call"))
