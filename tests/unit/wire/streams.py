"""Streams as servers write them, each in parts, with what is to be hidden marked. No test runs here."""

import json
from dataclasses import dataclass
from typing import Any

SAFE = {"hate": {"filtered": False, "severity": "safe"}, "violence": {"filtered": False, "severity": "safe"}}
USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 0}}


@dataclass(frozen=True)
class Stream:
    """``parts``: bytes, and whether they carry only the usage that we asked for."""

    name: str
    parts: tuple[tuple[bytes, bool], ...]

    @property
    def body(self) -> bytes:
        return b"".join(part for part, _ in self.parts)

    @property
    def shown(self) -> bytes:
        return b"".join(part for part, hidden in self.parts if not hidden)


def chunk(*choices: dict[str, Any], spaced: bool = False, **parts: Any) -> bytes:
    body = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-2024-11-20", "system_fingerprint": "fp_9"}
    separators = (", ", ": ") if spaced else (",", ":")
    return json.dumps({**body, "choices": list(choices), **parts}, separators=separators, ensure_ascii=False).encode()


def delta(content: str | None = None, *, finish_reason: str | None = None, **parts: Any) -> dict[str, Any]:
    return {"index": 0, "delta": {} if content is None else {"content": content}, "finish_reason": finish_reason, **parts}


ROLE = {"index": 0, "delta": {"role": "assistant", "content": "", "refusal": None}, "finish_reason": None}
DONE = b"[DONE]"


def written(name: str, payloads: list[tuple[bytes, bool]], *, end: bytes = b"\n", field: bytes = b"data: ") -> Stream:
    return Stream(name, tuple((field + payload + end + end, hidden) for payload, hidden in payloads))


AZURE_FIRST = chunk(prompt_filter_results=[{"prompt_index": 0, "content_filter_results": SAFE}], model="", id="")
AZURE = [
    (AZURE_FIRST, False),
    (chunk({**ROLE, "content_filter_results": {}}), False),
    (chunk(delta("Größe ☃ 😀", content_filter_results=SAFE)), False),
    (chunk(delta('"usage":{"filtered":true} [DONE]\n\ndata: x', content_filter_results=SAFE)), False),
    (chunk(delta(finish_reason="stop", content_filter_results={})), False),
    (chunk(usage=USAGE), True),
    (DONE, False),
]
OPENAI = [
    (chunk(ROLE, usage=None), False),
    (chunk(delta("Hello"), usage=None), False),
    (chunk(delta(", world"), usage=None), False),
    (chunk(delta(finish_reason="length"), usage=None), False),
    (chunk(usage=USAGE), True),
    (DONE, False),
]
SPACED = [(payload.replace(b'":', b'" : '), hidden) for payload, hidden in OPENAI]

STREAMS = (
    written("azure", AZURE),
    written("openai", OPENAI),
    written("spaced", SPACED),
    written("crlf", AZURE, end=b"\r\n"),
    written("cr", OPENAI, end=b"\r"),
    written("no space after the colon", OPENAI, field=b"data:"),
    Stream("byte order mark", ((b"\xef\xbb\xbf", False), *written("", OPENAI).parts)),
    Stream("comments", ((b": ping\n\n", False), *written("", OPENAI).parts[:3], (b":\n\n", False), *written("", OPENAI).parts[3:])),
    Stream("event and id fields", tuple((b"id: 7\nevent: message\n" + part, hidden) for part, hidden in written("", OPENAI).parts)),
    Stream(
        "several data lines",
        tuple((part.replace(b',"choices"', b',\ndata: "choices"'), hidden) for part, hidden in written("", OPENAI).parts),
    ),
    Stream("mixed line ends", tuple((b"data: " + payload + b"\n\r\n", hidden) for payload, hidden in OPENAI)),
    Stream("no blank line at the end", (*written("", OPENAI).parts[:-1], (b"data: [DONE]", False))),
    Stream("cut in an event", (*written("", AZURE).parts[:3], (written("", AZURE).parts[3][0][:60], False))),
    Stream("ends in the usage chunk", (*written("", OPENAI).parts[:4], (b"data: " + OPENAI[4][0], True))),
    Stream("error in the stream", (*written("", OPENAI).parts[:3], (b'data: {"error":{"code":"overloaded","message":"x"}}\n\n', False))),
    Stream("no event stream at all", ((b"<html>\n\nbad gateway\n", False),)),
    Stream("blank lines", ((b"\n\n\n", False), *written("", OPENAI).parts[:2], (b"\n\n", False), *written("", OPENAI).parts[2:])),
    Stream("nothing", ()),
)
