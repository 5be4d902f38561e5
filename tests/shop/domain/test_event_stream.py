"""Server-sent events, cut into whatever pieces a network makes of them."""

from hypothesis import given
from hypothesis import strategies as st

from shop.domain.event_stream import EventStreamReader, ServerSentEvent

STREAM = (
    "\ufeff: hello\n\n"
    'id: evt_1\nevent: payment.succeeded\ndata: {"name":"Zoë €"}\n\n'
    ": still here\r\n\r\n"
    "id:evt_2\r\nevent:refund.pending\r\ndata: one\r\ndata: two\r\n\r\n"
    "data: no id of its own\r\r"
    "id: evt_9\ndata: never finished"
).encode()
EVENTS = [
    ServerSentEvent("evt_1", "payment.succeeded", '{"name":"Zoë €"}'),
    ServerSentEvent("evt_2", "refund.pending", "one\ntwo"),
    ServerSentEvent("evt_2", "message", "no id of its own"),
]


@given(st.lists(st.integers(min_value=0, max_value=len(STREAM))))
def test_however_the_stream_is_cut_the_same_events_come_out(cuts):
    reader, found, at = EventStreamReader(), [], 0
    for cut in [*sorted(cuts), len(STREAM)]:
        found += reader.feed(STREAM[at:cut])
        at = cut
    assert found == EVENTS


def test_byte_by_byte_the_same_events_come_out():
    reader = EventStreamReader()
    assert [event for byte in STREAM for event in reader.feed(bytes([byte]))] == EVENTS


def test_an_event_without_data_is_none():
    assert list(EventStreamReader().feed(b"id: evt_1\nevent: x\n\n")) == []
