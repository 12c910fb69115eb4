"""However a stream is cut into reads, the same bytes go on and the same facts are known."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.wire.readers import stream_reader
from changeover.wire.surface import Surface
from tests.unit.wire.response_streams import RESPONSE_STREAMS
from tests.unit.wire.streams import STREAMS, Stream

SPARSE = 5
"""Single bytes have tried every place; of the cuts in two some are enough."""


def relay(pieces: list[bytes], *, hide_usage: bool = False, surface: Surface = Surface.CHAT) -> tuple[bytes, object]:
    reader = stream_reader(surface, hide_usage=hide_usage)
    relayed = b"".join([reader.feed(piece) for piece in pieces]) + reader.close()
    return relayed, (reader.facts, reader.content_started, reader.done, reader.failed, reader.error)


def cut(body: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(places), len(body)]
    return [body[start:end] for start, end in itertools.pairwise(edges)]


@pytest.mark.parametrize("hide_usage", [False, True])
@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_every_cut_in_two_lines_fields_and_single_bytes_give_the_same(stream: Stream, hide_usage: bool) -> None:
    body = stream.body
    expected = relay([body], hide_usage=hide_usage)
    assert expected[0] == (stream.shown if hide_usage else body)
    assert relay(body.splitlines(keepends=True), hide_usage=hide_usage) == expected
    assert relay(re.split(rb"(?=data:)|(?<=\n\n)", body), hide_usage=hide_usage) == expected
    assert relay([body[at : at + 1] for at in range(len(body))], hide_usage=hide_usage) == expected
    for at in range(len(body)):
        assert relay([body[:at], body[at:]], hide_usage=hide_usage) == expected


@given(stream=st.sampled_from(STREAMS), places=st.lists(st.integers(0, 3000), max_size=12), hide_usage=st.booleans())
def test_every_way_of_cutting_gives_the_same(stream: Stream, places: list[int], hide_usage: bool) -> None:
    pieces = cut(stream.body, [min(place, len(stream.body)) for place in places])
    assert relay(pieces, hide_usage=hide_usage) == relay([stream.body], hide_usage=hide_usage)


@pytest.mark.parametrize("stream", RESPONSE_STREAMS, ids=lambda stream: stream.name)
def test_every_cut_of_a_streamed_response_in_two_and_in_single_bytes_gives_the_same(stream: Stream) -> None:
    body = stream.body
    expected = relay([body], surface=Surface.RESPONSES)
    assert expected[0] == body
    assert relay(body.splitlines(keepends=True), surface=Surface.RESPONSES) == expected
    assert relay([body[at : at + 1] for at in range(len(body))], surface=Surface.RESPONSES) == expected
    for at in range(0, len(body), SPARSE):
        assert relay([body[:at], body[at:]], surface=Surface.RESPONSES) == expected


@given(stream=st.sampled_from(RESPONSE_STREAMS), places=st.lists(st.integers(0, 3000), max_size=12), surface=st.sampled_from(Surface))
def test_every_way_of_cutting_a_streamed_response_gives_the_same(stream: Stream, places: list[int], surface: Surface) -> None:
    pieces = cut(stream.body, [min(place, len(stream.body)) for place in places])
    assert relay(pieces, surface=surface) == relay([stream.body], surface=surface)
    assert relay(pieces, surface=surface)[0] == stream.body


CHAT_FRAGMENTS = [b'{"choices":[],"usage":{}}', b'{"choices":[{"delta":{"content":"x"}}]}', b'{"error":1}', b"[DONE]"]
RESPONSE_FRAGMENTS = [b'{"type":"response.completed","response":{"object":"response"}}', b'{"type":"response.x.delta"}']
LINE_FRAGMENTS = [b"data: ", b"data:", b"event: error", b"event: response.failed", b":", b"\n", b"\r", b"\r\n", b"\xff", b"\xef\xbb\xbf"]
FRAGMENTS = st.sampled_from(CHAT_FRAGMENTS + RESPONSE_FRAGMENTS + LINE_FRAGMENTS)


@given(fragments=st.lists(FRAGMENTS, max_size=30), places=st.lists(st.integers(0, 400), max_size=10))
def test_any_mixture_of_fragments_is_relayed_whole_and_read_alike_in_every_cut(fragments: list[bytes], places: list[int]) -> None:
    body = b"".join(fragments)
    pieces = cut(body, [min(place, len(body)) for place in places])
    assert relay(pieces, hide_usage=False)[0] == body
    for hide_usage in (False, True):
        assert relay(pieces, hide_usage=hide_usage) == relay([body], hide_usage=hide_usage)
    assert relay(pieces, surface=Surface.RESPONSES) == relay([body], surface=Surface.RESPONSES)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_relayed_and_do_no_harm(body: bytes) -> None:
    assert relay([body], hide_usage=False)[0] == body
    assert relay([body], hide_usage=True)[0] == body
    assert relay([body], surface=Surface.RESPONSES)[0] == body


def test_the_corpus_holds_what_the_properties_are_about() -> None:
    bodies = [stream.body for stream in STREAMS]
    assert any(b"\r\n\r\n" in body for body in bodies)
    assert any(b"\r\r" in body for body in bodies)
    assert any("😀".encode() in body for body in bodies)
    assert sum(stream.shown != stream.body for stream in STREAMS) >= 10
