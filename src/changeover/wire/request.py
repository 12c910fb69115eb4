"""What does this request ask for, and how does it read under another model's name? Answers nothing, sends nothing."""

from functools import lru_cache
from typing import Final

import msgspec

from changeover.versions import RequestSettings
from changeover.wire import multipart
from changeover.wire.request_settings import apply_settings
from changeover.wire.surface import FIRST_CLASS, Surface

MODEL: Final = "model"
_STREAM: Final = "stream"
_STREAM_OPTIONS: Final = "stream_options"
_INCLUDE_USAGE: Final = "include_usage"
_PREVIOUS_RESPONSE: Final = "previous_response_id"
_TRUE: Final = b"true"
_NULL: Final = b"null"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_SPACE: Final = b" \t\r\n"
# Looking a member up in its class costs more than all the questions asked of it.
_CHAT: Final = Surface.CHAT
_COMPLETIONS: Final = Surface.COMPLETIONS
_RESPONSES: Final = Surface.RESPONSES

_NAME_NO_MODEL: Final = (Surface.FILES, Surface.BATCHES, Surface.MESSAGE_BATCHES)
"""Requests to these name none of their own: whoever served them would refuse one that we added."""

# Top-level keys are read, their values stay the bytes the caller sent: numbers keep their digits, strings their escapes.
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_STRING: Final = msgspec.json.Decoder(str)
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


class ModelRequest:
    """The body of a request, read once and not changed.

    ``model`` is what the body names, ``None`` when it names nothing. ``include_usage``: the caller itself asked for the
    usage of its stream. ``fields`` holds every top-level value of a JSON body as sent, duplicates collapsed to the last;
    ``form`` is where a form's ``model`` stands; with neither the body is no business of ours. ``body`` is the whole,
    unchanged.

    ``hides_usage``: the stream's usage is asked for by us alone; then its chunk is not for the caller. Streams of chats and
    completions say it only if asked to; those of responses always do.
    """

    __slots__ = ("body", "fields", "form", "hides_usage", "include_usage", "model", "previous_response_id", "stream", "surface")

    def __init__(  # noqa: PLR0913 - the parts of one record
        self,
        surface: Surface,
        body: bytes,
        *,
        model: str | None,
        fields: dict[str, msgspec.Raw],
        stream: bool = False,
        include_usage: bool = False,
        previous_response_id: str | None = None,
        form: multipart.ModelField | None = None,
    ) -> None:
        self.surface = surface
        self.body = body
        self.model = model
        self.fields = fields
        self.stream = stream
        self.include_usage = include_usage
        self.previous_response_id = previous_response_id
        self.form = form
        self.hides_usage = stream and not include_usage and (surface is _CHAT or surface is _COMPLETIONS)


def read_request(surface: Surface, body: bytes, content_type: bytes = b"", *, path_task: str | None = None) -> ModelRequest:
    """Read a request to ``surface``. ``path_task`` is the task that the request's path names: then the body's ``model`` may
    be missing, null or anything else, because the path wins.

    First-class surfaces want a JSON object with a ``model``, whatever the content type; a responses request that continues
    another may go without. On the others a JSON object or a form (audio) may name a model; what is neither passes.

    Raises ``WireError`` (400) when the body is no JSON object in UTF-8 where it has to be or says it is, is nested too deep
    to read, names no model where it has to, or is a form that cannot be read.
    """
    first_class = surface is _CHAT or surface in FIRST_CLASS
    if not first_class and not _looks_like_json(body, content_type):
        return _read_form(surface, body, content_type)
    fields = _read_fields(body)
    previous = read_string(fields.get(_PREVIOUS_RESPONSE)) if surface is _RESPONSES else None
    required = first_class and path_task is None and previous is None
    return ModelRequest(
        surface,
        body,
        model=_read_model(fields.get(MODEL), required=required),
        fields=fields,
        stream=_is_true(fields.get(_STREAM)),
        include_usage=_STREAM_OPTIONS in fields and _asks_for_usage(fields[_STREAM_OPTIONS]),
        previous_response_id=previous,
    )


def rewrite_request(request: ModelRequest, *, model: str | None, settings: RequestSettings | None = None) -> bytes:
    """The body to send: under the name ``model`` (``None``: as it stands), by ``settings``, and asking for the usage of a
    stream where it must be asked for.

    Every other value keeps its bytes. A request that need not name a model gets a name where the path has named its task; one
    to files or batches does not. ``stream_options`` keeps its other members; one that is no object is left for the
    provider to refuse, one that settings drop is not sent. A name is written even if it is the one that stands there: a
    duplicate key may hide another. With nothing to do the caller's bytes come back as they are.
    """
    if not request.fields and request.surface not in FIRST_CLASS:
        return request.body if request.form is None or model is None else multipart.rewrite(request.body, request.form, model)
    if MODEL not in request.fields and request.surface in _NAME_NO_MODEL:
        return request.body
    options = None
    if request.hides_usage and (settings is None or _STREAM_OPTIONS not in settings.drop):
        options = _options_with_usage(request.fields.get(_STREAM_OPTIONS))
    if options is None and model is None and settings is None:
        return request.body
    fields = dict(request.fields) if settings is None else apply_settings(request.surface, request.fields, settings)
    if model is not None:
        fields[MODEL] = _as_json(model)
    if options is not None:
        fields[_STREAM_OPTIONS] = options
    return _ENCODER.encode(fields)


@lru_cache(maxsize=256)
def _as_json(model: str) -> msgspec.Raw:
    return msgspec.Raw(_ENCODER.encode(model))


def read_string(raw: msgspec.Raw | None) -> str | None:
    """The string that ``raw`` holds, ``None`` when it holds anything else."""
    if raw is None:
        return None
    try:
        return _STRING.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _looks_like_json(body: bytes, content_type: bytes) -> bool:
    if not body:
        return False
    kind = content_type.partition(b";")[0].strip().lower()
    return kind.endswith((b"/json", b"+json")) or (kind != multipart.FORM and body.lstrip(_SPACE)[:1] == b"{")


def _read_form(surface: Surface, body: bytes, content_type: bytes) -> ModelRequest:
    form = None
    if body and content_type.partition(b";")[0].strip().lower() == multipart.FORM:
        try:
            form = multipart.find_model(body, content_type)
        except ValueError as error:
            raise WireError(status=400, code="invalid_multipart", message=f"{error}", param=MODEL) from error
    return ModelRequest(surface, body, model=None if form is None else form.model, fields={}, form=form)


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
            status=400, code="invalid_json", message=f"The body is not a JSON object: {error}. Send one object with a `model`."
        ) from error
    except msgspec.DecodeError as error:
        raise WireError(status=400, code="invalid_json", message=_not_json(body, error)) from error


def _not_json(body: bytes, error: msgspec.DecodeError) -> str:
    if not body:
        return "The body is empty; expected a JSON object with a `model`."
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
