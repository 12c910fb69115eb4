"""How does the gateway itself say no, or anything at all? Whole answers of our own, in the shape that SDKs read."""

from http import HTTPStatus
from typing import Final, NamedTuple

from changeover.versions.dialect import Dialect
from changeover.wire.errors import INVALID_REQUEST, SERVER_ERROR, error_body, stream_error_event
from changeover.wire.message_errors import message_error_body, message_error_event
from changeover.wire.request import WireError

REQUEST_ID_HEADER: Final = b"x-changeover-request-id"
_REQUEST_ID: Final = REQUEST_ID_HEADER + b": "
_JSON: Final = b"content-type: application/json\r\n"
_SERVER_FAULTS: Final = 500
_STATUS_LINES: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


class Refusal(NamedTuple):
    """An answer that is not an answer: ``status`` with an error. ``headers`` are whole header lines."""

    status: int
    code: str
    message: str
    param: str | None = None
    headers: bytes = b""

    def body(self, dialect: Dialect) -> bytes:
        """The error in the shape that the caller's SDK reads."""
        if dialect is Dialect.ANTHROPIC:
            return message_error_body(self.message, status=self.status, code=self.code)
        kind = SERVER_ERROR if self.status >= _SERVER_FAULTS else INVALID_REQUEST
        return error_body(self.message, kind=kind, code=self.code, param=self.param)


def refusal_of(error: WireError) -> Refusal:
    """The refusal of a body that ``wire`` could not read."""
    return Refusal(error.status, error.code, error.message, error.param)


def broken_event(message: str, *, code: str, dialect: Dialect) -> bytes:
    """One event that says that a stream broke; nothing that ends a whole stream ever follows it."""
    return message_error_event(message, code) if dialect is Dialect.ANTHROPIC else stream_error_event(message, code)


def status_line(status: int) -> bytes:
    """The first line of an answer."""
    line = _STATUS_LINES.get(status)
    return f"HTTP/1.1 {status} \r\n".encode() if line is None else line


def own_answer(status: int, body: bytes, *, headers: bytes, keep: bool, head_only: bool, media: bytes = _JSON) -> bytes:
    """A complete answer of our own. ``head_only`` for HEAD: the same head, no body. ``media`` is the header line of its type."""
    length = b"content-length: %d\r\n" % len(body)
    close = b"" if keep else b"connection: close\r\n"
    return b"".join((status_line(status), media, headers, length, close, b"\r\n", b"" if head_only else body))


def request_id_line(request_id: str) -> bytes:
    """The header line that tells the caller its request's id."""
    return _REQUEST_ID + request_id.encode() + b"\r\n"
