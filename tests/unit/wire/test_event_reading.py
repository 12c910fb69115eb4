"""Events that no SDK can read: the stream is no answer, whatever follows; half an event at the end is only cut."""

import pytest

from changeover.wire.events import EVENT_UNREADABLE
from changeover.wire.readers import stream_reader
from changeover.wire.surface import Surface

SURFACES = [Surface.CHAT, Surface.COMPLETIONS, Surface.RESPONSES, Surface.MESSAGES]


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("payload", [b'{"id":"c1","choi', b"ping", b'{"a":tru}', b"[" * 10_000, b"[DONE] "])
def test_data_that_is_no_json_fails_the_stream(surface: Surface, payload: bytes) -> None:
    reader = stream_reader(surface)
    assert reader.feed(b"data: " + payload + b"\n\ndata: [DONE]\n\n") + reader.close() != b""
    assert reader.failed == EVENT_UNREADABLE


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize(
    "event", [b": ping\n\n", b"\n\n", b"data:\n\n", b"data: {}\n\n", b"id: 7\n\n", b"retry: 5\n\n", b"data: [DONE]\n\n"]
)
def test_comments_empty_data_and_ends_are_no_fault(surface: Surface, event: bytes) -> None:
    reader = stream_reader(surface)
    reader.feed(event)
    assert reader.failed is None


@pytest.mark.parametrize("surface", SURFACES)
def test_half_an_event_at_the_end_is_cut_and_not_unreadable(surface: Surface) -> None:
    reader = stream_reader(surface)
    reader.feed(b'data: {"id":"c1","choi')
    reader.close()
    assert (reader.failed, reader.done) == (None, False)


@pytest.mark.parametrize("surface", SURFACES)
def test_the_first_word_on_a_failure_counts(surface: Surface) -> None:
    reader = stream_reader(surface)
    reader.feed(b'event: error\ndata: {"type":"error","error":{"code":"overloaded"}}\n\ndata: x\n\n')
    assert reader.failed != EVENT_UNREADABLE
