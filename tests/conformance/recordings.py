"""Answers as providers, or worse ones, send them: what an SDK must get through the gateway exactly as it gets it direct.

Each recording is the body of one answer in the pieces in which it is written. ``usage`` is the event that a stream adds
before its end for those who ask for usage.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

JSON: Final = "application/json"
EVENTS: Final = "text/event-stream; charset=utf-8"
KIB: Final = 1024
MIB: Final = 1024 * KIB


@dataclass(frozen=True, kw_only=True)
class Recording:
    """``framing``: how the body's end is marked (``length``, ``chunked`` or ``close``). ``before_end`` is where usage is put in."""

    pieces: tuple[bytes, ...]
    status: int = 200
    content_type: str = JSON
    framing: str = "chunked"
    headers: tuple[tuple[str, str], ...] = ()
    usage: bytes = b""

    @property
    def streamed(self) -> bool:
        return self.content_type == EVENTS

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


def chat_body(content: str = "It reads a file.", **more: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-recorded",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": "gpt-4o-2024-11-20",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content, "refusal": None}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14},
        **more,
    }


def chunk_body(delta: dict[str, Any], *, finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-recorded",
        "object": "chat.completion.chunk",
        "created": 1_760_000_000,
        "model": "gpt-4o-2024-11-20",
        "system_fingerprint": "fp_recorded",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **more,
    }


def event(body: object, *, end: bytes = b"\n", prefix: bytes = b"data: ", ascii_only: bool = True) -> bytes:
    return prefix + json.dumps(body, ensure_ascii=ascii_only).encode() + end * 2


def stream(*events: bytes, end: bytes = b"\n") -> tuple[bytes, ...]:
    """``events`` between the usual opening and end."""
    opening = event(chunk_body({"role": "assistant", "content": ""}), end=end)
    return (opening, *events, event(chunk_body({}, finish="stop"), end=end), b"data: [DONE]" + end * 2)


def in_pieces(data: bytes, size: int) -> tuple[bytes, ...]:
    return tuple(data[at : at + size] for at in range(0, len(data), size))


USAGE: Final = event({**chunk_body({}), "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}})
_FOREIGN: Final = "Größe: 三十 — naïve café 🧪🏳️‍🌈 \u2028 end"
_FILTER: Final = {"hate": {"filtered": False, "severity": "safe"}}
_UNKNOWN_FIELDS: Final = chat_body(
    prompt_filter_results=[{"prompt_index": 0, "content_filter_results": _FILTER}],
    service_tier="default",
    a_new_field={"deep": [1, {"er": None}], "empty": {}},
    choices=[
        {
            "index": 0,
            "message": {"role": "assistant", "content": "It reads a file.", "annotations": [], "thoughts": {"signature": "c2ln"}},
            "finish_reason": "stop",
            "content_filter_results": {**_FILTER, "protected_material_text": {"detected": False, "filtered": False}},
        }
    ],
)
_ODD_JSON: Final = (
    b'\n { "id" :"chatcmpl-recorded",\t"object":"chat.completion","created":1760000000,"model":"gpt-4o-2024-11-20",\r\n'
    b'"choices":[{"index":0,"message":{"role":"assistant","content":"a \\u00e9\\/\\ud83e\\uddea b \xc3\xa9","refusal":null},'
    b'"finish_reason":"stop","logprobs":null}], "big":12345678901234567890123,"small":1.0e-7,"exact":0.10,'
    b'"usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":0}} }\n'
)
_FILTERED: Final = (
    b'{"error":{"message":"The prompt was refused.","type":null,"param":"prompt","code":"content_filter","status":400,'
    b'"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"violence":{"filtered":true,"severity":"high"}}}}}'
)

RECORDINGS: Final[dict[str, Recording]] = {
    "unknown fields": Recording(pieces=(json.dumps(_UNKNOWN_FIELDS).encode(),), framing="length"),
    "odd spacing, escapes and numbers": Recording(pieces=(_ODD_JSON,), framing="length"),
    "a body in small chunks": Recording(pieces=in_pieces(json.dumps(chat_body(_FOREIGN), ensure_ascii=False).encode(), 7)),
    "a body that ends with the connection": Recording(pieces=(json.dumps(chat_body()).encode(),), framing="close"),
    "a huge body": Recording(pieces=in_pieces(json.dumps(chat_body("word " * (MIB // 2))).encode(), 64 * KIB)),
    "a refusal with unknown fields": Recording(
        pieces=(_FILTERED,),
        status=400,
        framing="length",
        headers=(("x-ms-error-source", "model"),),
    ),
    "a plain stream": Recording(
        pieces=stream(*(event(chunk_body({"content": word})) for word in ("It ", "reads ", "a ", "file."))),
        content_type=EVENTS,
        usage=USAGE,
    ),
    "unicode split across chunks": Recording(
        pieces=in_pieces(b"".join(stream(event(chunk_body({"content": _FOREIGN}), ascii_only=False))), 1), content_type=EVENTS, usage=USAGE
    ),
    "lines that end in CRLF": Recording(
        pieces=stream(event(chunk_body({"content": "It reads."}), end=b"\r\n"), end=b"\r\n"), content_type=EVENTS
    ),
    "CRLF split between its two bytes": Recording(
        pieces=tuple(
            part
            for each in stream(event(chunk_body({"content": "It reads."}), end=b"\r\n"), end=b"\r\n")
            for part in (each[:-3], each[-3:-2], each[-2:-1], each[-1:])
        ),
        content_type=EVENTS,
    ),
    "lines that end in CR": Recording(
        pieces=stream(event(chunk_body({"content": "It reads."}), end=b"\r"), end=b"\r"), content_type=EVENTS
    ),
    "comments and other fields": Recording(
        pieces=stream(
            b": keep-alive\n\n",
            b":\n\n\n\n",
            b"id: 7\nretry: 3000\n" + event(chunk_body({"content": "It "})),
            event(chunk_body({"content": "reads."}), prefix=b"data:"),
            b"event: message\n: between\n" + event(chunk_body({"content": " Well."})),
        ),
        content_type=EVENTS,
        usage=USAGE,
    ),
    "data on several lines": Recording(
        pieces=stream(
            b"\n".join(b"data: " + line for line in json.dumps(chunk_body({"content": "It reads."}), indent=1).encode().split(b"\n"))
            + b"\n\n"
        ),
        content_type=EVENTS,
    ),
    "a huge event": Recording(
        pieces=tuple(part for each in stream(event(chunk_body({"content": "word " * (MIB // 4)}))) for part in in_pieces(each, 16 * KIB)),
        content_type=EVENTS,
        usage=USAGE,
    ),
    "many events in one chunk": Recording(
        pieces=(b"".join(stream(*(event(chunk_body({"content": f"{number} "})) for number in range(500)))),), content_type=EVENTS
    ),
    "unknown fields in a stream": Recording(
        pieces=(
            event({"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": [{"prompt_index": 0}]}),
            *stream(
                event(chunk_body({"content": "It reads.", "thoughts": {"a": [1]}}, a_new_field={"deep": {"er": 1}})),
                event(chunk_body({"content": ""}, obfuscation="x7Gt")),
            ),
        ),
        content_type=EVENTS,
        usage=USAGE,
    ),
    "a mark of byte order first": Recording(
        pieces=(b"\xef\xbb\xbf", *stream(event(chunk_body({"content": "It reads."})))), content_type=EVENTS
    ),
    "the end and nothing after it": Recording(
        pieces=(*stream(event(chunk_body({"content": "It reads."})))[:-1], b"data: [DONE]"), content_type=EVENTS
    ),
}
