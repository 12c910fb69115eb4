"""What kind of failure is this answer, if it is one? Azure's and OpenAI's errors by class; decides nothing about them."""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from math import isfinite
from typing import Final, NamedTuple

import msgspec

from changeover.wire.filters import read_fields

RETRY_AFTER_S_MAX: Final = 86_400.0
"""Longer waits than a day count as a day: Azure's can be that long."""


class FailureKind(StrEnum):
    """The classes of an answer."""

    ANSWER = "answer"
    """No failure."""
    CONTENT_FILTER = "content_filter"
    """The filter refused the prompt: an answer of this deployment, never to be asked elsewhere."""
    LIMITED = "limited"
    """Too many requests or tokens for now."""
    RETIRED = "retired"
    """The model version is no longer served."""
    MISSING = "missing"
    """There is no such deployment or model."""
    PAUSED = "paused"
    """The deployment is paused."""
    UNSUPPORTED_PARAMETER = "unsupported_parameter"
    """The model knows the parameter, or the value it has, not (any more). Request settings mend it."""
    NOT_READY = "not_ready"
    """The deployment has just been made, or its model is still being loaded."""
    PROVIDER_FAULT = "provider_fault"
    """The provider broke: 5xx, a deadline, a redirect, an error inside a 200."""
    AUTH = "auth"
    """The account's credential is not accepted."""
    CALLER_FAULT = "caller_fault"
    """The request itself is wrong: any other deployment would say so too."""


class Failure(NamedTuple):
    """What became of a request. ``code`` and ``message`` are the provider's; ``parameter`` is the one that it does not
    support; ``retry_after_s`` says for how long it wants to be left alone, where it says so.
    """

    kind: FailureKind
    code: str | None = None
    message: str = ""
    parameter: str | None = None
    retry_after_s: float | None = None


class _Error(NamedTuple):
    code: str
    type: str
    message: str
    param: str | None
    inner_code: str


ANSWER: Final = Failure(FailureKind.ANSWER)

_OK: Final = range(200, 300)
_NO_ERROR: Final = frozenset({b"", b"null", b"false", b'""', b"{}", b"[]"})
_ABSENT: Final = msgspec.Raw(b"")
_TEXT: Final = msgspec.json.Decoder(str)
_COUNT: Final = msgspec.json.Decoder(int)

_BY_STATUS: Final = {
    401: FailureKind.AUTH,
    402: FailureKind.AUTH,
    403: FailureKind.AUTH,
    408: FailureKind.PROVIDER_FAULT,
    410: FailureKind.RETIRED,
    423: FailureKind.PAUSED,
    424: FailureKind.NOT_READY,
    425: FailureKind.NOT_READY,
    429: FailureKind.LIMITED,
}
_BY_CODE: Final = {
    "content_filter": FailureKind.CONTENT_FILTER,
    "responsibleaipolicyviolation": FailureKind.CONTENT_FILTER,
    "modeldeprecated": FailureKind.RETIRED,
    "model_deprecated": FailureKind.RETIRED,
    "deploymentnotfound": FailureKind.MISSING,
    "model_not_found": FailureKind.MISSING,
    "not_found_error": FailureKind.MISSING,
    "unsupported_parameter": FailureKind.UNSUPPORTED_PARAMETER,
    "unsupported_value": FailureKind.UNSUPPORTED_PARAMETER,
    "unknown_parameter": FailureKind.UNSUPPORTED_PARAMETER,
    "deploymentnotready": FailureKind.NOT_READY,
    "modelnotready": FailureKind.NOT_READY,
    "model_not_ready": FailureKind.NOT_READY,
    "ratelimitreached": FailureKind.LIMITED,
    "rate_limit_exceeded": FailureKind.LIMITED,
    "rate_limit_error": FailureKind.LIMITED,
    "insufficient_quota": FailureKind.LIMITED,
    "toomanyrequests": FailureKind.LIMITED,
    "429": FailureKind.LIMITED,
    "invalid_api_key": FailureKind.AUTH,
    "authentication_error": FailureKind.AUTH,
    "permission_error": FailureKind.AUTH,
    "billing_error": FailureKind.AUTH,
}
"""Codes, and types where there is no code, in lower case."""
_WHERE_STATUS_IS_VAGUE: Final = frozenset({400, 404, 422, 500, 503})
"""Here the code says more than the status."""
_BAD_PARAMETER: Final = re.compile(
    r"Unsupported (?:parameter|value): '(?P<plain>[^']{1,128})'"
    r"|Unknown parameter: '(?P<unknown>[^']{1,128})'"
    r"|Unrecognized request arguments? supplied: (?P<unrecognized>[^\s,]{1,128})"
    # Anthropic's, which have no code.
    r"|(?P<extra>[\w.]{1,128}): Extra inputs are not permitted"
    r"|(?P<large>max_tokens): \d+ > \d+, which is the maximum allowed"
    r"|[`\"'](?P<quoted>[\w.]{1,128})[`\"'](?: and [`\"'][\w.]{1,128}[`\"'])? "
    r"(?:is deprecated|(?:is|are) not supported|cannot both be specified) (?:for|on|by|with) this model"
    r"|This model does not support the [`\"']?(?P<named>[\w.]{1,128})[`\"']? parameter"
    r"|This model does not support |(?:is|are) not supported (?:for|on|by) this model"
)
_WRONG_OPERATION: Final = "chatCompletion operation does not work with the specified model"
"""How a retired chat model used to be said. The same words about another operation are what a caller gets who asks a
chat model for embeddings: the caller's mistake, and no reason to take a deployment for dead."""
_GONE: Final = re.compile(r"\b(?:deprecated|retired|decommissioned|no longer (?:available|supported)|been shut ?down)\b", re.IGNORECASE)
_SETS_APART: Final = frozenset({400, 422})
_NOT_FOUND: Final = "not_found_error"
"""Anthropic's type for a model that there is not, and for a file or a batch."""
_NAMES_MODEL: Final = re.compile(r"\bmodel\b|\bdeployment\b|^$", re.IGNORECASE)
_BLOCKED: Final = "blocked by content filtering policy"
"""How Anthropic says that a filter acted, where the stop reason does not."""
_UNPAID: Final = "credit balance is too low"


def classify(status: int, body: bytes, headers: Mapping[bytes, bytes], *, now: float) -> Failure:
    """The class of a whole answer; ``headers`` by lower-case name, ``now`` in seconds of Unix time, for dates in them.

    Also of an event of a stream that says an error, with the stream's own status. Never raises: what cannot be read is
    classed by its status alone.
    """
    error = _read_error(body)
    if status in _OK:
        return ANSWER if error is None else _made(_inside_ok(error), error, headers, now=now)
    known = error or _error_of(read_fields(body), text=None)
    return _made(_kind(status, known), known, headers, now=now)


def is_blocked(message: str) -> bool:
    """Whether an error without a code of its own says that a content filter acted."""
    return _BLOCKED in message


def retry_after_s(headers: Mapping[bytes, bytes], *, now: float) -> float | None:
    """For how long the provider wants to be left alone: ``retry-after-ms``, else ``retry-after`` in seconds or as a date."""
    for name in (b"retry-after-ms", b"x-ms-retry-after-ms"):
        wait_ms = _number(headers.get(name))
        if wait_ms is not None:
            return _bounded(wait_ms / 1000)
    value = headers.get(b"retry-after")
    wait_s = _number(value)
    if wait_s is None and value is not None:
        at = _date(value)
        wait_s = None if at is None else at - now
    return None if wait_s is None else _bounded(wait_s)


def _made(kind: FailureKind, error: _Error, headers: Mapping[bytes, bytes], *, now: float) -> Failure:
    parameter = (error.param or _named_parameter(error.message)) if kind is FailureKind.UNSUPPORTED_PARAMETER else None
    return Failure(kind, error.code or error.type or None, error.message, parameter, retry_after_s(headers, now=now))


def _kind(status: int, error: _Error) -> FailureKind:
    if status in _WHERE_STATUS_IS_VAGUE:
        found = _by_words(status, error)
        if found is not None:
            return found
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return FailureKind.CALLER_FAULT if 400 <= status < 500 else FailureKind.PROVIDER_FAULT


def _by_words(status: int, error: _Error) -> FailureKind | None:
    for code in (error.inner_code, error.code, error.type):
        found = _BY_CODE.get(code.lower())
        if found is FailureKind.MISSING and code == _NOT_FOUND and not _NAMES_MODEL.search(error.message):
            return FailureKind.CALLER_FAULT
        if found is not None and _fits(status, found):
            return FailureKind.RETIRED if found is FailureKind.MISSING and _GONE.search(error.message) else found
    if status in _SETS_APART:
        if is_blocked(error.message):
            return FailureKind.CONTENT_FILTER
        if _UNPAID in error.message:
            return FailureKind.LIMITED
        if _BAD_PARAMETER.search(error.message):
            return FailureKind.UNSUPPORTED_PARAMETER
        if _WRONG_OPERATION in error.message:
            return FailureKind.RETIRED
    return _not_found(error) if status == 404 else None


def _fits(status: int, kind: FailureKind) -> bool:
    """Whether a code may overrule ``status``: what a 500 says of the caller is not believed."""
    return status < 500 or kind in (FailureKind.NOT_READY, FailureKind.LIMITED)


def _not_found(error: _Error) -> FailureKind:
    """A 404 is about the deployment unless it speaks of a thing that the caller named."""
    if _GONE.search(error.message):
        return FailureKind.RETIRED
    if error.type == "invalid_request_error" and error.code in ("", "invalid_request_error"):
        return FailureKind.CALLER_FAULT
    return FailureKind.MISSING


def _inside_ok(error: _Error) -> FailureKind:
    """An error inside a 200: it came too late for a status. The provider's fault unless it says better."""
    found = _by_words(400, error)
    if found is not None:
        return found
    return FailureKind.CALLER_FAULT if error.type == "invalid_request_error" else FailureKind.PROVIDER_FAULT


def _named_parameter(message: str) -> str | None:
    match = _BAD_PARAMETER.search(message)
    return None if match is None or match.lastgroup is None else match[match.lastgroup]


def _read_error(body: bytes) -> _Error | None:
    """The error in ``body``: its ``error``, its response's, or itself where it is an event that is an error."""
    outer = read_fields(body)
    for raw in (outer.get("error"), read_fields(outer.get("response", _ABSENT)).get("error")):
        if raw is not None and bytes(raw) not in _NO_ERROR:
            return _error_of(read_fields(raw), text=_string(raw))
    if "error" in (_string(outer.get("type")), _string(outer.get("object"))):
        return _error_of(outer, text=None)
    return None


def _error_of(fields: Mapping[str, msgspec.Raw], *, text: str | None) -> _Error:
    inner = read_fields(fields.get("innererror", _ABSENT))
    return _Error(
        code=_code(fields.get("code")),
        type=_string(fields.get("type")) or "",
        message=_string(fields.get("message")) or text or "",
        param=_string(fields.get("param")),
        inner_code=_code(inner.get("code")),
    )


def _code(raw: msgspec.Raw | None) -> str:
    """A code as text: some providers send numbers."""
    text = _string(raw)
    if text is not None or raw is None:
        return text or ""
    try:
        return str(_COUNT.decode(raw))
    except msgspec.DecodeError:
        return ""


def _string(raw: msgspec.Raw | None) -> str | None:
    try:
        return None if raw is None else _TEXT.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _number(value: bytes | None) -> float | None:
    try:
        number = None if value is None else float(value)
    except ValueError:
        return None
    return number if number is not None and isfinite(number) else None


def _date(value: bytes) -> float | None:
    try:
        at = parsedate_to_datetime(value.decode("ascii"))
    except (ValueError, OverflowError):
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _bounded(wait_s: float) -> float:
    return min(max(wait_s, 0.0), RETRY_AFTER_S_MAX)
