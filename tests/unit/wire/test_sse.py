"""A stream passes as it is, but for one chunk that we caused; its facts are read in passing."""

import json

import pytest

from changeover.wire.reply import Usage
from changeover.wire.sse import EVENT_BYTES_MAX, EVENT_TOO_LARGE, StreamReader
from tests.unit.wire.streams import AZURE, OPENAI, ROLE, SAFE, STREAMS, USAGE, Stream, chunk, delta, written

BY_NAME = {stream.name: stream for stream in STREAMS}


def event(payload: bytes) -> bytes:
    return b"data: " + payload + b"\n\n"


def read_through(stream: Stream, *, hide_usage: bool = False) -> tuple[StreamReader, bytes]:
    reader = StreamReader(hide_usage=hide_usage)
    relayed = reader.feed(stream.body)
    return reader, relayed + reader.close()


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_every_stream_is_relayed_as_it_is_when_usage_is_the_callers(stream: Stream) -> None:
    reader = StreamReader()
    assert reader.feed(stream.body) == stream.body
    assert reader.close() == b""


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_exactly_the_usage_chunk_is_hidden_when_we_asked_for_it(stream: Stream) -> None:
    _, relayed = read_through(stream, hide_usage=True)
    assert relayed == stream.shown


@pytest.mark.parametrize(
    "name", ["azure", "openai", "spaced", "crlf", "cr", "comments", "several data lines", "mixed line ends", "byte order mark"]
)
@pytest.mark.parametrize("hide_usage", [False, True])
def test_a_whole_streams_facts_are_read_in_every_spelling(name: str, hide_usage: bool) -> None:
    reader, _ = read_through(BY_NAME[name], hide_usage=hide_usage)
    facts = reader.facts
    assert (facts.model, facts.fingerprint, facts.filtered, facts.error) == ("gpt-4o-2024-11-20", "fp_9", False, None)
    assert facts.finish_reason in {"stop", "length"}
    assert facts.tokens == Usage(prompt=9, completion=3, cached=0)
    assert (reader.done, reader.content_started, reader.failed) == (True, True, None)


def test_content_starts_with_content_and_not_with_roles_or_annotations() -> None:
    reader = StreamReader()
    seen: list[bool] = []
    for payload, _ in AZURE[:3]:
        reader.feed(event(payload))
        seen.append(reader.content_started)
    assert seen == [False, False, True]


@pytest.mark.parametrize(
    "choice",
    [
        {"delta": {"tool_calls": [{"index": 0}]}},
        {"delta": {"refusal": "no"}},
        {"delta": {"reasoning_content": "hm"}},
        {"delta": {"role": "assistant", "content": "x"}},
        {"text": "x"},
    ],
)
def test_every_kind_of_content_starts_it(choice: dict[str, object]) -> None:
    reader = StreamReader()
    reader.feed(event(chunk(choice)))
    assert reader.content_started


@pytest.mark.parametrize(
    "payload", [chunk(ROLE), chunk({"delta": {}}), chunk({"delta": None}), chunk(), b"[]", b"{", b'{"choices":7}', b"[DONE]"]
)
def test_what_carries_no_content_does_not_start_it(payload: bytes) -> None:
    reader = StreamReader()
    reader.feed(event(payload))
    assert not reader.content_started


def test_the_first_azure_chunk_is_kept() -> None:
    assert StreamReader(hide_usage=True).feed(event(AZURE[0][0])) == event(AZURE[0][0])


@pytest.mark.parametrize("hide_usage", [False, True])
def test_annotations_that_come_with_the_usage_are_kept(hide_usage: bool) -> None:
    body = event(chunk(usage=USAGE, prompt_filter_results=[{"prompt_index": 0, "content_filter_results": SAFE}]))
    assert StreamReader(hide_usage=hide_usage).feed(body) == body


def test_usage_with_an_empty_list_of_annotations_is_only_usage() -> None:
    assert StreamReader(hide_usage=True).feed(event(chunk(usage=USAGE, prompt_filter_results=[]))) == b""


def test_usage_beside_content_is_kept_and_read() -> None:
    body = event(chunk(delta("x"), usage=USAGE))
    reader = StreamReader(hide_usage=True)
    assert reader.feed(body) == body
    assert reader.facts.tokens == Usage(prompt=9, completion=3, cached=0)


@pytest.mark.parametrize("mark", [b'"filtered":true', b'"filtered" : true', b'"filtered":\\ttrue'])
def test_a_filter_that_acts_in_mid_stream_is_seen_in_every_spacing(mark: bytes) -> None:
    reader = StreamReader()
    reader.feed(event(chunk(delta("x", content_filter_results=SAFE))))
    assert reader.facts.filtered is False
    late = event(chunk(delta("y", content_filter_results=SAFE))).replace(b'"filtered":false', mark.replace(b"\\t", b"\t"), 1)
    reader.feed(late[:150])
    reader.feed(late[150:])
    reader.feed(event(chunk(delta("z", content_filter_results=SAFE))))
    assert reader.facts.filtered is True


def test_a_completion_cut_by_the_filter_is_filtered() -> None:
    reader = StreamReader()
    reader.feed(event(chunk(delta("x"))) + event(chunk(delta(finish_reason="content_filter"))))
    assert (reader.facts.finish_reason, reader.facts.filtered) == ("content_filter", True)


def test_text_that_speaks_of_usage_and_errors_changes_nothing() -> None:
    text = json.dumps({"usage": {"prompt_tokens": 1}, "error": {"code": "x"}, "filtered": True})
    reader = StreamReader()
    reader.feed(event(chunk(delta("a"))) + event(chunk(delta(text))))
    assert (reader.facts.tokens, reader.failed, reader.facts.filtered) == (None, None, None)


def test_a_truncated_stream_is_not_done() -> None:
    reader, _ = read_through(BY_NAME["cut in an event"])
    assert (reader.done, reader.facts.finish_reason, reader.facts.tokens) == (False, None, None)


def test_done_counts_without_a_blank_line_behind_it() -> None:
    reader, _ = read_through(BY_NAME["no blank line at the end"], hide_usage=True)
    assert reader.done


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'data: {"error":{"code":"overloaded"}}\n\n', "overloaded"),
        (b'data: {"error":{"type":"server_error"}}\n\n', "server_error"),
        (b'data: {"error":"boom"}\n\n', "error"),
        (b"event: error\ndata: {}\n\n", "error"),
        (b"event: error\r\ndata: no json\r\n\r\n", "error"),
    ],
)
@pytest.mark.parametrize("after_content", [False, True])
def test_an_error_event_fails_the_stream_under_its_code(body: bytes, code: str, after_content: bool) -> None:
    reader = StreamReader(hide_usage=True)
    reader.feed(event(chunk(delta("x"))) if after_content else b"")
    assert reader.feed(body) == body
    assert (reader.failed, reader.facts.error) == (code, code)


@pytest.mark.parametrize("hide_usage", [False, True])
def test_an_event_beyond_all_measure_is_relayed_unread_and_fails_the_stream(hide_usage: bool) -> None:
    reader = StreamReader(hide_usage=hide_usage)
    pieces = [b"data: ", *[b"x" * (1 << 20)] * (EVENT_BYTES_MAX >> 20), b"yy", b"\n\n", event(OPENAI[4][0])]
    relayed = b"".join(reader.feed(piece) for piece in pieces) + reader.close()
    assert relayed == b"".join(pieces)
    assert (reader.failed, reader.facts.tokens) == (EVENT_TOO_LARGE, None)


def test_a_large_event_within_the_limit_is_read() -> None:
    reader = StreamReader(hide_usage=True)
    body = event(chunk(delta("x" * 300_000), usage=USAGE))
    relayed = b"".join(reader.feed(body[at : at + 1000]) for at in range(0, len(body), 1000))
    assert relayed == body
    assert reader.facts.tokens is not None


def test_nothing_is_held_back_when_nothing_is_to_be_hidden() -> None:
    reader = StreamReader()
    assert [reader.feed(piece) for piece in (b"da", b"ta: {", b"\n")] == [b"da", b"ta: {", b"\n"]


def test_only_the_unfinished_event_is_held_back_when_usage_is_to_be_hidden() -> None:
    whole, next_one = event(chunk(delta("a"))), event(chunk(delta("b")))
    reader = StreamReader(hide_usage=True)
    assert reader.feed(whole + next_one[:9]) == whole
    assert reader.feed(next_one[9:]) == next_one


def test_every_usage_only_chunk_is_hidden_where_a_server_sends_several() -> None:
    stream = written("", [OPENAI[0], OPENAI[4], OPENAI[1], OPENAI[4]])
    assert read_through(stream, hide_usage=True)[1] == stream.shown
