"""What a whole message says of itself, and what its provider's errors and ours mean."""

import json
from typing import Any

import msgspec
import pytest

from changeover.versions import RequestSettings
from changeover.versions.dialect import Dialect
from changeover.wire.failure import FailureKind, classify
from changeover.wire.filters import FilterEvent
from changeover.wire.listing import model_body, models_body
from changeover.wire.message_errors import message_error_body
from changeover.wire.messages import read_message
from changeover.wire.readers import reply_reader
from changeover.wire.reply import ReplyFacts, Usage
from changeover.wire.request import read_request, rewrite_request
from changeover.wire.surface import Surface
from tests.unit.wire.message_streams import MODEL, REFUSED, START_USAGE


def message(**parts: Any) -> bytes:
    whole = {"id": "msg_1", "type": "message", "role": "assistant", "model": MODEL, "content": [{"type": "text", "text": "Yes."}]}
    return json.dumps({**whole, "stop_reason": "end_turn", "usage": {**START_USAGE, "output_tokens": 15}, **parts}).encode()


def error(kind: str, said: str = "m") -> bytes:
    return json.dumps({"type": "error", "error": {"type": kind, "message": said}, "request_id": "req_1"}).encode()


def read(body: bytes) -> ReplyFacts:
    facts = read_message(body)
    assert facts is not None
    return facts


def test_a_message_tells_its_model_end_and_usage() -> None:
    tokens = Usage(prompt=127, completion=15, cached=100, written=7, written_1h=3)
    assert read(message()) == ReplyFacts(model=MODEL, finish_reason="end_turn", filtered=False, tokens=tokens)
    assert reply_reader(Surface.MESSAGES)(message()) == read(message())


def test_the_prompt_is_all_that_went_in_and_what_is_not_said_is_not_known() -> None:
    assert read(message(usage={"input_tokens": 5, "output_tokens": 2})).tokens == Usage(prompt=5, completion=2)
    assert read(message(usage={"output_tokens": 2})).tokens == Usage(completion=2)
    for usage in (None, {}, "many", {"input_tokens": "x"}):
        assert read(message(usage=usage)).tokens is None


def test_a_part_of_an_unexpected_type_hides_no_other() -> None:
    facts = read(message(stop_reason=7, usage={"input_tokens": 5, "output_tokens": "x", "cache_read_input_tokens": 2}))
    assert (facts.model, facts.finish_reason, facts.tokens) == (MODEL, None, Usage(prompt=7, cached=2))
    assert read(message(model=["x"])).finish_reason == "end_turn"


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b"\xff", b'"message"', b"[" * 3000])
def test_what_is_no_object_has_no_facts(body: bytes) -> None:
    assert read_message(body) is None


@pytest.mark.parametrize(("details", "category"), [(REFUSED, "cyber"), (None, "refusal"), ({"category": None}, "refusal")])
def test_a_refusal_is_a_filter_that_acted(details: object, category: str) -> None:
    facts = read(message(stop_reason="refusal", stop_details=details))
    assert (facts.filtered, facts.finish_reason, facts.error) == (True, "refusal", None)
    assert facts.filters == (FilterEvent(side="completion", category=category, filtered=True),)


def test_an_error_tells_its_type() -> None:
    assert read(error("overloaded_error")) == ReplyFacts(error="overloaded_error")
    blocked = read(error("invalid_request_error", "Output blocked by content filtering policy"))
    assert (blocked.error, blocked.filtered) == ("content_filter", True)


@pytest.mark.parametrize(
    ("status", "body", "kind", "parameter"),
    [
        (529, error("overloaded_error", "Overloaded"), FailureKind.PROVIDER_FAULT, None),
        (500, error("api_error", "Internal server error"), FailureKind.PROVIDER_FAULT, None),
        (504, error("timeout_error"), FailureKind.PROVIDER_FAULT, None),
        (429, error("rate_limit_error"), FailureKind.LIMITED, None),
        (400, error("invalid_request_error", "Your credit balance is too low to access the Anthropic API."), FailureKind.LIMITED, None),
        (401, error("authentication_error", "invalid x-api-key"), FailureKind.AUTH, None),
        (402, error("billing_error"), FailureKind.AUTH, None),
        (403, error("permission_error"), FailureKind.AUTH, None),
        (404, error("not_found_error", "model: claude-2.1"), FailureKind.MISSING, None),
        (404, error("not_found_error", "model: claude-2.1 was retired"), FailureKind.RETIRED, None),
        (404, error("not_found_error", "File not found: file_1"), FailureKind.CALLER_FAULT, None),
        (404, error("not_found_error", "Message batch msgbatch_1 not found"), FailureKind.CALLER_FAULT, None),
        (413, error("request_too_large"), FailureKind.CALLER_FAULT, None),
        (400, error("invalid_request_error", "messages: at least one message is required"), FailureKind.CALLER_FAULT, None),
        (400, error("invalid_request_error", "prompt is too long: 2 tokens > 1 maximum"), FailureKind.CALLER_FAULT, None),
        (400, error("invalid_request_error", "Output blocked by content filtering policy"), FailureKind.CONTENT_FILTER, None),
        (400, error("invalid_request_error", "foo: Extra inputs are not permitted"), FailureKind.UNSUPPORTED_PARAMETER, "foo"),
        (
            400,
            error("invalid_request_error", "`temperature` is deprecated for this model."),
            FailureKind.UNSUPPORTED_PARAMETER,
            "temperature",
        ),
        (
            400,
            error("invalid_request_error", "`temperature` and `top_p` cannot both be specified for this model. Please use only one."),
            FailureKind.UNSUPPORTED_PARAMETER,
            "temperature",
        ),
        (
            400,
            error("invalid_request_error", '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive".'),
            FailureKind.UNSUPPORTED_PARAMETER,
            "thinking.type.enabled",
        ),
        (
            400,
            error("invalid_request_error", "This model does not support the effort parameter."),
            FailureKind.UNSUPPORTED_PARAMETER,
            "effort",
        ),
        (
            400,
            error("invalid_request_error", "adaptive thinking is not supported on this model"),
            FailureKind.UNSUPPORTED_PARAMETER,
            None,
        ),
        (
            400,
            error("invalid_request_error", "This model does not support assistant message prefill."),
            FailureKind.UNSUPPORTED_PARAMETER,
            None,
        ),
        (
            400,
            error("invalid_request_error", "max_tokens: 100000 > 8192, which is the maximum allowed number of output tokens for x"),
            FailureKind.UNSUPPORTED_PARAMETER,
            "max_tokens",
        ),
    ],
)
def test_the_providers_errors_are_classed(status: int, body: bytes, kind: FailureKind, parameter: str | None) -> None:
    failure = classify(status, body, {}, now=0.0)
    assert (failure.kind, failure.parameter) == (kind, parameter)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (405, "invalid_request_error"),
        (413, "request_too_large"),
        (502, "api_error"),
        (503, "api_error"),
        (504, "timeout_error"),
    ],
)
def test_our_own_errors_have_the_types_of_the_api_and_keep_our_code(status: int, kind: str) -> None:
    body = msgspec.json.decode(message_error_body("why", status=status, code="our_code"))
    assert body == {"type": "error", "error": {"type": kind, "message": "why", "details": {"error_code": "our_code"}}}


BODY = b'{"max_tokens":1.0e2,"system":%b,"messages":[{"role":"user","content":"\\u00e9"}],"model":"mail","stream":true}'


def sent(system: bytes, mode: str) -> dict[str, Any]:
    settings = RequestSettings(
        rename={"max_tokens": "max_tokens_to_sample"}, drop=("top_k",), set={"effort": "low"}, system_prompt="Be brief.",
        system_prompt_mode=mode,  # pyright: ignore[reportArgumentType]
    )  # fmt: skip
    request = read_request(Surface.MESSAGES, BODY % system)
    assert (request.model, request.stream, request.hides_usage) == ("mail", True, False)
    body = rewrite_request(request, model=MODEL, settings=settings)
    assert b'"max_tokens_to_sample":1.0e2' in body
    assert b'[{"role":"user","content":"\\u00e9"}]' in body
    return msgspec.json.decode(body)


@pytest.mark.parametrize("system", [b'"Be kind."', b'[{"type":"text","text":"Be kind."}]', b"null"])
def test_a_system_prompt_replaces_the_callers(system: bytes) -> None:
    fields = sent(system, "replace")
    assert (fields["system"], fields["model"], fields["effort"]) == ("Be brief.", MODEL, "low")


def test_a_system_prompt_stands_before_the_callers() -> None:
    assert sent(b'"Be kind."', "prepend")["system"] == "Be brief.\n\nBe kind."
    assert sent(b"null", "prepend")["system"] == "Be brief."
    block = {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}
    assert sent(json.dumps([block]).encode(), "prepend")["system"] == [{"type": "text", "text": "Be brief."}, block]


def test_a_stream_is_not_asked_for_its_usage_and_without_settings_only_the_model_changes() -> None:
    body = b'{"max_tokens":5,"stream":true,"model":"mail","messages":[]}'
    request = read_request(Surface.MESSAGES, body)
    assert rewrite_request(request, model=MODEL) == body.replace(b"mail", MODEL.encode())
    assert rewrite_request(request, model=None) is body


def test_models_are_listed_as_the_api_lists_them() -> None:
    listed = msgspec.json.decode(models_body(["a", "b"], 0, Dialect.ANTHROPIC))
    assert (listed["first_id"], listed["last_id"], listed["has_more"]) == ("a", "b", False)
    assert listed["data"][0] == msgspec.json.decode(model_body("a", 0, Dialect.ANTHROPIC))
    assert listed["data"][0]["created_at"] == "1970-01-01T00:00:00Z"
    assert msgspec.json.decode(models_body([], 0, Dialect.ANTHROPIC))["first_id"] is None
