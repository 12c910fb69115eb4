"""What does this answer say of itself: model, usage, filters, end? Unknown is ``None``; a strange answer is no error."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, TypeVar

import msgspec

from changeover.wire.document import ABSENT, Choice, Document, Incomplete, RawUsage, TokenDetails
from changeover.wire.filter_event import FilterEvent
from changeover.wire.filters import error_events, filter_events, is_quiet, merged, prompt_events, responses_events
from changeover.wire.reply_facts import NO_FACTS, ReplyFacts, Usage

T = TypeVar("T")

CONTENT_FILTER: Final = "content_filter"
"""The finish reason of a filtered completion, and the error code of a filtered prompt."""

NOTED_BYTES_MAX: Final = 2048
"""Longer filter annotations are read each time."""

_TRUE_FILTER: Final = re.compile(rb'"filtered"\s*:\s*true')


RESPONSE: Final = "response"
"""The ``object`` of a response."""
_DOCUMENT: Final = msgspec.json.Decoder(Document)
_NO_ERROR: Final = frozenset({b"", b"null", b"false", b'""', b"{}", b"[]"})


def read_reply(body: bytes) -> ReplyFacts:
    """The facts of a whole answer of any status. Never raises: what cannot be read is unknown."""
    return read_answer(body) or NO_FACTS


def read_answer(body: bytes) -> ReplyFacts | None:
    """The facts of a whole answer of any status; ``None`` when it is no JSON object."""
    document = read_document(body)
    return None if document is None else facts_of(document)


def read_document(body: bytes | bytearray | memoryview | msgspec.Raw) -> Document | None:
    """The document in ``body``, or ``None`` when it is no JSON object. A part of an unexpected type reads as missing."""
    try:
        return _DOCUMENT.decode(body)
    except msgspec.ValidationError:
        return _read_strange(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def facts_of(document: Document) -> ReplyFacts:
    """All that ``document`` says of itself."""
    is_response = document.object == RESPONSE
    finish_reason = response_end(document) if is_response else finish_reason_of(document.choices)
    code = None if document.error is ABSENT else error_code(document.error)
    marks = _marks(document)
    quiet, acted = _SEEN.look(marks)
    return ReplyFacts(
        model=document.model or None,
        fingerprint=document.system_fingerprint or None,
        finish_reason=finish_reason,
        filtered=_filtered(acted=acted, finish_reason=finish_reason, code=code),
        tokens=usage_of(document),
        error=code,
        response_id=(document.id or None) if is_response else None,
        filters=() if code is None and quiet else merged((), events_of(document)),
    )


def response_end(document: Document) -> str | None:
    """How a response ended: why it is incomplete, else its status."""
    details = document.incomplete_details
    return (details.reason if details is not None else None) or document.status or None


def events_of(document: Document) -> Iterator[FilterEvent]:
    """What filters found, as the document says it."""
    yield from prompt_events(document.prompt_filter_results)
    for choice in document.choices or ():
        yield from filter_events(choice.content_filter_results, "completion")
    yield from responses_events(document.content_filters)
    yield from error_events(document.error)


def finish_reason_of(choices: Sequence[Choice] | None) -> str | None:
    """How the choices ended: a filter's end first, else the first end that is said."""
    if choices is not None and len(choices) == 1:
        return choices[0].finish_reason or None
    reasons = [choice.finish_reason for choice in choices or () if choice.finish_reason]
    if CONTENT_FILTER in reasons:
        return CONTENT_FILTER
    return reasons[0] if reasons else None


def usage_of(document: Document) -> Usage | None:
    """The document's token counts, if it has any."""
    usage = document.usage
    if usage is None:
        return None
    prompt = usage.prompt_tokens_details or usage.input_tokens_details
    completion = usage.completion_tokens_details or usage.output_tokens_details
    return Usage(
        prompt=usage.input_tokens if usage.prompt_tokens is None else usage.prompt_tokens,
        completion=usage.output_tokens if usage.completion_tokens is None else usage.completion_tokens,
        cached=None if prompt is None else prompt.cached_tokens,
        reasoning=None if completion is None else completion.reasoning_tokens,
    )


def filter_mark(document: Document) -> bool | None:
    """Whether the filter annotations say that a filter acted; ``None`` without annotations."""
    return _acted(_marks(document))


def _marks(document: Document) -> bytes:
    """All filter annotations, one after the other."""
    choices = document.choices
    if choices is not None and len(choices) == 1:
        return b"".join((document.prompt_filter_results, document.content_filters, choices[0].content_filter_results))
    marks = [document.prompt_filter_results, document.content_filters]
    marks += [choice.content_filter_results for choice in choices or ()]
    return b"".join(marks)


def _look(marks: bytes) -> tuple[bool, bool | None]:
    """Whether annotations are quiet, and whether they say that a filter acted."""
    return is_quiet(marks), _acted(marks)


_noted: Final = lru_cache(maxsize=256)(_look)


class _Seen:
    """What was found in annotations: nearly every answer of a deployment carries the same, word for word. The last are kept
    apart, because comparing costs less than hashing.
    """

    __slots__ = ("_found", "_marks")

    def __init__(self) -> None:
        self._marks = b""
        self._found: tuple[bool, bool | None] = (True, None)

    def look(self, marks: bytes) -> tuple[bool, bool | None]:
        """The same as ``_look``."""
        if marks != self._marks:
            if len(marks) > NOTED_BYTES_MAX:
                return _look(marks)
            self._marks, self._found = marks, _noted(marks)
        return self._found


_SEEN: Final = _Seen()


def _acted(marks: bytes) -> bool | None:
    """Searching the bytes is sound: a quotation mark inside a JSON string is escaped, so no model text can look like a key."""
    return _TRUE_FILTER.search(marks) is not None if b'"filtered"' in marks else None


def error_code(raw: msgspec.Raw) -> str | None:
    """The code of an error value: its ``code``, else its ``type``, else ``error``; ``None`` when there is no error."""
    if bytes(raw) in _NO_ERROR:
        return None
    parts = _try(_FIELDS, raw) or {}
    return _code(parts.get("code")) or _code(parts.get("type")) or "error"


def _filtered(*, acted: bool | None, finish_reason: str | None, code: str | None) -> bool | None:
    if finish_reason == CONTENT_FILTER or code == CONTENT_FILTER:
        return True
    if acted is not None:
        return acted
    return None if finish_reason is None else False


def _code(raw: msgspec.Raw | None) -> str | None:
    """A code as text: some providers send numbers."""
    text = _try(_TEXT, raw)
    if text is None:
        number = _try(_COUNT, raw)
        return None if number is None else str(number)
    return text or None


_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_TEXT: Final = msgspec.json.Decoder(str)
_COUNT: Final = msgspec.json.Decoder(int)


def _read_strange(body: bytes | bytearray | memoryview | msgspec.Raw) -> Document | None:
    """Read part by part, so that one part of an unexpected type hides no other."""
    parts = _try(_FIELDS, body)
    if parts is None:
        return None
    choices = _try(_ITEMS, parts.get("choices"))
    return Document(
        model=_try(_TEXT, parts.get("model")),
        system_fingerprint=_try(_TEXT, parts.get("system_fingerprint")),
        choices=None if choices is None else [_strange_choice(choice) for choice in choices],
        usage=_strange_usage(parts.get("usage")),
        prompt_filter_results=parts.get("prompt_filter_results", ABSENT),
        error=parts.get("error", ABSENT),
        object=_try(_TEXT, parts.get("object")),
        id=_try(_TEXT, parts.get("id")),
        status=_try(_TEXT, parts.get("status")),
        incomplete_details=_strange_reason(parts.get("incomplete_details")),
        content_filters=parts.get("content_filters", ABSENT),
    )


def _strange_reason(raw: msgspec.Raw | None) -> Incomplete:
    return Incomplete(reason=_try(_TEXT, (_try(_FIELDS, raw) or {}).get("reason")))


def _strange_choice(raw: msgspec.Raw) -> Choice:
    parts = _try(_FIELDS, raw) or {}
    return Choice(
        finish_reason=_try(_TEXT, parts.get("finish_reason")),
        delta=parts.get("delta", ABSENT),
        text=_try(_TEXT, parts.get("text")),
        content_filter_results=parts.get("content_filter_results", ABSENT),
    )


def _strange_usage(raw: msgspec.Raw | None) -> RawUsage | None:
    parts = _try(_FIELDS, raw)
    if parts is None:
        return None
    return RawUsage(
        prompt_tokens=_try(_COUNT, parts.get("prompt_tokens")),
        completion_tokens=_try(_COUNT, parts.get("completion_tokens")),
        prompt_tokens_details=_strange_details(parts.get("prompt_tokens_details")),
        completion_tokens_details=_strange_details(parts.get("completion_tokens_details")),
        input_tokens=_try(_COUNT, parts.get("input_tokens")),
        output_tokens=_try(_COUNT, parts.get("output_tokens")),
        input_tokens_details=_strange_details(parts.get("input_tokens_details")),
        output_tokens_details=_strange_details(parts.get("output_tokens_details")),
    )


def _strange_details(raw: msgspec.Raw | None) -> TokenDetails | None:
    parts = _try(_FIELDS, raw)
    if parts is None:
        return None
    return TokenDetails(
        cached_tokens=_try(_COUNT, parts.get("cached_tokens")), reasoning_tokens=_try(_COUNT, parts.get("reasoning_tokens"))
    )


def _try(decoder: "msgspec.json.Decoder[T]", raw: bytes | bytearray | memoryview | msgspec.Raw | None) -> T | None:
    if raw is None:
        return None
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
