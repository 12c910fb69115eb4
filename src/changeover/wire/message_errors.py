"""How do we say no to a caller that speaks Anthropic's API? Error bodies and events in the shape that its SDKs read."""

from typing import Final

import msgspec

_ENCODER: Final = msgspec.json.Encoder()
_REQUEST: Final = "invalid_request_error"
_OURS: Final = "api_error"
_SERVER_FAULTS: Final = 500
_TYPES: Final = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""The types of the API's own errors, by the status they come with."""


def message_error_body(message: str, *, status: int, code: str) -> bytes:
    """An error body for an answer of ``status``. Our own ``code`` stands where SDKs look for a stable one."""
    kind = _TYPES.get(status, _OURS if status >= _SERVER_FAULTS else _REQUEST)
    return _body(message, kind, code)


def message_error_event(message: str, code: str) -> bytes:
    """One event that says that the stream broke. No ``message_stop`` follows: a broken stream must not look whole."""
    return b"event: error\ndata: " + _body(message, _OURS, code) + b"\n\n"


def _body(message: str, kind: str, code: str) -> bytes:
    return _ENCODER.encode({"type": "error", "error": {"type": kind, "message": message, "details": {"error_code": code}}})
