"""What goes by in this stream of a message? Its events are typed; the first and the last but one say what is to be known."""

from typing import Final

import msgspec

from changeover.wire.events import EventReader
from changeover.wire.messages import NO_COUNTS, Document, code_of, facts_of, later, read_counts, read_document
from changeover.wire.reply_facts import ReplyFacts

_CONTENT: Final = "content_block_delta"
_ERROR: Final = "error"
_FILLED_LATER: Final = frozenset({"text", "thinking", "tool_use", "server_tool_use", "mcp_tool_use"})
"""Blocks that begin empty. Others, such as the results of a provider's own tools, come whole with their beginning."""

_CONTENT_LINES: Final = b"event: content_block_delta\ndata: "
_ABSENT: Final = msgspec.Raw(b"")


class _Block(msgspec.Struct, kw_only=True):
    type: str | None = None


class _Event(msgspec.Struct, kw_only=True):
    type: str
    message: msgspec.Raw = _ABSENT
    delta: msgspec.Raw = _ABSENT
    usage: msgspec.Raw = _ABSENT
    error: msgspec.Raw = _ABSENT
    content_block: msgspec.Raw = _ABSENT


_EVENT: Final = msgspec.json.Decoder(_Event)
_BLOCK_TYPE: Final = msgspec.json.Decoder(_Block)


class MessageStreamReader(EventReader):
    """Reads one streamed message. It ends with ``message_stop``.

    Content begins with the first delta of a block; ``ping`` is none. What the beginning says of output is where the count
    starts, not what was written: that is known once ``message_delta`` has said it.
    """

    __slots__ = ("_counts", "_document")

    def __init__(self) -> None:
        super().__init__()
        self._document = Document()
        self._counts = NO_COUNTS

    @property
    def facts(self) -> ReplyFacts:
        """See ``EventReader``."""
        facts = facts_of(self._document, self._counts)
        return facts if self.failed is None else msgspec.structs.replace(facts, error=self.failed)

    def feed(self, data: bytes) -> bytes:
        """See ``EventReader``."""
        if self.content_started and not self._held and not self._blind and _is_content(data):
            return data  # nearly every read: its two lines need no reading
        return super().feed(data)

    def _read(self, event: bytes) -> bool:
        return False if self.content_started and _is_content(event) else super()._read(event)

    def _says_nothing_new(self, payload: bytes) -> bool:
        event = _decoded(payload)
        return event is not None and event.type == _CONTENT

    def _learn(self, kind: bytes, payload: bytes) -> bool:
        event = _decoded(payload)
        if event is None:
            if kind == b"error":
                self._fail(_ERROR, payload)
            return False
        if event.type == _ERROR or kind == b"error":
            self._fail(code_of(event.error) or _ERROR, payload)
        else:
            self._take(event)
        return False

    def _take(self, event: _Event) -> None:
        match event.type:
            case "content_block_delta":
                self.content_started = True
            case "message_start":
                self._begin(event.message)
            case "message_delta":
                self._change(event)
            case "content_block_start":
                self.content_started = self.content_started or _comes_whole(event.content_block)
            case "message_stop":
                self.done = True
            case _:
                pass

    def _begin(self, message: msgspec.Raw) -> None:
        document = read_document(message)
        if document is None:
            return
        counts = read_counts(document.usage)
        self._document = document
        self._counts = msgspec.structs.replace(counts, output_tokens=None)

    def _change(self, event: _Event) -> None:
        delta = read_document(event.delta)
        if delta is not None:
            self._document = msgspec.structs.replace(self._document, stop_reason=delta.stop_reason, stop_details=delta.stop_details)
        self._counts = later(self._counts, read_counts(event.usage))


def _is_content(event: bytes) -> bool:
    """Whether these bytes are exactly one piece of content, in the way that the API writes it."""
    return event.startswith(_CONTENT_LINES) and event.find(b"\n", len(_CONTENT_LINES)) == len(event) - 2 and event.endswith(b"\n\n")


def _decoded(payload: bytes) -> _Event | None:
    try:
        return _EVENT.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _comes_whole(block: msgspec.Raw) -> bool:
    try:
        return _BLOCK_TYPE.decode(block).type not in _FILLED_LATER
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
