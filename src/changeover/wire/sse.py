"""What goes by in this stream of chat or completion chunks? Hides one chunk at most; never makes up an end."""

from typing import Final

import msgspec

from changeover.wire.document import Document
from changeover.wire.events import EVENT_BYTES_MAX, EVENT_TOO_LARGE, EventReader
from changeover.wire.filter_event import FilterEvent
from changeover.wire.filters import is_quiet, merged
from changeover.wire.reply import CONTENT_FILTER, error_code, events_of, filter_mark, finish_reason_of, read_document, usage_of
from changeover.wire.reply_facts import ReplyFacts, Usage

__all__ = ["EVENT_BYTES_MAX", "EVENT_TOO_LARGE", "StreamReader"]

_DONE: Final = b"[DONE]"
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


class StreamReader(EventReader):
    """Reads one streamed chat or completion. It ends with ``[DONE]``.

    ``hide_usage``: usage was asked for by us, not by the caller: the chunk that carries only that (no choices, a usage
    object) is left out of what ``feed`` returns.
    """

    __slots__ = ("_filtered", "_filters", "_fingerprint", "_finish_reason", "_model", "_quiet", "_usage")

    def __init__(self, *, hide_usage: bool = False) -> None:
        super().__init__(hides=hide_usage)
        self._model: str | None = None
        self._fingerprint: str | None = None
        self._finish_reason: str | None = None
        self._filtered: bool | None = None
        self._filters: tuple[FilterEvent, ...] = ()
        self._quiet = b""
        self._usage: Usage | None = None

    @property
    def facts(self) -> ReplyFacts:
        """See ``EventReader``."""
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
            filters=self._filters,
        )

    def _says_nothing_new(self, payload: bytes) -> bool:
        """No end, no usage, no filter that found something, no error."""
        try:
            passing = _PASSING.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        for choice in passing.choices:
            if choice.finish_reason is not None:
                return False
            marks = bytes(choice.content_filter_results)
            if marks and marks != self._quiet:  # most chunks repeat the annotations of the one before
                if not is_quiet(marks):
                    return False
                self._quiet = marks
        return passing.usage is None and bool(passing.choices)

    def _learn(self, kind: bytes, payload: bytes) -> bool:
        if payload == _DONE:
            self.done = True
            return False
        document = read_document(payload) if payload else None
        code = None if document is None else error_code(document.error)
        if kind == b"error" or code is not None:
            self._fail(code or "error", payload)
        return document is not None and self._take(document)

    def _take(self, document: Document) -> bool:
        self._model = self._model or document.model or None
        self._fingerprint = document.system_fingerprint or self._fingerprint
        self._finish_reason = finish_reason_of(document.choices) or self._finish_reason
        mark = True if self._finish_reason == CONTENT_FILTER else filter_mark(document)
        if mark is not None:
            self._filtered = mark or bool(self._filtered)
        self._filters = merged(self._filters, events_of(document))
        self.content_started = self.content_started or _has_content(document)
        usage = usage_of(document)
        if usage is None:
            return False
        self._usage = usage
        return self._hides and document.choices == [] and not _annotates(document)


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
