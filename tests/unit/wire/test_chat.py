"""A chat request is read once, and rewritten without touching what is not ours."""

import json

import pytest

from changeover.wire.request import WireError, read_request, rewrite_request
from changeover.wire.surface import Surface

BODY = b'{"messages":[{"role":"user","content":"caf\\u00e9 \xc3\xa9"}],"temperature":1.0,"seed":12345678901234567890, "model" : "mail"}'


def refusal(body: bytes, *, path_task: str | None = None) -> WireError:
    with pytest.raises(WireError) as caught:
        read_request(Surface.CHAT, body, path_task=path_task)
    return caught.value


def test_model_and_stream_are_read_wherever_they_stand() -> None:
    request = read_request(Surface.CHAT, b'{"messages":[],"stream":true,"model":"mail","stream_options":{"include_usage":true}}')
    assert (request.model, request.stream, request.include_usage) == ("mail", True, True)


def test_a_request_without_stream_is_not_streamed() -> None:
    request = read_request(Surface.CHAT, BODY)
    assert (request.stream, request.include_usage) == (False, False)


@pytest.mark.parametrize("options", [b"null", b"{}", b'{"include_usage":false}', b'"yes"', b"[]", b'{"include_usage":"true"}'])
def test_only_a_true_include_usage_asks_for_usage(options: bytes) -> None:
    assert not read_request(Surface.CHAT, b'{"model":"mail","stream":true,"stream_options":' + options + b"}").include_usage


def test_the_last_of_two_models_counts_and_is_the_only_one_sent() -> None:
    request = read_request(Surface.CHAT, b'{"model":"first","x":1,"model":"mail"}')
    assert request.model == "mail"
    assert rewrite_request(request, model="mail") == b'{"model":"mail","x":1}'


def test_an_escaped_key_is_the_model_too() -> None:
    request = read_request(Surface.CHAT, b'{"model":"first","mod\\u0065l":"mail"}')
    assert request.model == "mail"
    assert rewrite_request(request, model="gpt") == b'{"model":"gpt"}'


def test_every_other_value_keeps_its_bytes() -> None:
    sent = rewrite_request(read_request(Surface.CHAT, BODY), model='gp"t')
    assert sent == (
        b'{"messages":[{"role":"user","content":"caf\\u00e9 \xc3\xa9"}],"temperature":1.0,"seed":12345678901234567890,"model":"gp\\"t"}'
    )


def test_nothing_to_change_sends_the_bytes_as_they_came() -> None:
    assert rewrite_request(read_request(Surface.CHAT, BODY), model=None) is BODY


def test_asking_for_usage_keeps_the_other_stream_options() -> None:
    request = read_request(
        Surface.CHAT, b'{"model":"mail","stream":true,"stream_options":{"include_obfuscation":false,"include_usage":false}}'
    )
    sent = json.loads(rewrite_request(request, model="gpt"))
    assert sent["stream_options"] == {"include_obfuscation": False, "include_usage": True}


@pytest.mark.parametrize("options", [b"", b',"stream_options":null'])
def test_asking_for_usage_adds_missing_stream_options(options: bytes) -> None:
    request = read_request(Surface.CHAT, b'{"model":"mail","stream":true' + options + b"}")
    assert json.loads(rewrite_request(request, model=None))["stream_options"] == {"include_usage": True}


def test_a_caller_that_asks_for_usage_itself_is_left_alone() -> None:
    body = b'{"model":"mail","stream":true,"stream_options":{"include_usage":true}}'
    assert rewrite_request(read_request(Surface.CHAT, body), model=None) is body


def test_stream_options_that_are_no_object_are_left_for_the_provider_to_refuse() -> None:
    request = read_request(Surface.CHAT, b'{"model":"mail","stream":true,"stream_options":[1]}')
    assert rewrite_request(request, model="gpt") == b'{"model":"gpt","stream":true,"stream_options":[1]}'


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (b"", "invalid_json", "empty"),
        (b"{", "invalid_json", "parsed"),
        (b'{"model":"mail"} x', "invalid_json", "parsed"),
        (b'{"model":"mail","x":NaN}', "invalid_json", "parsed"),
        (b'{"model":"mail","x":"\\ud800"}', "invalid_json", "parsed"),
        (b'["model"]', "invalid_json", "not a JSON object"),
        (b"\xef\xbb\xbf" + BODY, "invalid_json", "byte order mark"),
        (b'{"model":"mail","x":"\xff"}', "invalid_encoding", "byte 21"),
        (b'{"model":"mail","x":"\xed\xa0\x80"}', "invalid_encoding", "UTF-8"),
        (b'{"\xff":1,"model":"mail"}', "invalid_encoding", "UTF-8"),
        (b'{"model":"mail","x":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "json_too_deep", "nested"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_the_reason(body: bytes, code: str, words: str) -> None:
    error = refusal(body)
    assert (error.status, error.code, error.param) == (400, code, None)
    assert words in error.message


@pytest.mark.parametrize(
    ("model", "code"),
    [
        (b"", "missing_required_parameter"),
        (b'"model":null', "missing_required_parameter"),
        (b'"model":7', "invalid_type"),
        (b'"model":["mail"]', "invalid_type"),
        (b'"model":""', "invalid_type"),
    ],
)
def test_a_body_must_name_a_model_unless_the_path_does(model: bytes, code: str) -> None:
    body = b"{" + model + b"}"
    error = refusal(body)
    assert (error.status, error.code, error.param) == (400, code, "model")
    assert not read_request(Surface.CHAT, body, path_task="mail").model


def test_a_path_does_not_excuse_broken_json() -> None:
    assert refusal(b"[", path_task="mail").code == "invalid_json"
