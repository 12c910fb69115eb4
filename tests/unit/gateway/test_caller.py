"""A caller's connection, byte by byte."""

from time import monotonic

from hypothesis import given
from hypothesis import strategies as st

from changeover.gateway.limits import Limits
from tests.integration.gateway.rig import request
from tests.integration.gateway.test_request_corpus import REFUSED, SERVED
from tests.unit.gateway.wires import PatientHouse, connect

SHORT_REFUSED = {name: entry for name, entry in REFUSED.items() if len(entry[0]) < 2000}
CORPUS = [(data, 200) for data in SERVED.values()] + list(SHORT_REFUSED.values())


@given(st.sampled_from(CORPUS), st.data())
def test_a_request_is_read_alike_however_it_is_cut(entry: tuple[bytes, int], data: st.DataObject) -> None:
    message, status = entry
    cuts = sorted(data.draw(st.sets(st.integers(1, len(message) - 1), max_size=20)))
    house = PatientHouse()
    caller, transport = connect(house)
    for start, end in zip([0, *cuts], [*cuts, len(message)], strict=True):
        caller.data_received(message[start:end])
    assert transport.written == b"%d;" % status


@given(
    st.lists(st.sampled_from([data for data in SERVED.values() if b"close" not in data and b"HTTP/1.0" not in data]), max_size=6), st.data()
)
def test_a_row_of_requests_is_served_in_order_however_it_is_cut(messages: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(messages)
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(stream) - 1)), max_size=20)))
    house = PatientHouse()
    caller, transport = connect(house)
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        caller.data_received(stream[start:end])
    assert transport.written == b"200;" * len(messages)
    assert transport.reading
    assert {call.body for call in house.calls} <= {b'{"model": "summarise","messages":[]}'}


def test_the_corpus_holds_both_kinds_in_full() -> None:
    assert len(SERVED) > 5
    assert len(SHORT_REFUSED) > 25


def test_reading_stops_while_requests_wait_and_goes_on_when_they_are_answered() -> None:
    house = PatientHouse(at_once=False)
    caller, transport = connect(house)
    caller.data_received(request())
    assert transport.reading, "a caller that has gone is heard by reading"
    caller.data_received(request() * 2)
    assert not transport.reading
    for number in range(3):
        assert len(house.calls) == number + 1
        house.answer(caller, house.calls[number])
    assert transport.reading


def test_nothing_is_served_into_a_full_connection() -> None:
    house = PatientHouse()
    caller, transport = connect(house)
    caller.pause_writing()
    caller.data_received(request() * 2)
    assert transport.written == b""
    assert not house.calls
    caller.resume_writing()
    assert transport.written == b"200;200;"


def test_what_comes_after_a_refusal_is_not_read() -> None:
    house = PatientHouse()
    caller, transport = connect(house)
    caller.data_received(b"nonsense\r\n\r\n" + request())
    caller.data_received(request())
    assert transport.written == b"400;"
    assert transport.ended
    assert not transport.closing
    caller.check(monotonic() + house.limits.linger_s + 1)
    assert transport.closing


def test_a_head_behind_another_request_is_measured_alone() -> None:
    limits = Limits(head_bytes_max=500)
    house = PatientHouse(limits)
    caller, transport = connect(house)
    caller.data_received(request(b"{}" + b" " * 5000) + request()[:100])
    caller.data_received(request()[100:])
    assert transport.written == b"200;200;"
    caller.data_received(request()[:20])
    caller.data_received(request(extra=b"X-A: %b\r\n" % (b"a" * 450))[20:])
    assert transport.written == b"200;200;431;"


def test_a_head_in_several_reads_is_measured_as_a_whole() -> None:
    caller, transport = connect(PatientHouse(Limits(head_bytes_max=500)))
    data = request(extra=b"X-A: %b\r\n" % (b"a" * 450))
    caller.data_received(data[:400])
    caller.data_received(data[400:])
    assert transport.written == b"431;"


def test_a_caller_that_leaves_in_the_middle_of_a_body_leaves_a_request_unfinished() -> None:
    house = PatientHouse()
    for data, unfinished in ((request()[:20], 0), (request()[:-1], 1), (request(), 0), (b"nonsense\r\n\r\n", 0)):
        house.unfinished.clear()
        caller, _ = connect(house)
        caller.data_received(data)
        caller.connection_lost(None)
        assert len(house.unfinished) == unfinished


def test_answers_to_a_caller_that_left_go_nowhere() -> None:
    house = PatientHouse(at_once=False)
    caller, transport = connect(house)
    caller.data_received(request())
    caller.connection_lost(ConnectionResetError())
    house.answer(caller, house.calls[0])
    caller.abort()
    caller.close_if_idle()
    assert transport.written == b""
