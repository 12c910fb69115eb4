"""What goes by in this stream of a response? Its events are typed, and the last one says all of it; nothing is hidden."""

from typing import Final

import msgspec

from changeover.wire.events import EventReader
from changeover.wire.reply import CONTENT_FILTER, error_code, facts_of, read_document
from changeover.wire.reply_facts import NO_FACTS, ReplyFacts

_BEGINNINGS: Final = frozenset({
    "response.created", "response.queued", "response.in_progress", "response.output_item.added", "response.content_part.added",
})  # fmt: skip
"""Events before content. Any other but an end is content: text, or a tool at work that must not be set to work twice."""
_FAILED: Final = "response.failed"
_ENDS: Final = frozenset({"response.completed", "response.incomplete", _FAILED, "response.cancelled"})
_ABSENT: Final = msgspec.Raw(b"")


class _Event(msgspec.Struct, kw_only=True):
    type: str
    response: msgspec.Raw = _ABSENT
    error: msgspec.Raw = _ABSENT
    code: msgspec.Raw = _ABSENT


_EVENT: Final = msgspec.json.Decoder(_Event)


class ResponseStreamReader(EventReader):
    """Reads one streamed response. It ends with ``response.completed``, ``.incomplete``, ``.failed`` or ``.cancelled``; a
    ``[DONE]`` plays no part.
    """

    __slots__ = ("_facts",)

    def __init__(self) -> None:
        super().__init__()
        self._facts = NO_FACTS

    @property
    def facts(self) -> ReplyFacts:
        """See ``EventReader``. Before the end a response has no end yet, whatever it says of its status."""
        facts = self._facts
        ended = facts if self.done else msgspec.structs.replace(facts, finish_reason=None, filtered=facts.filtered or None)
        return ended if self.failed is None else msgspec.structs.replace(ended, error=self.failed, filtered=_filtered(ended, self.failed))

    def _says_nothing_new(self, payload: bytes) -> bool:
        event = _read_event(payload)
        return event is not None and _is_content(event)

    def _learn(self, kind: bytes, payload: bytes) -> bool:
        event = _read_event(payload)
        if event is None:
            if kind == b"error":
                self._fail("error", payload)
            return False
        if _is_content(event):
            self.content_started = True
            return False
        document = read_document(event.response)
        if document is not None:
            self._facts = facts_of(document)
        if event.type == _FAILED or event.type == "error" or self._facts.error is not None:
            code = self._facts.error or error_code(event.error) or error_code(_code_of(event)) or "error"
            self._fail(code, payload)
        self.done = self.done or event.type in _ENDS
        return False


def _read_event(payload: bytes) -> _Event | None:
    try:
        return _EVENT.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _is_content(event: _Event) -> bool:
    return event.type.startswith("response.") and event.type not in _BEGINNINGS and event.type not in _ENDS


def _code_of(event: _Event) -> msgspec.Raw:
    """An error event that is flat, in the form of one that is not."""
    code = bytes(event.code)
    return msgspec.Raw(b'{"code":' + code + b"}") if code else _ABSENT


def _filtered(facts: ReplyFacts, code: str) -> bool | None:
    return True if code == CONTENT_FILTER else facts.filtered
