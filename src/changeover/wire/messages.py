"""What does this answer of Anthropic's say of itself? The same facts as of any other answer; a strange one is no error."""

from typing import Final, TypeVar

import msgspec

from changeover.wire.failure import is_blocked
from changeover.wire.filter_event import FilterEvent
from changeover.wire.filters import read_fields
from changeover.wire.reply import CONTENT_FILTER, error_code
from changeover.wire.reply_facts import ReplyFacts, Usage

T = TypeVar("T")

REFUSAL: Final = "refusal"
"""The stop reason of an answer that a safety filter cut off, and its category where the provider names none."""
_CATEGORY_CHARS_MAX: Final = 64
_ABSENT: Final = msgspec.Raw(b"")


class Document(msgspec.Struct, kw_only=True):
    """The parts of a message that are read, or of an event's ``delta``; all else is skipped."""

    model: str | None = None
    stop_reason: str | None = None
    stop_details: msgspec.Raw = _ABSENT
    usage: msgspec.Raw = _ABSENT
    error: msgspec.Raw = _ABSENT


class _Written(msgspec.Struct, kw_only=True):
    ephemeral_1h_input_tokens: int | None = None


class _Details(msgspec.Struct, kw_only=True):
    thinking_tokens: int | None = None


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Usage as it is written. ``input_tokens`` are those that the cache has no part in. A stream says it twice, the second
    time with what was not known before.
    """

    input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: _Written | None = None
    output_tokens: int | None = None
    output_tokens_details: _Details | None = None


NO_COUNTS: Final = Counts()
_DOCUMENT: Final = msgspec.json.Decoder(Document)
_COUNTS: Final = msgspec.json.Decoder(Counts)
_TEXT: Final = msgspec.json.Decoder(str)
_COUNT: Final = msgspec.json.Decoder(int)
_WRITTEN: Final = msgspec.json.Decoder(_Written)
_DETAILS: Final = msgspec.json.Decoder(_Details)
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_message(body: bytes) -> ReplyFacts | None:
    """The facts of a whole answer of any status; ``None`` when it is no JSON object."""
    document = read_document(body)
    if document is None:
        return None
    return facts_of(document, read_counts(document.usage))


def read_document(body: bytes | msgspec.Raw) -> Document | None:
    """The message in ``body``; ``None`` when it is no JSON object. A part of an unexpected type reads as missing."""
    try:
        return _DOCUMENT.decode(body)
    except msgspec.ValidationError:
        return _read_strange(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def facts_of(document: Document, counts: Counts) -> ReplyFacts:
    """All that a message and its usage say. A refusal is a filter that acted, whatever the answer's status."""
    code = code_of(document.error)
    refused = document.stop_reason == REFUSAL
    filtered = True if refused or code == CONTENT_FILTER else (None if document.stop_reason is None else False)
    return ReplyFacts(
        model=document.model or None,
        finish_reason=document.stop_reason or None,
        filtered=filtered,
        tokens=usage_of(counts),
        error=code,
        filters=(_refusal(document.stop_details),) if refused else (),
    )


def code_of(error: msgspec.Raw) -> str | None:
    """The code of an error: its ``type``, or ``CONTENT_FILTER`` where its words say that one acted; ``None`` without."""
    code = error_code(error)
    if code is None:
        return None
    message = _try(_TEXT, read_fields(error).get("message"))
    return CONTENT_FILTER if message is not None and is_blocked(message) else code


def read_counts(raw: msgspec.Raw) -> Counts:
    """The counts in a ``usage``. One of an unexpected type is missing, and hides no other."""
    if not raw:
        return NO_COUNTS
    try:
        return _COUNTS.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _strange_counts(raw)


def later(before: Counts, now: Counts) -> Counts:
    """``before`` with all that ``now`` says."""
    return Counts(
        input_tokens=_newer(before.input_tokens, now.input_tokens),
        cache_read_input_tokens=_newer(before.cache_read_input_tokens, now.cache_read_input_tokens),
        cache_creation_input_tokens=_newer(before.cache_creation_input_tokens, now.cache_creation_input_tokens),
        cache_creation=now.cache_creation or before.cache_creation,
        output_tokens=_newer(before.output_tokens, now.output_tokens),
        output_tokens_details=now.output_tokens_details or before.output_tokens_details,
    )


def usage_of(counts: Counts) -> Usage | None:
    """The counts in the words of all surfaces: the prompt is everything that went in, from the cache or not."""
    if counts is NO_COUNTS or (counts.input_tokens is None and counts.output_tokens is None):
        return None
    fresh, read, written = counts.input_tokens, counts.cache_read_input_tokens, counts.cache_creation_input_tokens
    return Usage(
        prompt=None if fresh is None else fresh + (read or 0) + (written or 0),
        completion=counts.output_tokens,
        cached=read,
        reasoning=None if counts.output_tokens_details is None else counts.output_tokens_details.thinking_tokens,
        written=written,
        written_1h=None if counts.cache_creation is None else counts.cache_creation.ephemeral_1h_input_tokens,
    )


def _newer(before: int | None, now: int | None) -> int | None:
    return before if now is None else now


def _refusal(details: msgspec.Raw) -> FilterEvent:
    category = _try(_TEXT, read_fields(details).get("category")) or REFUSAL
    return FilterEvent(side="completion", category=category[:_CATEGORY_CHARS_MAX], filtered=True)


def _read_strange(body: bytes | msgspec.Raw) -> Document | None:
    parts = _try(_FIELDS, body)
    if parts is None:
        return None
    return Document(
        model=_try(_TEXT, parts.get("model")),
        stop_reason=_try(_TEXT, parts.get("stop_reason")),
        stop_details=parts.get("stop_details", _ABSENT),
        usage=parts.get("usage", _ABSENT),
        error=parts.get("error", _ABSENT),
    )


def _strange_counts(raw: msgspec.Raw) -> Counts:
    parts = read_fields(raw)
    return Counts(
        input_tokens=_try(_COUNT, parts.get("input_tokens")),
        cache_read_input_tokens=_try(_COUNT, parts.get("cache_read_input_tokens")),
        cache_creation_input_tokens=_try(_COUNT, parts.get("cache_creation_input_tokens")),
        cache_creation=_try(_WRITTEN, parts.get("cache_creation")),
        output_tokens=_try(_COUNT, parts.get("output_tokens")),
        output_tokens_details=_try(_DETAILS, parts.get("output_tokens_details")),
    )


def _try(decoder: "msgspec.json.Decoder[T]", raw: bytes | msgspec.Raw | None) -> T | None:
    if raw is None:
        return None
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
