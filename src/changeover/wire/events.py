"""Where does one event of this stream end, and the next begin? Cuts whatever pieces come; what an event says is for others."""

import re
from abc import ABC, abstractmethod
from typing import Final

import msgspec

from changeover.wire.reply_facts import ReplyFacts

EVENT_BYTES_MAX: Final = 8 * 1024 * 1024
"""A longer event is none that can be read. It is relayed like the rest of the stream, unread, and the stream counts as failed."""
EVENT_TOO_LARGE: Final = "event_too_large"
EVENT_UNREADABLE: Final = "event_unreadable"
"""The error of an event whose data is no JSON. It is relayed; SDKs raise there, so that the stream is no answer, whatever follows."""

_JSON: Final = msgspec.json.Decoder(msgspec.Raw)
_DONE: Final = b"[DONE]"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
# Two line ends in a row. A carriage return at the very end may be half of one: it waits for what follows.
_EVENT_END: Final = re.compile(rb"(?:\r\n|\n|\r(?=[^\n])){2}")
_LONGEST_END: Final = 4


class EventReader(ABC):
    """Reads one streamed answer while its bytes pass, in whatever pieces they come.

    ``hides``: some event may be left out of what ``feed`` returns. Then an event is held back until it is whole. Otherwise
    ``feed`` returns what it is given, at once.
    """

    __slots__ = ("_blind", "_held", "_hides", "_returns", "_scanned", "content_started", "done", "error", "failed")

    def __init__(self, *, hides: bool = False) -> None:
        self.content_started = False
        """An event with content has passed: text, a tool call, a refusal. A role or filter annotations are none."""
        self.done = False
        """The event that ends a whole stream has passed."""
        self.failed: str | None = None
        """The code of an error event, or ``EVENT_TOO_LARGE``, or ``EVENT_UNREADABLE``."""
        self.error: bytes | None = None
        """What the first error event said, for ``failure.classify``."""
        self._hides = hides
        self._held = bytearray()
        self._returns = False
        self._scanned = 0
        self._blind = False

    @property
    @abstractmethod
    def facts(self) -> ReplyFacts:
        """What the stream has said of itself so far."""

    @abstractmethod
    def _says_nothing_new(self, payload: bytes) -> bool:
        """Whether this event without a kind is just one more piece of content. Asked once content flows."""

    @abstractmethod
    def _learn(self, kind: bytes, payload: bytes) -> bool:
        """Learn from one event: its ``event:`` field and its ``data:`` lines, joined. Returns whether it is to be hidden."""

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes of the stream, return the bytes to relay now (perhaps none)."""
        if self._blind:
            return data
        if self.content_started and not self._held and _is_one_line(data) and self._says_nothing_new(data[6:-2]):
            return data  # nearly every read
        events = self._events(data)
        if self._hides:
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
        # Without its blank line it may be half an event: unreadable is not the word for it.
        hidden = bool(rest) and self._learn(*_parse(rest))
        return b"" if hidden or not self._hides else rest

    def _fail(self, code: str, payload: bytes) -> None:
        """The stream says that it failed. The first word on it counts."""
        self.failed = self.failed or code
        if self.error is None:
            self.error = payload

    def _read(self, event: bytes) -> bool:
        kind, payload = _parse(event)
        if self.content_started and not kind and self._says_nothing_new(payload):
            return False
        hidden = self._learn(kind, payload)
        if payload and payload != _DONE and not _is_json(payload):
            self._fail(EVENT_UNREADABLE, payload)
        return hidden

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
        held = bytes(self._held) if self._hides else b""
        self._held.clear()
        return held


def _is_one_line(data: bytes) -> bool:
    """Whether these bytes are exactly one event with one line, in the way nearly all servers write it."""
    return data.find(b"\n") == len(data) - 2 and data.startswith(b"data: ") and data.endswith(b"\n\n")


def _is_json(payload: bytes) -> bool:
    try:
        _JSON.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


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
