"""What shape has this request? Names of parameters, numbers, switches and the API's own words; never a text of its caller."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from changeover.wire.surface import Surface

NAMES_MAX: Final = 64
"""Parameters read of one request."""
VALUES_MAX: Final = 4
"""Distinct values kept of one parameter, the newest."""
NUMBER_CHARS_MAX: Final = 24
OBJECT_BYTES_MAX: Final = 65_536
"""Larger values are not looked into."""

Scalar = int | float | bool | str | None


class ValueKind(StrEnum):
    """What a value is, as JSON sees it. A ``WORD`` belongs to the API's own vocabulary, such as ``json_object``."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"
    WORD = "word"
    TEXT = "text"
    OBJECT = "object"
    OBJECTS = "array of objects"
    TEXTS = "array of texts"
    NUMBERS = "array of numbers"
    ARRAY = "array"


class SentValue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A parameter's value without its text. ``value`` is there for numbers, booleans and words; ``parts`` are the numbers,
    booleans and words inside an object that the API defines, by dotted path.
    """

    kind: ValueKind
    value: Scalar = None
    parts: dict[str, Scalar] = {}


class SentShape(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The shape of a task's requests that name the same parameters on the same surface.

    ``values`` holds what was seen of each parameter, newest first. ``api_version`` is the date a caller of Azure's dated form
    asked for.
    """

    surface: Surface
    api_version: str = ""
    values: dict[str, tuple[SentValue, ...]]

    @property
    def key(self) -> str:
        """32 hexadecimal digits; equal for shapes that are one and differ in values alone."""
        identity = msgspec.json.encode((self.surface, self.api_version, sorted(self.values)))
        return hashlib.blake2b(identity, digest_size=16).hexdigest()


_EFFORTS: Final = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})
_AMOUNTS: Final = frozenset({"low", "medium", "high"})
_FORMATS: Final = frozenset({"text", "json_object", "json_schema"})
_TOOL_CHOICES: Final = frozenset({"auto", "none", "required", "any", "function", "tool", "allowed_tools", "custom"})
_NO_WORDS: Final = frozenset[str]()

WORDS: Final[Mapping[str, frozenset[str]]] = {
    "reasoning_effort": _EFFORTS,
    "verbosity": _AMOUNTS,
    "service_tier": frozenset({"auto", "default", "flex", "priority", "scale", "standard_only"}),
    "encoding_format": frozenset({"float", "base64"}),
    "tool_choice": _TOOL_CHOICES,
    "function_call": frozenset({"auto", "none"}),
    "truncation": frozenset({"auto", "disabled"}),
    "prompt_cache_retention": frozenset({"in-memory", "in_memory", "24h"}),
}
"""The vocabularies of the APIs. A text is kept only if it is one of these words: then it is the API's, not the caller's."""

PARTS: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {
    "response_format": {"type": _FORMATS},
    "text": {"format.type": _FORMATS, "verbosity": _AMOUNTS},
    "reasoning": {"effort": _EFFORTS, "summary": frozenset({"auto", "concise", "detailed"})},
    "stream_options": {"include_usage": _NO_WORDS, "include_obfuscation": _NO_WORDS},
    "tool_choice": {"type": _TOOL_CHOICES, "mode": _TOOL_CHOICES},
    "thinking": {"type": frozenset({"enabled", "disabled", "adaptive"}), "budget_tokens": _NO_WORDS},
    "output_config": {"effort": _EFFORTS},
}
"""What is read inside objects that the APIs define, by dotted path, with the words that may stand there."""

ROLES: Final = ("system", "developer")
"""Roles that some versions refuse. Of ``messages`` nothing but these is noted, as parts that are true."""

_MODEL: Final = "model"
_MESSAGES: Final = "messages"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_DATED: Final = re.compile(rb"(?:^|&)api-version=(20[0-9]{2}-[0-9]{2}-[0-9]{2}(?:-preview)?|preview|latest)(?:&|$)")
_NUMBER: Final = msgspec.json.Decoder(int | float)
_TEXT: Final = msgspec.json.Decoder(str)
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_OF_FIRST: Final = {b'"': ValueKind.TEXTS, b"{": ValueKind.OBJECTS}


class _Message(msgspec.Struct):
    role: str | None = None


_ROLES: Final = msgspec.json.Decoder(list[_Message])
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def shape_of(surface: Surface, fields: Mapping[str, msgspec.Raw], *, query: bytes = b"") -> SentShape:
    """The shape of a request with these top-level ``fields``. Never raises: what cannot be read has no value."""
    dated = _DATED.search(query)
    names = [name for name in fields if name != _MODEL and _NAME.fullmatch(name)][:NAMES_MAX]
    return SentShape(
        surface=surface,
        api_version="" if dated is None else dated[1].decode(),
        values={name: (_value(name, bytes(fields[name])),) for name in names},
    )


def merged(shapes: Iterable[SentShape]) -> SentShape:
    """One shape with the values of all ``shapes``, which have one key; the first are the newest."""
    newest, *older = shapes
    values = dict(newest.values)
    for shape in older:
        for name, seen in shape.values.items():
            known = values.get(name, ())
            values[name] = (*known, *(value for value in seen if value not in known))[:VALUES_MAX]
    return msgspec.structs.replace(newest, values=values)


def _value(name: str, raw: bytes) -> SentValue:
    match raw[:1]:
        case b'"':
            word = _word(raw, WORDS.get(name, _NO_WORDS))
            return SentValue(kind=ValueKind.TEXT) if word is None else SentValue(kind=ValueKind.WORD, value=word)
        case b"{":
            return SentValue(kind=ValueKind.OBJECT, parts=_parts(raw, PARTS.get(name, {})))
        case b"[":
            parts = _roles(raw) if name == _MESSAGES else {}
            return SentValue(kind=_array_kind(raw), parts=parts)
        case b"t" | b"f":
            return SentValue(kind=ValueKind.BOOLEAN, value=raw == b"true")
        case b"n":
            return SentValue(kind=ValueKind.NULL)
        case _:
            return SentValue(kind=ValueKind.NUMBER, value=_number(raw))


def _array_kind(raw: bytes) -> ValueKind:
    first = raw[1:64].lstrip()[:1]
    if first in (b"", b"]", b"[", b"t", b"f", b"n"):
        return ValueKind.ARRAY
    return _OF_FIRST.get(first, ValueKind.NUMBERS)


def _parts(raw: bytes, wanted: Mapping[str, frozenset[str]]) -> dict[str, Scalar]:
    if not wanted or len(raw) > OBJECT_BYTES_MAX:
        return {}
    found: dict[str, Scalar] = {}
    for path, words in wanted.items():
        part = _at(raw, path)
        known, value = (False, None) if part is None else _scalar(part, words)
        if known:
            found[path] = value
    return found


def _at(raw: bytes, path: str) -> bytes | None:
    for name in path.split("."):
        try:
            inner = _FIELDS.decode(raw).get(name)
        except _UNREADABLE:
            return None
        if inner is None:
            return None
        raw = bytes(inner)
    return raw


def _scalar(raw: bytes, words: frozenset[str]) -> tuple[bool, Scalar]:
    """Whether ``raw`` may be kept, and what it is."""
    match raw[:1]:
        case b'"':
            word = _word(raw, words)
            return word is not None, word
        case b"t" | b"f":
            return True, raw == b"true"
        case b"n":
            return True, None
        case b"{" | b"[":
            return False, None
        case _:
            number = _number(raw)
            return number is not None, number


def _roles(raw: bytes) -> dict[str, Scalar]:
    if len(raw) > OBJECT_BYTES_MAX:
        return {}
    try:
        present = {message.role for message in _ROLES.decode(raw)}
    except _UNREADABLE:
        return {}
    return {role: True for role in ROLES if role in present}


def _word(raw: bytes, words: frozenset[str]) -> str | None:
    if not words or len(raw) > NUMBER_CHARS_MAX:
        return None
    try:
        text = _TEXT.decode(raw)
    except _UNREADABLE:
        return None
    return text if text in words else None


def _number(raw: bytes) -> int | float | None:
    try:
        return _NUMBER.decode(raw) if len(raw) <= NUMBER_CHARS_MAX else None
    except _UNREADABLE:
        return None
