"""However a streamed message is cut into reads, the same bytes go on and the same facts are known."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.wire.readers import reply_reader, stream_reader
from changeover.wire.surface import Surface
from tests.unit.wire.message_streams import MESSAGE_STREAMS
from tests.unit.wire.streams import Stream

SPARSE = 5
"""Single bytes have tried every place; of the cuts in two some are enough."""


def relay(pieces: list[bytes]) -> tuple[bytes, object]:
    reader = stream_reader(Surface.MESSAGES)
    relayed = b"".join([reader.feed(piece) for piece in pieces]) + reader.close()
    return relayed, (reader.facts, reader.content_started, reader.done, reader.failed, reader.error)


def cut(body: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(place, len(body)) for place in places), len(body)]
    return [body[start:end] for start, end in itertools.pairwise(edges)]


@pytest.mark.parametrize("stream", MESSAGE_STREAMS, ids=lambda stream: stream.name)
def test_every_cut_in_two_lines_and_single_bytes_gives_the_same(stream: Stream) -> None:
    body = stream.body
    expected = relay([body])
    assert expected[0] == body
    assert relay(body.splitlines(keepends=True)) == expected
    assert relay([body[at : at + 1] for at in range(len(body))]) == expected
    for at in range(0, len(body), SPARSE):
        assert relay([body[:at], body[at:]]) == expected


FRAGMENTS = [
    b'{"type":"message_stop"}', b'{"type":"content_block_delta","index":0,"delta":{}}', b'{"type":"message_start","message":{"model":"m"}}',
    b'{"type":"message_delta","delta":{"stop_reason":"refusal"},"usage":{"output_tokens":3}}', b'{"type":"error","error":1}', b"data: ",
    b"event: content_block_delta\n", b"event: message_stop\n", b"event: error\n", b":", b"\n", b"\r", b"\r\n", b"\xff", b"\xef\xbb\xbf",
]  # fmt: skip


@given(fragments=st.lists(st.sampled_from(FRAGMENTS), max_size=30), places=st.lists(st.integers(0, 600), max_size=10))
def test_any_mixture_is_relayed_whole_and_read_alike_in_every_cut(fragments: list[bytes], places: list[int]) -> None:
    body = b"".join(fragments)
    assert relay([body])[0] == body
    assert relay(cut(body, places)) == relay([body])


@given(st.binary(max_size=300))
def test_arbitrary_bytes_do_no_harm(body: bytes) -> None:
    assert relay([body])[0] == body
    reply_reader(Surface.MESSAGES)(body)


NAMES = st.sampled_from(["usage", "model", "stop_reason", "input_tokens", "output_tokens", "cache_creation", "error", "type"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
DOCUMENTS = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5), max_leaves=20)


@given(DOCUMENTS)
def test_any_document_is_read_without_harm(value: object) -> None:
    facts = reply_reader(Surface.MESSAGES)(json.dumps(value).encode())
    assert (facts is None) == (not isinstance(value, dict))
