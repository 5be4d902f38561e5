"""What a server writes in one go leaves in one piece; what it writes later leaves later."""

import asyncio

import pytest

from psp_sim.whole_answers import WholeAnswers


class Wire(asyncio.Transport):
    """Remembers each piece that is written, and whether it was closed."""

    def __init__(self):
        super().__init__()
        self.pieces, self.is_closed = [], False

    def write(self, data):
        assert not self.is_closed
        self.pieces.append(data)

    def is_closing(self):
        return self.is_closed

    def close(self):
        self.is_closed = True

    abort = close


@pytest.fixture
def wire():
    return Wire()


def whole(wire):
    return WholeAnswers(wire, asyncio.get_running_loop())


async def test_a_head_leaves_together_with_its_body(wire):
    answers = whole(wire)
    answers.write(b"head")
    answers.write(b"body")
    assert wire.pieces == [b"headbody"]
    await asyncio.sleep(0)
    assert wire.pieces == [b"headbody"]


async def test_a_head_whose_body_is_empty_leaves_at_once(wire):
    answers = whole(wire)
    answers.write(b"head")
    answers.write(b"")
    assert wire.pieces == [b"head"]


async def test_a_head_whose_body_takes_its_time_does_not_wait_for_it(wire):
    answers = whole(wire)
    answers.write(b"head")
    await asyncio.sleep(0)
    assert wire.pieces == [b"head"]
    answers.write(b"body")
    await asyncio.sleep(0)
    assert wire.pieces == [b"head", b"body"]


async def test_what_was_written_before_the_end_still_leaves(wire):
    answers = whole(wire)
    answers.write(b"head")
    answers.close()
    assert wire.pieces == [b"head"]
    assert wire.is_closed


async def test_a_connection_that_is_broken_off_sends_nothing_more(wire):
    answers = whole(wire)
    answers.write(b"head")
    answers.abort()
    await asyncio.sleep(0)
    assert wire.pieces == []


async def test_nothing_is_sent_to_a_client_that_left_meanwhile(wire):
    answers = whole(wire)
    answers.write(b"head")
    wire.close()
    await asyncio.sleep(0)
    assert wire.pieces == []
