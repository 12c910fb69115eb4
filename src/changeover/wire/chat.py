"""What does this chat request ask for, and how does it read under another model's name? Answers nothing, sends nothing."""

from typing import Final

import msgspec

MODEL: Final = "model"
_STREAM: Final = "stream"
_STREAM_OPTIONS: Final = "stream_options"
_INCLUDE_USAGE: Final = "include_usage"
_TRUE: Final = b"true"
_NULL: Final = b"null"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

# Top-level keys are read, their values stay the bytes the caller sent: numbers keep their digits, strings their escapes.
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER: Final = msgspec.json.Encoder()
_RAW_TRUE: Final = msgspec.Raw(_TRUE)


class WireError(Exception):
    """A request that cannot be served, in the words of the answer it gets: status, and OpenAI's code, message and param."""

    def __init__(self, *, status: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The body of a chat request, read once.

    ``model`` is what the body names, ``None`` when it names nothing. ``include_usage``: the caller itself asked for the
    usage of its stream. ``fields`` holds every top-level value as sent, duplicates collapsed to the last; ``body`` is
    the whole, unchanged.
    """

    model: str | None
    stream: bool
    include_usage: bool
    fields: dict[str, msgspec.Raw]
    body: bytes


def read_chat_request(body: bytes, *, path_task: str | None = None) -> ChatRequest:
    """Read a chat request. ``path_task`` is the task that the request's path names: then the body's ``model`` may be
    missing, null or anything else, because the path wins.

    Raises ``WireError`` (400) when the body is no JSON object in UTF-8, is nested too deep to read, or names no model
    where the path names none.
    """
    fields = _read_fields(body)
    return ChatRequest(
        model=_read_model(fields.get(MODEL), required=path_task is None),
        stream=_is_true(fields.get(_STREAM)),
        include_usage=_STREAM_OPTIONS in fields and _asks_for_usage(fields[_STREAM_OPTIONS]),
        fields=fields,
        body=body,
    )


def rewrite_chat_request(request: ChatRequest, *, model: str | None, include_usage: bool) -> bytes:
    """The body to send: under the name ``model`` (``None``: as it stands), and asking for usage if ``include_usage``.

    Every other value keeps its bytes. ``stream_options`` keeps its other members; one that is no object is left for the
    provider to refuse. A name is written even if it is the one that stands there: a duplicate key may hide another. With
    neither, the caller's bytes come back as they are.
    """
    options = _options_with_usage(request.fields.get(_STREAM_OPTIONS)) if include_usage and not request.include_usage else None
    if options is None and model is None:
        return request.body
    fields = dict(request.fields)
    if model is not None:
        fields[MODEL] = msgspec.Raw(_ENCODER.encode(model))
    if options is not None:
        fields[_STREAM_OPTIONS] = options
    return _ENCODER.encode(fields)


def _read_fields(body: bytes) -> dict[str, msgspec.Raw]:
    try:
        if not body.isascii():
            body.decode()
        return _FIELDS.decode(body)
    except UnicodeDecodeError as error:
        raise WireError(
            status=400, code="invalid_encoding", message=f"The body is not UTF-8 (byte {error.start}). Send JSON encoded as UTF-8."
        ) from error
    except RecursionError as error:
        raise WireError(
            status=400, code="json_too_deep", message="The body's JSON is nested too deep to be read. Send fewer levels."
        ) from error
    except msgspec.ValidationError as error:
        raise WireError(
            status=400, code="invalid_json", message=f"The body is not a JSON object: {error}. Send one object with `model` and `messages`."
        ) from error
    except msgspec.DecodeError as error:
        raise WireError(status=400, code="invalid_json", message=_not_json(body, error)) from error


def _not_json(body: bytes, error: msgspec.DecodeError) -> str:
    if not body:
        return "The body is empty; expected a JSON object with `model` and `messages`."
    if body.startswith(_BYTE_ORDER_MARK):
        return "The body begins with a byte order mark, which JSON does not allow. Send UTF-8 without it."
    return f"The body could not be parsed as JSON: {error}. Send one JSON object."


def _read_model(raw: msgspec.Raw | None, *, required: bool) -> str | None:
    value = read_string(raw)
    if value or not required:
        return value
    if raw is None or bytes(raw) == _NULL:
        raise WireError(
            status=400,
            code="missing_required_parameter",
            message="Found no `model`; expected the name of a task. GET /v1/models lists the tasks served here.",
            param=MODEL,
        )
    raise WireError(
        status=400,
        code="invalid_type",
        message="Found a `model` that is no string, or an empty one; expected the name of a task. GET /v1/models lists them.",
        param=MODEL,
    )


def read_string(raw: msgspec.Raw | None) -> str | None:
    """The string that ``raw`` holds, ``None`` when it holds anything else."""
    if raw is None:
        return None
    try:
        return _STRING.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


_STRING: Final = msgspec.json.Decoder(str)


def _is_true(raw: msgspec.Raw | None) -> bool:
    return raw is not None and bytes(raw) == _TRUE


def _read_object(raw: msgspec.Raw) -> dict[str, msgspec.Raw] | None:
    try:
        return _FIELDS.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _asks_for_usage(raw: msgspec.Raw) -> bool:
    options = _read_object(raw)
    return options is not None and _is_true(options.get(_INCLUDE_USAGE))


def _options_with_usage(raw: msgspec.Raw | None) -> msgspec.Raw | None:
    if raw is None or bytes(raw) == _NULL:
        return msgspec.Raw(b'{"include_usage":true}')
    options = _read_object(raw)
    if options is None:
        return None
    return msgspec.Raw(_ENCODER.encode({**options, _INCLUDE_USAGE: _RAW_TRUE}))
