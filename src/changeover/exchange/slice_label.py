"""Of which slice of the task is this request? A short word that the caller sent, so that a worst slice can be shown."""

from collections.abc import Mapping
from typing import Final

import msgspec

LABEL_CHARACTERS_MAX: Final = 40
NO_LABEL: Final = "(none)"
"""The slice of requests that do not say theirs."""

_HEADER_PREFIX: Final = "header:"
_METADATA_PREFIX: Final = "metadata:"
_METADATA: Final = "metadata"
_STRINGS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_STRING: Final = msgspec.json.Decoder(str)


def find_slice(headers: Mapping[bytes, bytes], fields: Mapping[str, msgspec.Raw], slice_by: tuple[str, ...]) -> str:
    """The first of ``slice_by`` that is there, as it was sent but short and printable; else ``NO_LABEL``.

    ``headers`` have lower-case names. An entry is ``header:NAME``, or ``metadata:KEY``: a string in the body's ``metadata``.
    """
    for source in slice_by:
        if source.startswith(_HEADER_PREFIX):
            found = headers.get(source.removeprefix(_HEADER_PREFIX).lower().encode(), b"").decode("utf-8", "replace")
        else:
            found = _from_metadata(fields.get(_METADATA), source.removeprefix(_METADATA_PREFIX))
        label = _label(found)
        if label:
            return label
    return NO_LABEL


def _from_metadata(raw: msgspec.Raw | None, key: str) -> str:
    if raw is None:
        return ""
    try:
        value = _STRINGS.decode(raw).get(key)
        return "" if value is None else _STRING.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def _label(text: str) -> str:
    """What is not printable could not be shown; what is long would be no word of a few."""
    return "".join(sign if sign.isprintable() else "?" for sign in text.strip()[:LABEL_CHARACTERS_MAX])
