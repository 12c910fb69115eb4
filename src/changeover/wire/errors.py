"""How do we say no? Error bodies in the shape that OpenAI's SDKs read."""

from typing import Final

import msgspec

_ENCODER: Final = msgspec.json.Encoder()
STATUS_BAD_REQUEST: Final = 400
INVALID_REQUEST: Final = "invalid_request_error"
SERVER_ERROR: Final = "server_error"


def error_body(message: str, *, kind: str = INVALID_REQUEST, code: str | None = None, param: str | None = None) -> bytes:
    """An error body; ``kind`` is OpenAI's ``type``."""
    return _ENCODER.encode({"error": {"message": message, "type": kind, "param": param, "code": code}})


def stream_error_event(message: str, code: str) -> bytes:
    """One event that says that the stream broke. Never follow it with ``[DONE]``: a broken stream must not look whole."""
    return b"data: " + error_body(message, kind=SERVER_ERROR, code=code) + b"\n\n"
