"""A request of any surface is read once: JSON by its fields, a form by its one field, all else not at all."""

import json

import pytest

from changeover.versions import RequestSettings
from changeover.wire.multipart import PARTS_MAX
from changeover.wire.request import ModelRequest, WireError, read_request, rewrite_request
from changeover.wire.surface import FIRST_CLASS, Surface

JSON = b"application/json"
FORM = b'multipart/form-data; boundary="x y"'
AUDIO = b"\x00\xff--x y\r\n\r\n--x\r\n" * 20
PASSING = sorted(set(Surface) - FIRST_CLASS)


def part(name: str, value: bytes, extra: str = "") -> bytes:
    return f'--x y\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode() + value + b"\r\n"


def form(*parts: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
    return before + b"".join(parts) + b"--x y--" + after


FILE = part("file", AUDIO, '; filename="a; name=\\"model\\".wav"\r\nContent-Type: audio/wav')
LANGUAGE = part("language", b"de")


def read_form(body: bytes, content_type: bytes = FORM) -> ModelRequest:
    return read_request(Surface.AUDIO, body, content_type)


def refusal(surface: Surface, body: bytes, content_type: bytes = b"", *, path_task: str | None = None) -> WireError:
    with pytest.raises(WireError) as caught:
        read_request(surface, body, content_type, path_task=path_task)
    return caught.value


@pytest.mark.parametrize("surface", sorted(FIRST_CLASS))
def test_a_first_class_request_names_its_model_whatever_its_content_type(surface: Surface) -> None:
    for content_type in (b"", JSON, b"text/plain", b"multipart/form-data; boundary=x"):
        assert read_request(surface, b'{"model":"mail"}', content_type).model == "mail"
    assert refusal(surface, b"{}").code == "missing_required_parameter"
    assert refusal(surface, b'{"model":null}').code == "missing_required_parameter"
    assert refusal(surface, b"").code == "invalid_json"
    assert read_request(surface, b'{"model":null}', path_task="mail").model is None


def test_a_response_that_continues_another_may_leave_its_model_out() -> None:
    request = read_request(Surface.RESPONSES, b'{"previous_response_id":"resp_1","input":"x","stream":true}')
    assert (request.model, request.previous_response_id, request.stream) == (None, "resp_1", True)
    for nothing in (b"null", b"7"):
        assert refusal(Surface.RESPONSES, b'{"previous_response_id":' + nothing + b"}").code == "missing_required_parameter"


def test_only_responses_have_a_previous_one() -> None:
    request = read_request(Surface.CHAT, b'{"model":"mail","previous_response_id":"resp_1"}')
    assert request.previous_response_id is None


@pytest.mark.parametrize("surface", sorted(FIRST_CLASS))
def test_usage_is_asked_for_where_a_stream_would_not_say_it(surface: Surface) -> None:
    request = read_request(surface, b'{"model":"mail","stream":true}')
    sent = json.loads(rewrite_request(request, model="gpt"))
    asked = surface in (Surface.CHAT, Surface.COMPLETIONS)
    assert request.hides_usage == asked
    assert sent == {"model": "gpt", "stream": True, **({"stream_options": {"include_usage": True}} if asked else {})}
    assert not read_request(surface, b'{"model":"mail","stream":true,"stream_options":{"include_usage":true}}').hides_usage


def test_settings_are_applied_and_usage_asked_for_unless_they_drop_it() -> None:
    request = read_request(Surface.CHAT, b'{"model":"mail","stream":true,"max_tokens":5,"temperature":0.10}')
    settings = RequestSettings(rename={"max_tokens": "max_completion_tokens"}, drop=("temperature",))
    assert json.loads(rewrite_request(request, model="gpt", settings=settings)) == {
        "model": "gpt",
        "stream": True,
        "max_completion_tokens": 5,
        "stream_options": {"include_usage": True},
    }
    settings = RequestSettings(drop=("stream_options",))
    assert "stream_options" not in json.loads(rewrite_request(request, model="gpt", settings=settings))


@pytest.mark.parametrize("surface", PASSING)
def test_what_passes_through_may_name_a_model_in_json(surface: Surface) -> None:
    body = b'{ "prompt" : "x" , "model" : "pictures" }'
    request = read_request(surface, body, b"application/json; charset=utf-8")
    assert request.model == "pictures"
    assert rewrite_request(request, model=None) is body
    assert json.loads(rewrite_request(request, model="dall-e")) == {"prompt": "x", "model": "dall-e"}
    assert read_request(surface, b'{"prompt":"x"}', JSON).model is None
    assert read_request(surface, b' {"model":"a"}', b"").model == "a"


NEITHER = [(b"", b""), (b"", JSON), (AUDIO, b"application/octet-stream"), (b"a=b", b""), (b"\xff{", b"")]


@pytest.mark.parametrize("surface", PASSING)
@pytest.mark.parametrize(("body", "content_type"), NEITHER)
def test_what_is_neither_json_nor_a_form_passes_unread(surface: Surface, body: bytes, content_type: bytes) -> None:
    request = read_request(surface, body, content_type)
    assert (request.model, request.stream, request.fields, request.form) == (None, False, {}, None)
    assert rewrite_request(request, model="gpt", settings=RequestSettings(set={"a": 1})) is body


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"model":"a"} x', b'\xef\xbb\xbf{"model":"a"}', b'{"a":"\xff"}'])
def test_what_says_it_is_json_must_be_an_object(body: bytes) -> None:
    assert refusal(Surface.IMAGES, body, JSON).status == 400


def test_a_form_names_its_model_and_only_that_is_rewritten() -> None:
    for parts in (
        (FILE, part("model", b"whisper"), LANGUAGE),
        (part("model", b"whisper"), FILE),
        (LANGUAGE, FILE, part("model", b"whisper")),
    ):
        for before, after in ((b"", b""), (b"preamble\r\n", b"\r\nepilogue --x y\r\n")):
            body = form(*parts, before=before, after=after)
            request = read_form(body)
            assert request.model == "whisper"
            assert rewrite_request(request, model=None) is body
            assert rewrite_request(request, model="söund") == body.replace(b"\r\n\r\nwhisper\r\n", "\r\n\r\nsöund\r\n".encode())


def test_a_form_without_a_model_gets_one_in_front() -> None:
    body = form(FILE, LANGUAGE, before=b"preamble\r\n")
    request = read_form(body)
    assert request.model is None
    sent = rewrite_request(request, model="whisper")
    model = b'--x y\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n'
    assert sent == b"preamble\r\n" + model + body.removeprefix(b"preamble\r\n")
    assert read_form(sent).model == "whisper"
    assert read_form(form()).model is None


@pytest.mark.parametrize(
    "head",
    [
        'Content-Disposition: form-data; name="model"',
        "content-disposition:form-data;name=model",
        'CONTENT-DISPOSITION: FORM-DATA; NAME="mo\\del"',
        'Content-Type: text/plain\r\nContent-Disposition: form-data ; filename="" ; name = "model"',
    ],
)
def test_the_field_is_found_in_every_spelling(head: str) -> None:
    assert read_form(form(f"--x y \t\r\n{head}\r\n\r\nwhisper\r\n".encode())).model == "whisper"


@pytest.mark.parametrize("content_type", [b"multipart/form-data; charset=x; boundary=AbC", b'Multipart/Form-Data;Boundary="AbC"'])
def test_the_boundary_is_found_in_every_spelling(content_type: bytes) -> None:
    body = b'--AbC\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n--AbC--\r\n'
    assert read_form(body, content_type).model == "whisper"


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        (form(part("model", b"a"), part("model", b"b")), FORM, "twice"),
        (form(part("model", b"a"), part("model", b"")), FORM, "twice"),
        (form(part("model", b"\xff")), FORM, "not UTF-8"),
        (b"--x y\r\n\r\nopen", FORM, "before its last boundary"),
        (part("model", b"a"), FORM, "before its last boundary"),
        (b"--x y\r\nContent-Disposition: form-data\r\n--x y--", FORM, "no end of its headers"),
        (b"--x yz\r\n\r\n\r\n--x y--", FORM, "does not end there"),
        (b"nothing", FORM, "does not hold the boundary"),
        (b"\n--x y--", FORM, "does not hold the boundary"),
        (form(), b"multipart/form-data", "no usable boundary"),
        (form(), b"multipart/form-data; boundary=", "no usable boundary"),
        (form(), b'multipart/form-data; boundary="x\r\ny"', "no usable boundary"),
        (form(), b'multipart/form-data; boundary="' + b"x" * 71 + b'"', "no usable boundary"),
        (form(*[LANGUAGE] * PARTS_MAX), FORM, f"more than {PARTS_MAX}"),
    ],
)
def test_a_form_that_two_readers_could_read_differently_is_refused(body: bytes, content_type: bytes, words: str) -> None:
    error = refusal(Surface.AUDIO, body, content_type)
    assert (error.status, error.code, error.param) == (400, "invalid_multipart", "model")
    assert words in error.message
