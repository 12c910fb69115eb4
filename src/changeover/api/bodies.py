"""What did the caller send? Bounded reading and strict decoding of request bodies and query strings."""

from typing import Final, TypeVar

import msgspec
from starlette.requests import Request

from changeover.api.caller import caller_of
from changeover.api.errors import ApiError, bad_request
from changeover.api.problem import Problem

T = TypeVar("T")

BODY_BYTES_MAX: Final = 8 * 1024 * 1024
JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"


async def read_body(request: Request, *, accepted: tuple[str, ...] = (JSON,)) -> tuple[str, bytes]:
    """The media type and the whole body.

    Asking for a JSON media type is also what keeps a foreign web page from posting here: a browser asks first.

    Raises:
        ApiError: another media type, or more than `BODY_BYTES_MAX`.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in accepted:
        found = media or "no content-type"
        raise ApiError(
            400,
            Problem(
                code="content_type",
                message=f"found {found}, expected {' or '.join(accepted)}",
                hint=f"send the header content-type: {accepted[0]}",
            ),
        )
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise ApiError(
                413,
                Problem(
                    code="too_large",
                    message=f"the body is larger than {BODY_BYTES_MAX} bytes",
                    hint="send it in smaller parts",
                ),
            )
    return media, bytes(body)


async def read_json(request: Request, kind: type[T]) -> T:
    """The body as a value of ``kind``.

    Raises:
        ApiError: not JSON, or not of that shape; the message names the place.
    """
    _, body = await read_body(request)
    return decode(body, kind)


def decode(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise bad_request(f"the body cannot be used: {error}", hint="see the documentation of this call for its fields") from error


def whole_number(request: Request, name: str, *, default: int, most: int) -> int:
    """A query parameter from 0 to ``most``; larger numbers count as ``most``.

    Raises:
        ApiError: not a whole number, or below 0.
    """
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit():
        raise bad_request(f"{name}: found {text!r}, expected a whole number from 0", hint=f"for example ?{name}={default}")
    return min(int(text[:_DIGITS_MAX]), most)


_DIGITS_MAX: Final = 18


def seconds(request: Request, name: str, *, default: float, most: float) -> float:
    """A query parameter in seconds from 0 to ``most``; longer counts as ``most``.

    Raises:
        ApiError: not a number, or below 0.
    """
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not value >= 0:
        raise bad_request(f"{name}: found {text!r}, expected seconds from 0", hint=f"for example ?{name}={default:g}")
    return min(value, most)


_ACTOR_CHARACTERS_MAX: Final = 100


def actor_of(request: Request) -> str:
    """Who asks: the holder of the token that was shown, else whoever they say, and ``api`` when they do not say.

    A name that is only said never looks like a token's.
    """
    named = caller_of(request).name
    if named is not None:
        return named
    text = request.headers.get("x-changeover-actor", "").strip()
    cleaned = "".join(character for character in text if character.isprintable())
    return cleaned[:_ACTOR_CHARACTERS_MAX].translate(_NO_ROLE) or "api"


_NO_ROLE: Final = str.maketrans("()", "[]")
