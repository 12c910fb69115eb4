"""Reading never crashes, and rewriting changes the model's name, the request for usage, what settings say, and nothing else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.versions import RequestSettings
from changeover.wire.failure import Failure, classify, retry_after_s
from changeover.wire.reply import ReplyFacts, read_reply
from changeover.wire.request import ModelRequest, WireError, read_request, rewrite_request
from changeover.wire.surface import FIRST_CLASS, Surface, read_path

BAD_REQUEST = 400
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=8
)
NAMES = ["stream_options", "user", "usage", "choices", "error", "messages", "instructions", "previous_response_id"]
OBJECTS = st.dictionaries(st.text(max_size=8) | st.sampled_from(NAMES), VALUES, max_size=6)
REPLY_PARTS = [
    "model", "system_fingerprint", "choices", "usage", "prompt_filter_results", "error", "object", "id", "status", "incomplete_details",
    "content_filters", "response", "type", "code",
]  # fmt: skip
REPLIES = st.binary(max_size=200) | st.dictionaries(st.sampled_from(REPLY_PARTS), VALUES).map(lambda parts: json.dumps(parts).encode())
SURFACES = st.sampled_from(Surface)
NAMELESS = (Surface.FILES, Surface.BATCHES, Surface.MESSAGE_BATCHES)
SETTINGS = st.builds(
    RequestSettings,
    rename=st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
    drop=st.lists(st.sampled_from(["user", "usage", "stream_options"])).map(tuple),
    set=st.dictionaries(st.text(max_size=3), VALUES, max_size=2),
    system_prompt=st.none() | st.text(max_size=8),
    system_prompt_mode=st.sampled_from(["replace", "prepend"]),
)
MODEL_HEAD = b'Content-Disposition: form-data; name="model"'
FORM_PIECES = [
    b"--x", b"--", b"\r\n", b"\n", MODEL_HEAD, b'Content-Disposition: form-data; name="file"', b"whisper", b"\r\n--x\r\n",
    b"--x\r\n" + MODEL_HEAD + b"\r\n\r\nwhisper\r\n", b"--x--", b"\xff\x00",
]  # fmt: skip
FORMS = st.lists(st.sampled_from(FORM_PIECES), max_size=10).map(b"".join)
CONTENT_TYPES = st.sampled_from([b"", b"application/json", b"multipart/form-data; boundary=x", b"multipart/form-data", b"\xff;;="])


def exactly(body: bytes) -> Any:
    """The document with every number as its text."""
    return json.loads(body, parse_float=str, parse_int=str)


def request_or_none(surface: Surface, body: bytes, content_type: bytes, *, path_task: str | None = None) -> ModelRequest | None:
    """Any other exception than a refusal is a crash."""
    try:
        return read_request(surface, body, content_type, path_task=path_task)
    except WireError as error:
        return None if error.status == BAD_REQUEST else pytest.fail(f"an odd refusal: {error.status}")


@given(fields=OBJECTS, old=st.text(min_size=1), new=st.none() | st.text(), ascii_only=st.booleans(), stream=st.booleans(), surface=SURFACES)
def test_a_rewritten_request_is_the_same_but_for_model_and_usage(
    fields: dict[str, Any], old: str, new: str | None, ascii_only: bool, stream: bool, surface: Surface
) -> None:
    body = json.dumps({**fields, "model": old, "stream": stream}, ensure_ascii=ascii_only).encode()
    request = read_request(surface, body, b"application/json")
    assert (request.model, request.stream) == (old, stream)
    before, after = exactly(body), exactly(rewrite_request(request, model=new))
    assert after.pop("model") == (old if new is None else new)
    before.pop("model")
    options, sent_options = before.pop("stream_options", None), after.pop("stream_options", None)
    assert after == before
    if request.hides_usage and (options is None or isinstance(options, dict)):
        assert sent_options == {**(options or {}), "include_usage": True}
    else:
        assert sent_options == options


@given(
    body=st.binary(max_size=200) | OBJECTS.map(lambda fields: json.dumps(fields).encode()) | FORMS,
    path_task=st.none() | st.just("mail"),
    surface=SURFACES,
    content_type=CONTENT_TYPES,
    settings=st.none() | SETTINGS,
)
def test_any_bytes_are_read_or_refused(
    body: bytes, path_task: str | None, surface: Surface, content_type: bytes, settings: RequestSettings | None
) -> None:
    request = request_or_none(surface, body, content_type, path_task=path_task)
    if request is None:
        return
    sent = rewrite_request(request, model="gpt", settings=settings)
    if surface in FIRST_CLASS:
        assert json.loads(sent)["model"] == "gpt"
    elif request.form is None and not request.fields:
        assert sent is body
    elif request.form is None and surface in NAMELESS and "model" not in request.fields:
        assert sent is body, "the provider would refuse a name that is no parameter of this API"
    else:
        assert read_request(surface, sent, content_type).model == "gpt"


@given(body=FORMS)
def test_a_form_keeps_every_byte_but_its_models_name(body: bytes) -> None:
    request = request_or_none(Surface.AUDIO, body, b"multipart/form-data; boundary=x")
    if request is None or request.form is None:
        return
    sent, field = rewrite_request(request, model="a-new-name"), request.form
    assert sent.startswith(body[: field.start])
    assert sent.endswith(body[field.end :])
    assert b"a-new-name" in sent[field.start : len(sent) - len(body) + field.end]


def test_the_forms_reach_a_model_in_front_behind_and_nowhere() -> None:
    whole = FORM_PIECES[8]
    for body, model in ((whole + b"--x--", "whisper"), (b"--x\r\n\r\n\r\n" + whole + b"--x--", "whisper"), (b"--x--", None)):
        assert read_request(Surface.AUDIO, body, b"multipart/form-data; boundary=x").model == model


@given(REPLIES)
def test_any_answer_is_read_without_complaint(body: bytes) -> None:
    assert isinstance(read_reply(body), ReplyFacts)


@given(status=st.integers(100, 999), body=REPLIES, wait=st.binary(max_size=40) | st.text(max_size=20).map(str.encode))
def test_any_answer_has_a_class(status: int, body: bytes, wait: bytes) -> None:
    for headers in ({b"retry-after": wait}, {b"retry-after-ms": wait}):
        found = classify(status, body, headers, now=0.0)
        assert isinstance(found, Failure)
        assert (found.kind == "answer") <= (status // 100 == 2)
        assert found.retry_after_s is None or found.retry_after_s >= 0
        assert retry_after_s(headers, now=0.0) is None or retry_after_s(headers, now=0.0) == found.retry_after_s or found.kind == "answer"


PATH_PIECES = [b"/", b"v1", b"openai", b"deployments", b"t", b"..", b"%2e", b"a", b"?", b"chat/completions"]


@given(st.binary(max_size=60) | st.lists(st.sampled_from(PATH_PIECES)).map(b"".join))
def test_any_path_is_read_or_unknown_and_never_climbs(url: bytes) -> None:
    ask = read_path(url)
    if ask is not None:
        assert ask.operation.startswith(b"/")
        assert not {b"", b".", b".."} & set(ask.operation[1:].split(b"/"))
        assert url.partition(b"?")[0].endswith(ask.operation)
