"""Which unit does this request belong to? What was found in it, as the caller wrote it; hashing for storage is traffic's."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec

from changeover.wire.filters import read_fields

UNIT_HEADER: Final = b"x-changeover-unit"
USER_OF_A_MESSAGE: Final = "metadata.user_id"
"""Where a request to Anthropic's API names its user."""
UNIT_CHARACTERS_MAX: Final = 512
"""A longer unit is replaced by its digest: it stays one unit, and no text of any length is carried about."""

_HEADER_PREFIX: Final = "header:"
_ABSENT: Final = msgspec.Raw(b"")
_STRING: Final = msgspec.json.Decoder(str)


def find_unit(headers: Mapping[bytes, bytes], fields: Mapping[str, msgspec.Raw], sticky_by: tuple[str, ...]) -> str | None:
    """The request's unit: ``x-changeover-unit``, else the first of ``sticky_by`` that is there, else ``None``.

    ``headers`` have lower-case names. An entry of ``sticky_by`` is ``header:NAME`` or a top-level field of the body that
    holds a string (``safety_identifier``, ``user``), or ``metadata.user_id``. Empty or blank values count as absent.
    """
    unit = _from_header(headers, UNIT_HEADER) if UNIT_HEADER in headers else None
    for source in sticky_by:
        if unit is not None:
            break
        header = _header_name(source)
        unit = _from_field(fields, source) if header is None else _from_header(headers, header)
    return None if unit is None else _bounded(unit)


@lru_cache(maxsize=256)
def _header_name(source: str) -> bytes | None:
    """The header that an entry of ``sticky_by`` names, ``None`` for a field."""
    return source.removeprefix(_HEADER_PREFIX).strip().lower().encode() if source.startswith(_HEADER_PREFIX) else None


def _from_header(headers: Mapping[bytes, bytes], name: bytes) -> str | None:
    value = headers.get(name)
    # Bytes that are no UTF-8 stay distinct units: each becomes a surrogate of its own.
    return None if value is None else value.decode("utf-8", "surrogateescape").strip() or None


def _from_field(fields: Mapping[str, msgspec.Raw], name: str) -> str | None:
    raw = fields.get(name)
    if raw is None and name == USER_OF_A_MESSAGE:
        raw = read_fields(fields.get("metadata", _ABSENT)).get("user_id")
    if raw is None:
        return None
    try:
        return _STRING.decode(raw).strip() or None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _bounded(unit: str) -> str:
    if len(unit) <= UNIT_CHARACTERS_MAX:
        return unit
    return "blake2b:" + hashlib.blake2b(unit.encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()
