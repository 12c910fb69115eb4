"""What goes by in this event stream? Reads it in passing and hides one chunk at most; never makes up an end."""

import re
from typing import Final

import msgspec

from changeover.wire.reply import (
    CONTENT_FILTER,
    Document,
    ReplyFacts,
    Usage,
    error_code,
    filter_mark,
    finish_reason_of,
    read_document,
    usage_of,
)

EVENT_BYTES_MAX: Final = 8 * 1024 * 1024
"""A longer event is no chat chunk. It is relayed like the rest of the stream, unread, and the stream counts as failed."""
EVENT_TOO_LARGE: Final = "event_too_large"

_DONE: Final = b"[DONE]"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
# Two line ends in a row. A carriage return at the very end may be half of one: it waits for what follows.
_EVENT_END: Final = re.compile(rb"(?:\r\n|\n|\r(?=[^\n])){2}")
_LONGEST_END: Final = 4
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_EMPTY_VALUES: Final = frozenset({b"", b"null", b'""', b"[]", b"{}"})


class _Usage(msgspec.Struct):
    """Any usage object."""


class _PassingChoice(msgspec.Struct, kw_only=True, gc=False):
    finish_reason: str | None = None
    content_filter_results: msgspec.Raw = msgspec.Raw(b"")


class _Passing(msgspec.Struct, kw_only=True, gc=False):
    """An event while content flows, read just far enough to see that it says nothing new. Decoding beats searching."""

    choices: list[_PassingChoice]
    usage: _Usage | None = None
    error: None = None


_PASSING: Final = msgspec.json.Decoder(_Passing)


class StreamReader:
    """Reads one streamed chat answer while its bytes pass, in whatever pieces they come.

    ``hide_usage``: usage was asked for by us, not by the caller: the chunk that carries only that (no choices, a usage
    object) is left out of what ``feed`` returns. Then an event is held back until it is whole. Otherwise ``feed``
    returns what it is given, at once.
    """

    __slots__ = (
        "_blind",
        "_filtered",
        "_fingerprint",
        "_finish_reason",
        "_held",
        "_hide_usage",
        "_model",
        "_returns",
        "_scanned",
        "_usage",
        "content_started",
        "done",
        "failed",
    )  # fmt: skip

    def __init__(self, *, hide_usage: bool = False) -> None:
        self.content_started = False
        """An event with content has passed: text, a tool call, a refusal. A role or filter annotations are none."""
        self.done = False
        """``[DONE]`` has passed."""
        self.failed: str | None = None
        """The code of an error event, or ``EVENT_TOO_LARGE``."""
        self._hide_usage = hide_usage
        self._held = bytearray()
        self._returns = False
        self._scanned = 0
        self._blind = False
        self._model: str | None = None
        self._fingerprint: str | None = None
        self._finish_reason: str | None = None
        self._filtered: bool | None = None
        self._usage: Usage | None = None

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes of the stream, return the bytes to relay now (perhaps none)."""
        if self._blind:
            return data
        if self.content_started and not self._held and _is_one_line(data) and _says_nothing_new(data[6:-2]):
            return data  # nearly every read
        events = self._events(data)
        if self._hide_usage:
            relayed = b"".join([event for event in events if not self._read(event)])
        else:
            for event in events:
                self._read(event)
            relayed = data
        if len(self._held) > EVENT_BYTES_MAX:
            return relayed + self._give_up()
        return relayed

    def close(self) -> bytes:
        """The stream has ended: read what is left without a blank line behind it, return what is still to relay."""
        rest = bytes(self._held)
        self._held.clear()
        hidden = bool(rest) and self._read(rest)
        return b"" if hidden or not self._hide_usage else rest

    @property
    def facts(self) -> ReplyFacts:
        """What the stream has said of itself so far."""
        filtered = self._filtered
        if filtered is None and self._finish_reason is not None:
            filtered = False
        return ReplyFacts(
            model=self._model,
            fingerprint=self._fingerprint,
            finish_reason=self._finish_reason,
            filtered=filtered,
            tokens=self._usage,
            error=self.failed,
        )

    def _events(self, data: bytes) -> list[bytes]:
        """The events that ``data`` completes, each with its blank line; the rest is held."""
        held = self._held
        self._returns = self._returns or b"\r" in data
        if held:
            held += data
        buffer = held or data
        events: list[bytes] = []
        start = 0
        for end in self._ends(buffer):
            events.append(bytes(buffer[start:end]))
            start = end
        if held:
            del held[:start]
        elif start < len(data):
            held += data[start:]
        self._scanned = len(held)
        return events

    def _ends(self, buffer: bytes | bytearray) -> list[int]:
        """Where events end in ``buffer``, of which the first ``_scanned`` bytes were searched before."""
        since = max(0, self._scanned - _LONGEST_END)
        if self._returns:
            return [match.end() for match in _EVENT_END.finditer(buffer, since)]
        ends: list[int] = []
        end = buffer.find(b"\n\n", since)
        while end >= 0:
            ends.append(end + 2)
            end = buffer.find(b"\n\n", end + 2)
        return ends

    def _give_up(self) -> bytes:
        """Stop reading; what was held back goes on."""
        self.failed = self.failed or EVENT_TOO_LARGE
        self._blind = True
        held = bytes(self._held) if self._hide_usage else b""
        self._held.clear()
        return held

    def _read(self, event: bytes) -> bool:
        """Learn from one event. Returns whether it is to be hidden."""
        kind, payload = _parse(event)
        if self.content_started and not kind and _says_nothing_new(payload):
            return False
        if payload == _DONE:
            self.done = True
            return False
        document = read_document(payload) if payload else None
        if kind == b"error" or (document is not None and error_code(document.error) is not None):
            self._fail(document)
        return document is not None and self._learn(document)

    def _fail(self, document: Document | None) -> None:
        code = None if document is None else error_code(document.error)
        self.failed = self.failed or code or "error"

    def _learn(self, document: Document) -> bool:
        self._model = self._model or document.model or None
        self._fingerprint = document.system_fingerprint or self._fingerprint
        self._finish_reason = finish_reason_of(document.choices) or self._finish_reason
        mark = True if self._finish_reason == CONTENT_FILTER else filter_mark(document)
        if mark is not None:
            self._filtered = mark or bool(self._filtered)
        self.content_started = self.content_started or _has_content(document)
        usage = usage_of(document)
        if usage is None:
            return False
        self._usage = usage
        return self._hide_usage and document.choices == [] and not _annotates(document)


def _is_one_line(data: bytes) -> bool:
    """Whether these bytes are exactly one event with one line, in the way nearly all servers write it."""
    return data.find(b"\n") == len(data) - 2 and data.startswith(b"data: ") and data.endswith(b"\n\n")


def _parse(event: bytes) -> tuple[bytes, bytes]:
    """The event's kind (its ``event:`` field) and its payload (its ``data:`` lines, joined)."""
    if _is_one_line(event) and b"\r" not in event:
        return b"", event[6:-2]
    kind = b""
    data: list[bytes] = []
    for line in _LINE_END.split(event.removeprefix(_BYTE_ORDER_MARK)):
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            data.append(value)
        elif name == b"event":
            kind = value
    return kind, b"\n".join(data)


def _says_nothing_new(payload: bytes) -> bool:
    """Whether this is one more piece of content: no end, no usage, no filter that acted, no error."""
    try:
        passing = _PASSING.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    for choice in passing.choices:
        if choice.finish_reason is not None or b"true" in bytes(choice.content_filter_results):
            return False
    return passing.usage is None and bool(passing.choices)


def _has_content(document: Document) -> bool:
    return any(choice.text or _delta_has_content(choice.delta) for choice in document.choices or ())


def _delta_has_content(delta: msgspec.Raw) -> bool:
    try:
        parts = _FIELDS.decode(delta)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return any(name != "role" and bytes(value) not in _EMPTY_VALUES for name, value in parts.items())


def _annotates(document: Document) -> bool:
    return bytes(document.prompt_filter_results) not in _EMPTY_VALUES
