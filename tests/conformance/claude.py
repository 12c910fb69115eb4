"""A small upstream that speaks Anthropic's API and means it: keys, versions, models and parameters are checked as it checks them.

It shares no code with the product. What it says depends on the request alone, so that two callers who ask alike are told alike.
A word in brackets at the beginning of the last message makes it behave: ``[overloaded]``, ``[limited]``, ``[refuse]``,
``[refuse silently]``, ``[blocked]``, ``[error before]``, ``[error after]``, ``[cut]``, ``[odd]``.
"""

import hashlib
import json
import re
import socket
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Final

MODELS: Final = ("claude-haiku-4-5-20251001", "claude-opus-5")
WITHOUT_THINKING: Final = ("claude-opus-5",)
"""These decide by themselves how much they think."""
VERSIONS: Final = ("2023-06-01", "2026-10-21")
_SAMPLING: Final = frozenset({"temperature", "top_p", "top_k"})
"""Taken by the older version of the API, refused by the newer."""
_KNOWN: Final = frozenset({
    "model", "max_tokens", "messages", "stream", "system", "tools", "tool_choice", "thinking", "metadata", "stop_sequences", "service_tier",
})  # fmt: skip
_WORD: Final = re.compile(r"\S+\s*")
_DIRECTIVE: Final = re.compile(r"\[([a-z ]+)\]")
_ECHO: Final = "x_echo"
"""One field that it takes although the API knows none of that name: it is given back, byte for byte."""
_SPLIT: Final = 17
"""Streams go out in pieces of so many bytes: through words, characters and line ends."""


class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    def __init__(self, status: int, kind: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.headers = headers


class Said:
    """What the server was sent: its tests look whether a secret came along."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.heads: list[dict[str, str]] = []
        self.bodies: list[bytes] = []

    def note(self, head: dict[str, str], body: bytes) -> None:
        with self._lock:
            self.heads.append(head)
            self.bodies.append(body)


class Claude(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = 0
    key = ""
    said = Said()

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Quiet."""

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers["content-length"])))

    def _serve(self, body: bytes) -> None:
        self.said.note({name.lower(): value for name, value in self.headers.items()}, body)
        try:
            self._admit()
            self._route(self.path.partition("?")[0], body)
        except Refusal as refusal:
            said = {"type": "error", "error": {"type": refusal.kind, "message": str(refusal)}, "request_id": _id("req", body)}
            self._whole(refusal.status, said, body, **refusal.headers)

    def _admit(self) -> None:
        if self.key not in (self.headers.get("x-api-key"), self.headers.get("authorization", "").removeprefix("Bearer ")):
            raise Refusal(401, "authentication_error", "invalid x-api-key")
        if self.headers.get("anthropic-version") not in VERSIONS:
            raise Refusal(400, "invalid_request_error", "anthropic-version: header is required")

    def _route(self, path: str, body: bytes) -> None:
        batches = "/v1/messages/batches"
        path = path.removeprefix("/anthropic")
        if path == "/v1/messages":
            known = _KNOWN | _SAMPLING if self.headers["anthropic-version"] == VERSIONS[0] else _KNOWN
            self._message(_checked(body, known), body)
        elif path == "/v1/messages/count_tokens":
            self._whole(200, {"input_tokens": _tokens(json.loads(body))}, body)
        elif path == batches and self.command == "POST":
            self._whole(200, _batch("in_progress"), body)
        elif path == f"{batches}/msgbatch_1":
            self._whole(200, _batch("ended"), body)
        elif path == f"{batches}/msgbatch_1/results":
            self._results()
        elif path.startswith(batches):
            raise Refusal(404, "not_found_error", f"{path.rpartition('/')[2]} not found")
        else:
            raise Refusal(404, "not_found_error", "Not Found")

    def _message(self, asked: dict[str, Any], body: bytes) -> None:
        _misbehave(_directive(asked))
        message = _answer(asked, body)
        if asked.get("stream"):
            self._stream(list(_events(message, _directive(asked))), body, cut=_directive(asked) == "cut")
        else:
            self._whole(200, message, body)

    def _results(self) -> None:
        lines = [{"custom_id": name, "result": {"type": "canceled"}} for name in ("first", "second")]
        self._send(200, "".join(json.dumps(line) + "\n" for line in lines).encode(), "application/x-jsonl", b"")

    def _whole(self, status: int, said: object, body: bytes, **headers: str) -> None:
        self._send(status, json.dumps(said, ensure_ascii=False).encode(), "application/json", body, **headers)

    def _send(self, status: int, data: bytes, kind: str, body: bytes, **headers: str) -> None:
        self._head(status, kind, body, **headers)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _head(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("request-id", _id("req", body))
        self.send_header("anthropic-ratelimit-requests-remaining", "41")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)

    def _stream(self, events: list[bytes], body: bytes, *, cut: bool) -> None:
        self._head(200, "text/event-stream; charset=utf-8", body)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        said = b"".join(events)
        for at in range(0, len(said), _SPLIT):
            piece = said[at : at + _SPLIT]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        if cut:
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")


def _checked(body: bytes, known: frozenset[str]) -> dict[str, Any]:
    """The request, or the refusal that the API has for it."""
    asked = json.loads(body)
    bad = "invalid_request_error"
    if asked.get("model") not in MODELS:
        raise Refusal(404, "not_found_error", f"model: {asked.get('model')}")
    for name in sorted(asked.keys() - known - {_ECHO}):
        raise Refusal(400, bad, f"{name}: Extra inputs are not permitted")
    if not isinstance(asked.get("max_tokens"), int):
        raise Refusal(400, bad, "max_tokens: Field required")
    if not asked.get("messages"):
        raise Refusal(400, bad, "messages: at least one message is required")
    if asked["model"] in WITHOUT_THINKING and asked.get("thinking", {}).get("type") == "enabled":
        raise Refusal(400, bad, '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive".')
    return asked


def _misbehave(directive: str) -> None:
    if directive == "overloaded":
        raise Refusal(529, "overloaded_error", "Overloaded")
    if directive == "limited":
        raise Refusal(429, "rate_limit_error", "Number of request tokens has exceeded your rate limit", retry_after="31")
    if directive == "blocked":
        raise Refusal(400, "invalid_request_error", "Output blocked by content filtering policy")


def _directive(asked: dict[str, Any]) -> str:
    found = _DIRECTIVE.match(_text(asked["messages"][-1]["content"]))
    return found[1] if found else ""


def _text(content: Any) -> str:
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)


def _id(prefix: str, body: bytes) -> str:
    return f"{prefix}_{hashlib.sha256(body).hexdigest()[:24]}"


def _tokens(asked: dict[str, Any]) -> int:
    said = [_text(message["content"]) for message in asked["messages"]] + [_text(asked.get("system", ""))]
    return sum(len(_WORD.findall(text)) for text in said) + 3 * len(asked.get("tools", ()))


def _blocks(asked: dict[str, Any]) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    directive = _directive(asked)
    if "thinking" in asked:
        blocks.append({"type": "thinking", "thinking": "Three words — naïve ☃.", "signature": "c2ln"})
    if asked.get("tools"):
        name = asked["tools"][0]["name"]
        blocks.append({"type": "tool_use", "id": "toolu_1", "name": name, "input": {"city": "Größe", "unit": "\u2103", "n": 1.5}})
    elif directive != "refuse silently":
        blocks.append({"type": "text", "text": f'Größe ☃ 😀: "{_text(asked["messages"][-1]["content"])}"\n\nevent: message_stop\n\nend.'})
    return blocks


def _stop(asked: dict[str, Any]) -> str:
    if _directive(asked).startswith("refuse"):
        return "refusal"
    return "tool_use" if asked.get("tools") else "end_turn"


def _answer(asked: dict[str, Any], body: bytes) -> dict[str, Any]:
    cached = any(isinstance(part, dict) and "cache_control" in part for part in asked.get("system", ()))
    details = {"type": "refusal", "category": "cyber", "explanation": None} if _stop(asked) == "refusal" else None
    usage = {
        "input_tokens": _tokens(asked),
        "cache_creation_input_tokens": 11 if cached else 0,
        "cache_read_input_tokens": 70 if cached else 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 11 if cached else 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 21,
        "service_tier": "standard",
        "a_new_count": 4,
    }
    echo = {_ECHO: asked[_ECHO]} if _ECHO in asked else {}
    return {
        "id": _id("msg", body), "type": "message", "role": "assistant", "model": asked["model"], "content": _blocks(asked),
        "stop_reason": _stop(asked), "stop_sequence": None, "stop_details": details, "usage": usage, "a_new_field": {"deep": [1.0, None]},
        **echo,
    }  # fmt: skip


def _events(message: dict[str, Any], directive: str) -> Iterator[bytes]:
    opened = {**message, "content": [], "stop_reason": None, "stop_details": None, "usage": {**message["usage"], "output_tokens": 2}}
    yield _event("message_start", message=opened)
    if directive == "odd":
        yield b': a comment\n\nevent: a_new_event\ndata: {"type":\ndata: "a_new_event","x":"' + "é".encode() * 3000 + b'"}\n\n'
    if directive == "error before":
        yield _event("error", error={"type": "overloaded_error", "message": "Overloaded"})
        return
    for index, block in enumerate(message["content"]):
        yield from _block_events(index, block, ping=index == 0)
        if directive == "error after":
            yield _event("error", error={"type": "api_error", "message": "Internal server error"})
        if directive in ("error after", "cut"):
            return
    change = {"stop_reason": message["stop_reason"], "stop_sequence": None, "stop_details": message["stop_details"]}
    yield _event("message_delta", delta=change, usage={"output_tokens": message["usage"]["output_tokens"], "a_new_count": 4})
    yield _event("message_stop")


def _block_events(index: int, block: dict[str, Any], *, ping: bool) -> Iterator[bytes]:
    empty, deltas = _pieces(block)
    yield _event("content_block_start", index=index, content_block=empty)
    if ping:
        yield _event("ping")
    for piece in deltas:
        yield _event("content_block_delta", index=index, delta=piece)
    yield _event("content_block_stop", index=index)


def _pieces(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    match block["type"]:
        case "thinking":
            thoughts = [{"type": "thinking_delta", "thinking": word} for word in _WORD.findall(block["thinking"])]
            return {**block, "thinking": "", "signature": ""}, [*thoughts, {"type": "signature_delta", "signature": block["signature"]}]
        case "tool_use":
            text = json.dumps(block["input"], ensure_ascii=False)
            parts = [text[at : at + 9] for at in range(0, len(text), 9)]
            return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": part} for part in ["", *parts]]
        case _:
            return {**block, "text": ""}, [{"type": "text_delta", "text": word} for word in _WORD.findall(block["text"])]


def _event(kind: str, **parts: Any) -> bytes:
    payload = json.dumps({"type": kind, **parts}, ensure_ascii=False, separators=(",", ":"))
    return f"event: {kind}\ndata: {payload}\n\n".encode()


def _batch(state: str) -> dict[str, Any]:
    return {
        "id": "msgbatch_1", "type": "message_batch", "processing_status": state, "created_at": "2026-01-01T00:00:00Z",
        "expires_at": "2026-01-02T00:00:00Z", "ended_at": None, "cancel_initiated_at": None, "archived_at": None,
        "request_counts": {"processing": 2, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0},
        "results_url": None if state == "in_progress" else "/v1/messages/batches/msgbatch_1/results",
    }  # fmt: skip


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that leaves is no fault here."""


@contextmanager
def speaking(key: str) -> Generator[tuple[str, Said]]:
    """The URL of a running upstream whose one good key is ``key``, and what it has been sent."""
    said = Said()
    handler = type("Keyed", (Claude,), {"key": key, "said": said})
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="claude")
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", said
        finally:
            server.shutdown()
            thread.join()
