"""Streams of responses as servers write them. No test runs here."""

import json
from typing import Any

from tests.unit.wire.streams import Stream

SAFE = {"hate": {"filtered": False, "severity": "safe"}}
HARSH = {"hate": {"filtered": True, "severity": "high"}}
USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens": 3,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 12,
}


def response(status: str = "in_progress", **parts: Any) -> dict[str, Any]:
    body = {"id": "resp_1", "object": "response", "status": status, "error": None, "incomplete_details": None}
    return {"response": {**body, "model": "gpt-4o-2024-11-20", "output": [], "usage": None, **parts}}


def event(kind: str, *, end: bytes = b"\n", named: bool = True, **parts: Any) -> bytes:
    payload = json.dumps({"type": kind, "sequence_number": 0, **parts}, ensure_ascii=False, separators=(",", ":")).encode()
    return (b"event: " + kind.encode() + end if named else b"") + b"data: " + payload + end + end


def delta(text: str, **how: Any) -> bytes:
    return event("response.output_text.delta", item_id="m1", output_index=0, content_index=0, delta=text, **how)


def opening(**how: Any) -> list[bytes]:
    return [
        event("response.created", **response(), **how),
        event("response.in_progress", **response(), **how),
        event("response.output_item.added", output_index=0, item={"id": "m1", "type": "message", "content": []}, **how),
        event("response.content_part.added", part={"type": "output_text", "text": ""}, **how),
    ]


def completed(**how: Any) -> list[bytes]:
    text = [delta("Größe ☃ 😀", **how), delta('"type":"response.completed"\n\ndata: [DONE]', **how)]
    return [*opening(**how), *text, event("response.completed", **response("completed", usage=USAGE), **how)]


FILTERS = [{"source_type": "prompt", "content_filter_results": SAFE}, {"source_type": "completion", "content_filter_results": HARSH}]
FILTERED = response("incomplete", incomplete_details={"reason": "content_filter"}, usage=USAGE, content_filters=FILTERS)
LONG = response("incomplete", incomplete_details={"reason": "max_output_tokens"}, usage=USAGE)
FAILED = response("failed", error={"code": "rate_limit_exceeded", "message": "slow down"})


def stream(name: str, parts: list[bytes]) -> Stream:
    return Stream(name, tuple((part, False) for part in parts))


RESPONSE_STREAMS = (
    stream("completed", completed()),
    stream("completed, unnamed events", completed(named=False)),
    stream("completed, CRLF", completed(end=b"\r\n")),
    stream("completed, CR", completed(end=b"\r")),
    stream("completed, then done", [*completed(), b"data: [DONE]\n\n"]),
    stream("comments", [b": ping\n\n", *completed()[:4], b":\n\n", *completed()[4:]]),
    stream("incomplete", [*opening(), delta("x"), event("response.incomplete", **LONG)]),
    stream("filtered", [*opening(), delta("x"), event("response.incomplete", **FILTERED)]),
    stream("failed", [*opening(), event("response.failed", **FAILED)]),
    stream("flat error", [*opening(), delta("x"), event("error", code="server_error", message="broken", param=None)]),
    stream("nested error", [event("error", error={"type": "overloaded_error", "message": "busy"})]),
    stream("cut in an event", [*opening(), delta("x")[:40]]),
    stream("cut between events", [*opening(), delta("x")]),
    stream("no event stream at all", [b"<html>\n\nbad gateway\n"]),
    stream("nothing", []),
)
