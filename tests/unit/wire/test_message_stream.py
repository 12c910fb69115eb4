"""A streamed message is read by its typed events, and ends only with one that says so."""

import pytest

from changeover.wire.failure import FailureKind, classify
from changeover.wire.filters import FilterEvent
from changeover.wire.message_errors import message_error_event
from changeover.wire.message_stream import MessageStreamReader
from changeover.wire.readers import stream_reader
from changeover.wire.reply import Usage
from changeover.wire.surface import Surface
from tests.unit.wire.message_streams import MESSAGE_STREAMS, MODEL, begun, block, delta, event, opening

BODIES = {stream.name: stream.body for stream in MESSAGE_STREAMS}
STARTED = Usage(prompt=127, cached=100, written=7, written_1h=3)
TOKENS = Usage(prompt=127, completion=15, cached=100, reasoning=6, written=7, written_1h=3)


def read(body: bytes) -> MessageStreamReader:
    reader = MessageStreamReader()
    assert reader.feed(body) + reader.close() == body
    return reader


def test_it_is_the_reader_of_its_surface() -> None:
    assert isinstance(stream_reader(Surface.MESSAGES), MessageStreamReader)


@pytest.mark.parametrize("name", [name for name in BODIES if "whole" in name or name == "unknown events"])
def test_a_whole_message_tells_its_model_usage_and_end(name: str) -> None:
    reader = read(BODIES[name])
    assert (reader.content_started, reader.done, reader.failed, reader.error) == (True, True, None, None)
    facts = reader.facts
    assert (facts.model, facts.finish_reason, facts.filtered, facts.tokens, facts.filters) == (MODEL, "end_turn", False, TOKENS, ())


def test_the_output_that_a_beginning_speaks_of_is_no_count() -> None:
    for name in ("cut before content", "cut"):
        reader = read(BODIES[name])
        assert (reader.done, reader.failed) == (False, None)
        assert (reader.facts.tokens, reader.facts.finish_reason, reader.facts.filtered) == (STARTED, None, None)


def test_only_the_last_event_ends_a_stream() -> None:
    reader = read(BODIES["cut before the last event"])
    assert (reader.done, reader.failed, reader.facts.finish_reason, reader.facts.tokens) == (False, None, "end_turn", TOKENS)


def test_counts_that_an_end_corrects_are_corrected() -> None:
    usage = {"input_tokens": 25, "cache_read_input_tokens": 0, "cache_creation_input_tokens": None, "output_tokens": 0}
    reader = read(b"".join([*opening(), event("message_delta", delta={"stop_reason": "max_tokens"}, usage=usage)]))
    assert reader.facts.tokens == Usage(prompt=32, completion=0, cached=0, written=7, written_1h=3)


def test_content_begins_with_a_delta_or_with_a_block_that_comes_whole() -> None:
    for kind in ("text", "thinking", "tool_use", "server_tool_use"):
        reader = read(b"".join(opening(kind)))
        assert not reader.content_started
    assert read(begun() + block("web_search_tool_result")).content_started
    assert read(begun() + block("redacted_thinking")).content_started
    tool = event("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": ""})
    assert read(b"".join([*opening("tool_use"), tool])).content_started


def test_a_refusal_is_an_answer_that_a_filter_cut_off() -> None:
    reader = read(BODIES["refused"])
    assert (reader.done, reader.failed, reader.facts.finish_reason, reader.facts.filtered) == (True, None, "refusal", True)
    assert reader.facts.filters == (FilterEvent(side="completion", category="cyber", filtered=True),)
    silent = read(BODIES["refused without a word"])
    assert (silent.content_started, silent.done, silent.facts.filtered) == (False, True, True)
    assert silent.facts.filters == (FilterEvent(side="completion", category="refusal", filtered=True),)


@pytest.mark.parametrize(
    ("name", "code", "started", "kind"),
    [
        ("overloaded", "overloaded_error", False, FailureKind.PROVIDER_FAULT),
        ("overloaded in the middle", "overloaded_error", True, FailureKind.PROVIDER_FAULT),
        ("limited", "rate_limit_error", False, FailureKind.LIMITED),
        ("blocked", "content_filter", True, FailureKind.CONTENT_FILTER),
        ("error without words", "error", False, FailureKind.ANSWER),
        ("error without a name", "api_error", False, FailureKind.PROVIDER_FAULT),
    ],
)
def test_an_error_in_the_stream_is_kept_for_its_class(name: str, code: str, started: bool, kind: FailureKind) -> None:
    reader = read(BODIES[name])
    assert (reader.failed, reader.content_started, reader.done, reader.facts.error) == (code, started, False, code)
    assert reader.error is not None
    assert classify(200, reader.error, {}, now=0.0).kind is kind


def test_an_end_inside_an_error_or_a_text_is_none() -> None:
    assert not read(b"".join([*opening(), delta('event: message_stop\ndata: {"type":"message_stop"}')])).done
    assert not read(b'event: error\ndata: {"type":"message_stop"}\n\n').done


@pytest.mark.parametrize("strange", [b"data: {}\n\n", b"data: 3\n\n", b"event: message_stop\ndata: 7\n\n", b'data: {"type":7}\n\n'])
def test_what_cannot_be_read_is_passed_over(strange: bytes) -> None:
    reader = read(begun() + strange + delta("x"))
    assert (reader.failed, reader.done, reader.content_started) == (None, False, True)


@pytest.mark.parametrize("message", [b"3", b'{"model":7,"usage":"many"}', b'{"usage":{"input_tokens":"x","output_tokens":2}}'])
def test_a_strange_beginning_hides_nothing_that_comes_later(message: bytes) -> None:
    start = b'event: message_start\ndata: {"type":"message_start","message":' + message + b"}\n\n"
    reader = read(start + BODIES["whole"])
    assert (reader.done, reader.facts.model, reader.facts.tokens) == (True, MODEL, TOKENS)


def test_our_own_word_on_a_broken_stream_reads_as_an_error_and_no_end() -> None:
    reader = read(b"".join(opening()) + delta("x") + message_error_event("it broke", "upstream_cut"))
    assert (reader.failed, reader.done) == ("api_error", False)
