"""What did the caller send? One request as it was framed, and whether its head may be served."""

from collections.abc import Mapping, Sequence
from typing import Final

from changeover.gateway.doorkeeper import ANYONE, Admitted
from changeover.gateway.headers import Header
from changeover.gateway.limits import Limits
from changeover.gateway.paths import Endpoint, read_path
from changeover.gateway.refusal import Refusal
from changeover.versions.dialect import Dialect

CONTENT_LENGTH: Final = b"content-length"
TRANSFER_ENCODING: Final = b"transfer-encoding"
FRAMING: Final = frozenset({CONTENT_LENGTH, TRANSFER_ENCODING})
ANTHROPIC_VERSION: Final = b"anthropic-version"
_HOST: Final = b"host"
_VERSIONS: Final = ("1.1", "1.0")
_IDENTITY: Final = b"identity"
_CONTENT_ENCODING: Final = b"content-encoding"
_EXPECT: Final = b"expect"
DOUBTFUL: Final = frozenset({400, 505})
"""The refusals of a head that others might frame otherwise: what follows it is not read."""
_HEADER_EXTRA_BYTES: Final = 4
"""Colon, space and line end of a header."""


class Call:
    """One request. ``head_read`` is false for what could not be read as a request at all; such a call has a refusal."""

    __slots__ = (
        "admitted", "body", "endpoint", "head_read", "headers", "keep_alive", "method", "names", "refusal", "url", "version",
    )  # fmt: skip

    def __init__(
        self,
        *,
        method: bytes = b"",
        url: bytes = b"",
        headers: list[Header] | None = None,
        names: dict[bytes, bytes] | None = None,
        version: str = "1.1",
    ) -> None:
        self.method = method
        self.url = url
        self.version = version
        self.headers: list[Header] = headers or []
        self.names: dict[bytes, bytes] = {} if names is None else names
        """Headers by lower-case name; of a repeated one the last."""
        self.keep_alive = False
        self.head_read = bool(method)
        self.endpoint: Endpoint | None = None
        self.body = b""
        self.refusal: Refusal | None = None
        self.admitted: Admitted | None = ANYONE
        """Who asks; ``None`` for who may not come in."""

    @property
    def has_body(self) -> bool:
        return TRANSFER_ENCODING in self.names or self.names.get(CONTENT_LENGTH, b"0").strip(b"0") != b""

    @property
    def expects_continue(self) -> bool:
        return _EXPECT in self.names and self.version == "1.1"

    @property
    def dialect(self) -> Dialect:
        """In whose shape the caller expects to be told no: by what it asks, else by the header that one family always sends."""
        asked = None if self.endpoint is None else self.endpoint.dialect
        if asked is None:
            return Dialect.ANTHROPIC if ANTHROPIC_VERSION in self.names else Dialect.OPENAI
        return asked


def head_bytes(url: bytes, headers: Sequence[Header]) -> int:
    """The size of a head."""
    return len(url) + sum(len(name) + len(value) + _HEADER_EXTRA_BYTES for name, value in headers)


def check_head(call: Call, limits: Limits, *, upgrade: bool) -> Refusal | None:
    """Why the head of ``call`` may not be served; ``None`` sets ``call.endpoint``. Syntax has been checked by llhttp."""
    names = call.names
    # Most heads are plain: one look tells that there is nothing to weigh.
    plain = call.version == "1.1" and not upgrade and _HOST in names and len(names) == len(call.headers) and not _weighs(names)
    refusal = None if plain else _check_framing(call, upgrade=upgrade)
    if refusal is None:
        refusal = _check_target(call)
    return _check_body(call, limits, plain=plain) if refusal is None else refusal


def _weighs(names: Mapping[bytes, bytes]) -> bool:
    return TRANSFER_ENCODING in names or _CONTENT_ENCODING in names or _EXPECT in names


def _check_framing(call: Call, *, upgrade: bool) -> Refusal | None:
    if call.version not in _VERSIONS:
        return Refusal(505, "http_version_not_supported", f"Found HTTP/{call.version}; expected HTTP/1.1 or 1.0.")
    if upgrade:
        return Refusal(
            400, "upgrade_not_supported", "Found a request to upgrade or tunnel; expected plain HTTP/1.1. Send it without Upgrade."
        )
    hosts = sum(name == _HOST for name, _ in call.headers)
    if hosts > 1 or (hosts == 0 and call.version == "1.1"):
        return Refusal(400, "invalid_host", f"Found {hosts} Host headers; expected exactly one.")
    codings = [value.lower() for name, value in call.headers if name == TRANSFER_ENCODING]
    if codings and (codings != [b"chunked"] or call.version == "1.0"):
        return Refusal(400, "invalid_transfer_encoding", "Expected Transfer-Encoding: chunked alone, in HTTP/1.1, or a Content-Length.")
    return None


def _check_target(call: Call) -> Refusal | None:
    if not call.url.startswith(b"/"):
        return Refusal(400, "invalid_url", "Found a request target that is no path; expected one that begins with a slash.")
    endpoint = call.endpoint = read_path(call.url)
    if endpoint is not None and call.method in endpoint.methods:
        return None
    method = call.method.decode()
    if endpoint is None:
        path = call.url.partition(b"?")[0].decode("utf-8", "backslashreplace")
        message = (
            f"Invalid URL ({method} {path}). Served here: the paths of OpenAI's API, of Azure's and of Anthropic's, "
            "such as POST /v1/chat/completions."
        )
        return Refusal(404, "unknown_url", message)
    allowed = b", ".join(sorted(endpoint.methods))
    message = f"Found the method {method}; expected {allowed.decode()} for this path."
    return Refusal(405, "method_not_allowed", message, headers=b"allow: %b\r\n" % allowed)


def _check_body(call: Call, limits: Limits, *, plain: bool) -> Refusal | None:
    if int(call.names.get(CONTENT_LENGTH, b"0")) > limits.body_bytes_max:
        return too_large(limits)
    if plain:
        return None
    if call.names.get(_CONTENT_ENCODING, _IDENTITY).lower() != _IDENTITY:
        return Refusal(
            415, "unsupported_content_encoding", "Found a compressed body; expected plain JSON. Send it without Content-Encoding."
        )
    if call.names.get(_EXPECT, b"100-continue").lower() != b"100-continue":
        return Refusal(417, "expectation_failed", "Found an unknown Expect header; expected 100-continue or none.")
    return None


def too_large(limits: Limits) -> Refusal:
    """The body is over the limit, announced or already."""
    return Refusal(413, "request_too_large", f"The body is larger than {limits.body_bytes_max} bytes; send a smaller one.")
