"""Where does a form name its model? Finds that one field (RFC 7578) and rewrites its value alone; keeps all other bytes."""

import re
from typing import Final

import msgspec

FORM: Final = b"multipart/form-data"
PARTS_MAX: Final = 1000

_LINE: Final = b"\r\n"
_BLANK: Final = b"\r\n\r\n"
_MODEL: Final = b"model"
_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETER: Final = re.compile(rb"[ \t]*;[ \t]*(" + _TOKEN + rb')[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^;"\s]+))')
_DISPOSITION: Final = re.compile(rb"content-disposition[ \t]*:[ \t]*form-data", re.IGNORECASE)
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
_BOUNDARY: Final = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_AFTER_DELIMITER: Final = re.compile(rb"(--)|[ \t]*\r\n")


class ModelField(msgspec.Struct, frozen=True, kw_only=True):
    """The field ``model`` of a form: its value stands from ``start`` up to ``end``.

    Without the field (``model`` is ``None``) both are where it can be put. ``delimiter`` begins every part.
    """

    model: str | None
    start: int
    end: int
    delimiter: bytes
    present: bool


def find_model(body: bytes, content_type: bytes) -> ModelField:
    """The field ``model`` of the form ``body``.

    Raises ``ValueError``, with words for the caller, when the form cannot be read to its end, or has that field twice:
    another reader might take the other one.
    """
    delimiter = b"--" + _boundary(content_type)
    at = _first_delimiter(body, delimiter)
    found = ModelField(model=None, start=at, end=at, delimiter=delimiter, present=False)
    for _ in range(PARTS_MAX):
        after = _AFTER_DELIMITER.match(body, at + len(delimiter))
        if after is None:
            raise ValueError("The form has a boundary line that does not end there. Send multipart/form-data as RFC 7578 says.")
        if after[1]:
            return found
        end = body.find(_LINE + delimiter, after.end() - len(_LINE))
        if end < 0:
            raise ValueError("The form ends before its last boundary. Send the whole of it.")
        start = _content_start(body, after.end(), end)
        if _name(body[after.end() : start]) == _MODEL:
            if found.present:
                raise ValueError("Found the field `model` twice in the form; expected it once.")
            found = ModelField(model=_text(body[start:end]), start=start, end=end, delimiter=delimiter, present=True)
        at = end + len(_LINE)
    raise ValueError(f"The form has more than {PARTS_MAX} parts; send fewer.")


def rewrite(body: bytes, field: ModelField, model: str) -> bytes:
    """``body`` with ``model`` as its model; every other byte stays."""
    value = model.encode()
    if not field.present:
        value = b'%b\r\nContent-Disposition: form-data; name="model"\r\n\r\n%b\r\n' % (field.delimiter, value)
    return body[: field.start] + value + body[field.end :]


def _boundary(content_type: bytes) -> bytes:
    at = content_type.find(b";")
    while at >= 0 and (match := _PARAMETER.match(content_type, at)):
        if match[1].lower() == b"boundary":
            boundary = _value(match)
            if _BOUNDARY.fullmatch(boundary):
                return boundary
            break
        at = match.end()
    raise ValueError("The form's Content-Type names no usable boundary. Send multipart/form-data with a boundary.")


def _first_delimiter(body: bytes, delimiter: bytes) -> int:
    if body.startswith(delimiter):
        return 0
    at = body.find(_LINE + delimiter)
    if at < 0:
        raise ValueError("The form does not hold the boundary that its Content-Type names. Send multipart/form-data with the right one.")
    return at + len(_LINE)


def _content_start(body: bytes, head: int, end: int) -> int:
    """Where a part's content begins, whose headers begin at ``head`` (with none, a blank line stands there)."""
    if body.startswith(_LINE, head):
        return head + len(_LINE)
    at = body.find(_BLANK, head, end)
    if at < 0:
        raise ValueError("A part of the form has no end of its headers. Send multipart/form-data as RFC 7578 says.")
    return at + len(_BLANK)


def _name(head: bytes) -> bytes | None:
    """The field's name in a part's headers."""
    for line in head.split(_LINE):
        match = _DISPOSITION.match(line)
        at = -1 if match is None else match.end()
        while at >= 0 and (parameter := _PARAMETER.match(line, at)):
            if parameter[1].lower() == b"name":
                return _value(parameter)
            at = parameter.end()
    return None


def _value(parameter: re.Match[bytes]) -> bytes:
    quoted: bytes | None = parameter[2]
    return parameter[3] if quoted is None else _ESCAPED.sub(rb"\1", quoted)


def _text(value: bytes) -> str | None:
    try:
        return value.decode() or None
    except UnicodeDecodeError as error:
        raise ValueError("The form's field `model` is not UTF-8. Send the name of a task.") from error
