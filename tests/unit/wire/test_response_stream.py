"""A streamed response is read by its typed events, and ends only with one that says so."""

import pytest

from changeover.wire.failure import FailureKind, classify
from changeover.wire.filters import FilterEvent
from changeover.wire.readers import stream_reader
from changeover.wire.reply import ReplyFacts, Usage
from changeover.wire.response_stream import ResponseStreamReader
from changeover.wire.sse import StreamReader
from changeover.wire.surface import Surface
from tests.unit.wire.response_streams import RESPONSE_STREAMS, completed, delta, event, opening, response

BODIES = {stream.name: stream.body for stream in RESPONSE_STREAMS}
KNOWN = ReplyFacts(model="gpt-4o-2024-11-20", response_id="resp_1")
TOKENS = Usage(prompt=9, completion=3, cached=4, reasoning=2)
CONTENT = ["response.function_call_arguments.delta", "response.web_search_call.in_progress", "response.refusal.delta"]
NO_EVENT = [b"data: {}\n\n", b"data: 3\n\n", b"event: response.completed\ndata: 7\n\n", b'data: {"type":"ping"}\n\n']
READERS = [(Surface.CHAT, StreamReader), (Surface.COMPLETIONS, StreamReader), (Surface.RESPONSES, ResponseStreamReader)]


def read(body: bytes) -> ResponseStreamReader:
    reader = ResponseStreamReader()
    assert reader.feed(body) + reader.close() == body
    return reader


@pytest.mark.parametrize("name", [name for name in BODIES if "completed" in name or name == "comments"])
def test_a_completed_response_tells_everything_in_its_last_event(name: str) -> None:
    reader = read(BODIES[name])
    assert (reader.content_started, reader.done, reader.failed, reader.error) == (True, True, None, None)
    assert reader.facts == ReplyFacts(
        model="gpt-4o-2024-11-20", finish_reason="completed", filtered=False, tokens=TOKENS, response_id="resp_1"
    )


def test_an_incomplete_response_is_a_whole_stream_that_says_why() -> None:
    reader = read(BODIES["incomplete"])
    assert (reader.done, reader.failed, reader.facts.finish_reason, reader.facts.filtered) == (True, None, "max_output_tokens", False)


def test_a_filtered_response_is_an_answer_with_its_filter_events() -> None:
    reader = read(BODIES["filtered"])
    assert (reader.done, reader.failed, reader.facts.finish_reason, reader.facts.filtered) == (True, None, "content_filter", True)
    assert reader.facts.filters == (FilterEvent(side="completion", category="hate", severity="high", filtered=True),)


@pytest.mark.parametrize(
    ("name", "code", "done", "kind"),
    [
        ("failed", "rate_limit_exceeded", True, FailureKind.LIMITED),
        ("flat error", "server_error", False, FailureKind.PROVIDER_FAULT),
        ("nested error", "overloaded_error", False, FailureKind.PROVIDER_FAULT),
    ],
)
def test_an_error_in_the_stream_is_kept_for_its_class(name: str, code: str, done: bool, kind: FailureKind) -> None:
    reader = read(BODIES[name])
    assert (reader.failed, reader.done, reader.facts.error) == (code, done, code)
    assert reader.error is not None
    assert classify(200, reader.error, {}, now=0.0).kind is kind


@pytest.mark.parametrize("name", ["cut in an event", "cut between events", "no event stream at all", "nothing"])
def test_a_stream_without_its_last_event_is_not_done(name: str) -> None:
    reader = read(BODIES[name])
    assert (reader.done, reader.failed, reader.facts.finish_reason) == (False, None, None)


def test_the_beginning_of_a_response_is_no_content() -> None:
    reader = ResponseStreamReader()
    reader.feed(b"".join(opening()))
    assert not reader.content_started
    assert reader.facts == KNOWN
    reader.feed(delta("x"))
    assert reader.content_started


@pytest.mark.parametrize("kind", CONTENT)
def test_text_refusals_and_tools_at_work_are_content(kind: str) -> None:
    assert read(event(kind, delta="x")).content_started


@pytest.mark.parametrize("payload", NO_EVENT)
def test_what_is_no_event_of_a_response_changes_nothing(payload: bytes) -> None:
    reader = read(payload)
    assert (reader.content_started, reader.done, reader.failed) == (False, False, None)


def test_an_error_event_that_cannot_be_read_is_an_error() -> None:
    reader = read(b"event: error\ndata: x\n\n")
    assert (reader.failed, reader.error) == ("error", b"x")


def test_an_end_that_says_filtered_while_failing_is_filtered() -> None:
    reader = read(event("response.failed", **response("failed", error={"code": "content_filter", "message": "x"})))
    assert (reader.failed, reader.facts.filtered) == ("content_filter", True)


@pytest.mark.parametrize(("surface", "reader"), READERS)
def test_each_surface_has_its_reader(surface: Surface, reader: type) -> None:
    assert type(stream_reader(surface)) is reader


def test_the_stream_of_a_surface_that_passes_through_is_relayed_unread() -> None:
    reader = stream_reader(Surface.IMAGES, hide_usage=True)
    assert (reader.content_started, reader.done) == (False, True)
    body = b"".join(completed())
    assert reader.feed(body) + reader.close() == body
    assert (reader.content_started, reader.failed, reader.facts) == (True, None, ReplyFacts())


def test_a_streamed_completion_is_read_like_a_chat() -> None:
    reader = stream_reader(Surface.COMPLETIONS, hide_usage=True)
    text = b'data: {"object":"text_completion","model":"m","choices":[{"text":"Hi","finish_reason":null}]}\n\n'
    end = b'data: {"model":"m","choices":[{"text":"","finish_reason":"stop"}]}\n\n'
    usage = b'data: {"model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n'
    assert reader.feed(text + end + usage + b"data: [DONE]\n\n") == text + end + b"data: [DONE]\n\n"
    assert (reader.content_started, reader.done) == (True, True)
    assert reader.facts == ReplyFacts(model="m", finish_reason="stop", filtered=False, tokens=Usage(prompt=1, completion=2))
