"""Streams of messages as Anthropic's API writes them. No test runs here."""

import json
from typing import Any

from tests.unit.wire.streams import Stream

MODEL = "claude-sonnet-4-5-20250929"
START_USAGE = {
    "input_tokens": 20,
    "cache_creation_input_tokens": 7,
    "cache_read_input_tokens": 100,
    "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 3},
    "output_tokens": 1,
    "service_tier": "standard",
}
END_USAGE = {"output_tokens": 15, "output_tokens_details": {"thinking_tokens": 6}}


def event(kind: str, *, end: bytes = b"\n", named: bool = True, **parts: Any) -> bytes:
    payload = json.dumps({"type": kind, **parts}, ensure_ascii=False, separators=(",", ":")).encode()
    return (b"event: " + kind.encode() + end if named else b"") + b"data: " + payload + end + end


def begun(**how: Any) -> bytes:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": MODEL, "content": [], "stop_reason": None}
    return event("message_start", message={**message, "stop_sequence": None, "usage": START_USAGE}, **how)


def block(kind: str = "text", **how: Any) -> bytes:
    empty = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}, "tool_use": {"id": "toolu_1", "name": "f", "input": {}}}
    return event("content_block_start", index=0, content_block={"type": kind, **empty.get(kind, {"content": []})}, **how)


def delta(text: str, **how: Any) -> bytes:
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": text}, **how)


def ended(reason: str = "end_turn", *, usage: dict[str, Any] | None = None, details: Any = None, **how: Any) -> list[bytes]:
    change = {"stop_reason": reason, "stop_sequence": None, **({} if details is None else {"stop_details": details})}
    return [
        event("content_block_stop", index=0, **how),
        event("message_delta", delta=change, usage=END_USAGE if usage is None else usage, **how),
        event("message_stop", **how),
    ]


def opening(kind: str = "text", **how: Any) -> list[bytes]:
    return [begun(**how), block(kind, **how), event("ping", **how)]


def whole(**how: Any) -> list[bytes]:
    return [*opening(**how), delta("Größe ☃ 😀", **how), delta('"type":"message_stop"\n\nevent: error', **how), *ended(**how)]


def error(kind: str, message: str = "Overloaded", **how: Any) -> bytes:
    return event("error", error={"type": kind, "message": message}, **how)


def stream(name: str, parts: list[bytes]) -> Stream:
    return Stream(name, tuple((part, False) for part in parts))


REFUSED = {"type": "refusal", "category": "cyber", "explanation": "No."}
BLOCKED = error("invalid_request_error", "Output blocked by content filtering policy")

MESSAGE_STREAMS = (
    stream("whole", whole()),
    stream("whole, unnamed events", whole(named=False)),
    stream("whole, CRLF", whole(end=b"\r\n")),
    stream("whole, CR", whole(end=b"\r")),
    stream("whole, with comments", [b": hello\n\n", *whole()[:4], b":\n\n", *whole()[4:]]),
    stream("unknown events", [*whole()[:4], event("model_hummed", tune="a"), *whole()[4:]]),
    stream("refused", [*opening(), delta("x"), *ended("refusal", details=REFUSED)]),
    stream("refused without a word", [begun(), *ended("refusal")[1:]]),
    stream("overloaded", [*opening(), error("overloaded_error")]),
    stream("overloaded in the middle", [*opening(), delta("x"), error("overloaded_error")]),
    stream("limited", [error("rate_limit_error", "Number of tokens")]),
    stream("blocked", [*opening(), delta("x"), BLOCKED]),
    stream("error without words", [*opening(), b"event: error\ndata: oops\n\n"]),
    stream("error without a name", [*opening(), error("api_error", named=False)]),
    stream("cut before content", opening()),
    stream("cut", [*opening(), delta("x")]),
    stream("cut before the last event", [*opening(), delta("x"), *ended()[:2]]),
)
