"""Which unit does this request belong to? What was found in it, as the caller wrote it; hashing for storage is traffic's."""

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec

UNIT_HEADER: Final = b"x-changeover-unit"
UNIT_CHARACTERS_MAX: Final = 512
"""A longer unit is replaced by its digest: it stays one unit, and no text of any length is carried about."""

_HEADER_PREFIX: Final = "header:"
_STRING: Final = msgspec.json.Decoder(str)


def find_unit(headers: Mapping[bytes, bytes], fields: Mapping[str, msgspec.Raw], sticky_by: tuple[str, ...]) -> str | None:
    """The request's unit: ``x-changeover-unit``, else the first of ``sticky_by`` that is there, else ``None``.

    ``headers`` have lower-case names. An entry of ``sticky_by`` is ``header:NAME`` or a top-level field of the body that
    holds a string (``safety_identifier``, ``user``). Empty or blank values count as absent.
    """
    unit = _from_header(headers, UNIT_HEADER)
    for source in sticky_by:
        if unit is not None:
            break
        unit = _from(source, headers, fields)
    return None if unit is None else _bounded(unit)


def _from(source: str, headers: Mapping[bytes, bytes], fields: Mapping[str, msgspec.Raw]) -> str | None:
    if source.startswith(_HEADER_PREFIX):
        return _from_header(headers, source.removeprefix(_HEADER_PREFIX).strip().lower().encode())
    return _from_field(fields, source)


def _from_header(headers: Mapping[bytes, bytes], name: bytes) -> str | None:
    value = headers.get(name)
    # Bytes that are no UTF-8 stay distinct units: each becomes a surrogate of its own.
    return None if value is None else value.decode("utf-8", "surrogateescape").strip() or None


def _from_field(fields: Mapping[str, msgspec.Raw], name: str) -> str | None:
    raw = fields.get(name)
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
