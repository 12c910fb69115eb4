"""Every known way in which a provider does not answer has its class, and an unknown one never looks like an answer."""

import json
from typing import Any

import pytest

from changeover.wire.failure import RETRY_AFTER_S_MAX, Failure, FailureKind, classify, retry_after_s

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
MAX_TOKENS = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
TEMPERATURE = "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported."
RETIRED = "The model associated with the deployment is deprecated and no longer available for use."
OLD_RETIRED = (
    "The chatCompletion operation does not work with the specified model, gpt-35-turbo. Please choose different model and try again."
)
NOT_FOUND = (
    "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment."
)
FILTERED = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {"hate": {"filtered": True, "severity": "high"}}}


def error(code: object = None, message: object = "x", **parts: object) -> dict[str, object]:
    return {"error": {"code": code, "message": message, **parts}}


def kind(status: int, body: object, headers: dict[bytes, bytes] | None = None) -> Failure:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return classify(status, content, headers or {}, now=NOW)


@pytest.mark.parametrize(
    ("status", "body", "wanted"),
    [
        (200, {"choices": [], "error": None}, FailureKind.ANSWER),
        (200, {"object": "response", "error": {}, "status": "completed"}, FailureKind.ANSWER),
        (204, b"", FailureKind.ANSWER),
        (200, b"\x00audio", FailureKind.ANSWER),
        (400, error("content_filter", innererror=FILTERED), FailureKind.CONTENT_FILTER),
        (400, error(None, innererror=FILTERED), FailureKind.CONTENT_FILTER),
        (400, error("unsupported_parameter", param="max_tokens"), FailureKind.UNSUPPORTED_PARAMETER),
        (400, error("unsupported_value", TEMPERATURE), FailureKind.UNSUPPORTED_PARAMETER),
        (400, error(None, MAX_TOKENS, type="invalid_request_error"), FailureKind.UNSUPPORTED_PARAMETER),
        (400, error("unknown_parameter", "Unknown parameter: 'frob'."), FailureKind.UNSUPPORTED_PARAMETER),
        (400, error(None, "Unrecognized request argument supplied: logprobs"), FailureKind.UNSUPPORTED_PARAMETER),
        (422, error(None, MAX_TOKENS), FailureKind.UNSUPPORTED_PARAMETER),
        (400, error("OperationNotSupported", OLD_RETIRED), FailureKind.RETIRED),
        (400, error(None, OLD_RETIRED), FailureKind.RETIRED),
        (400, error("OperationNotSupported", OLD_RETIRED.replace("chatCompletion", "embeddings")), FailureKind.CALLER_FAULT),
        (400, error("ModelDeprecated"), FailureKind.RETIRED),
        (400, error("context_length_exceeded", "too long", type="invalid_request_error"), FailureKind.CALLER_FAULT),
        (400, error("invalid_value", "Invalid 'x'", param="x"), FailureKind.CALLER_FAULT),
        (400, b"<html>", FailureKind.CALLER_FAULT),
        (401, error("401", "Access denied due to invalid subscription key."), FailureKind.AUTH),
        (403, b"", FailureKind.AUTH),
        (404, error("DeploymentNotFound", NOT_FOUND), FailureKind.MISSING),
        (404, error("404", "Resource not found"), FailureKind.MISSING),
        (404, error(404, "Resource not found"), FailureKind.MISSING),
        (404, error("model_not_found", "The model `x` does not exist", type="invalid_request_error"), FailureKind.MISSING),
        (404, error("model_not_found", "The model `x` has been deprecated", type="invalid_request_error"), FailureKind.RETIRED),
        (404, {"type": "error", "error": {"type": "not_found_error", "message": "model: x"}}, FailureKind.MISSING),
        (404, b"nginx", FailureKind.MISSING),
        (404, {"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError", "code": 404}, FailureKind.MISSING),
        (400, {"code": "unsupported_parameter", "message": MAX_TOKENS}, FailureKind.UNSUPPORTED_PARAMETER),
        (200, {"code": "print(1)", "message": "a passing answer may have any key"}, FailureKind.ANSWER),
        (200, {"object": "error", "message": "x", "code": 500}, FailureKind.PROVIDER_FAULT),
        (404, error(None, "Response with id 'resp_1' not found.", type="invalid_request_error"), FailureKind.CALLER_FAULT),
        (408, b"", FailureKind.PROVIDER_FAULT),
        (409, error("conflict"), FailureKind.CALLER_FAULT),
        (410, error("ModelDeprecated", RETIRED), FailureKind.RETIRED),
        (410, b"", FailureKind.RETIRED),
        (413, b"", FailureKind.CALLER_FAULT),
        (423, error("DeploymentPaused"), FailureKind.PAUSED),
        (423, b"", FailureKind.PAUSED),
        (424, b"", FailureKind.NOT_READY),
        (425, b"", FailureKind.NOT_READY),
        (429, error("429"), FailureKind.LIMITED),
        (429, error("RateLimitReached"), FailureKind.LIMITED),
        (429, b"", FailureKind.LIMITED),
        (429, error("insufficient_quota"), FailureKind.LIMITED),
        (500, error("content_filter"), FailureKind.PROVIDER_FAULT),
        (500, error("DeploymentNotFound"), FailureKind.PROVIDER_FAULT),
        (500, b"", FailureKind.PROVIDER_FAULT),
        (503, error("ModelNotReady"), FailureKind.NOT_READY),
        (503, error("ServiceUnavailable"), FailureKind.PROVIDER_FAULT),
        (529, error("overloaded_error"), FailureKind.PROVIDER_FAULT),
        (301, b"", FailureKind.PROVIDER_FAULT),
        (101, b"", FailureKind.PROVIDER_FAULT),
    ],
)
def test_an_answer_has_its_class(status: int, body: object, wanted: FailureKind) -> None:
    assert kind(status, body).kind is wanted


@pytest.mark.parametrize(
    ("body", "wanted", "code"),
    [
        (error("server_error"), FailureKind.PROVIDER_FAULT, "server_error"),
        (error("rate_limit_exceeded"), FailureKind.LIMITED, "rate_limit_exceeded"),
        (error(None, "overloaded"), FailureKind.PROVIDER_FAULT, None),
        (error("content_filter"), FailureKind.CONTENT_FILTER, "content_filter"),
        (error("x", "bad", type="invalid_request_error"), FailureKind.CALLER_FAULT, "x"),
        ({"error": "broken"}, FailureKind.PROVIDER_FAULT, None),
        ({"error": 3}, FailureKind.PROVIDER_FAULT, None),
        ({"object": "response", "status": "failed", **error("server_error")}, FailureKind.PROVIDER_FAULT, "server_error"),
        ({"type": "response.failed", "response": error("rate_limit_exceeded")}, FailureKind.LIMITED, "rate_limit_exceeded"),
        ({"type": "error", "code": "server_error", "message": "x", "param": None}, FailureKind.PROVIDER_FAULT, "server_error"),
        ({"type": "error", "error": {"type": "overloaded_error"}}, FailureKind.PROVIDER_FAULT, "overloaded_error"),
        ({"type": "error", "code": "unsupported_value", "param": "top_p"}, FailureKind.UNSUPPORTED_PARAMETER, "unsupported_value"),
    ],
)
def test_an_error_inside_an_ok_or_a_stream_is_no_answer(body: dict[str, Any], wanted: FailureKind, code: str | None) -> None:
    found = kind(200, body)
    assert (found.kind, found.code) == (wanted, code)


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        (error("unsupported_parameter", MAX_TOKENS, param="max_tokens"), "max_tokens"),
        (error("unsupported_parameter", MAX_TOKENS), "max_tokens"),
        (error("unsupported_value", TEMPERATURE, param=None), "temperature"),
        (error(None, "Unrecognized request arguments supplied: logprobs, top_logprobs"), "logprobs"),
        (error("unknown_parameter", "Unknown parameter: 'a.b[0]'."), "a.b[0]"),
        (error("unsupported_parameter", "no"), None),
    ],
)
def test_an_unsupported_parameter_is_named_with_the_providers_words(body: dict[str, Any], parameter: str | None) -> None:
    found = kind(400, body)
    assert (found.kind, found.parameter, found.message) == (FailureKind.UNSUPPORTED_PARAMETER, parameter, body["error"]["message"])


def test_only_an_unsupported_parameter_is_named() -> None:
    assert kind(400, error("invalid_value", "x", param="top_p")).parameter is None


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({b"retry-after": b"7"}, 7.0),
        ({b"retry-after": b"0"}, 0.0),
        ({b"retry-after": b"1.5"}, 1.5),
        ({b"retry-after": b"-3"}, 0.0),
        ({b"retry-after": b"999999999"}, RETRY_AFTER_S_MAX),
        ({b"retry-after-ms": b"250"}, 0.25),
        ({b"retry-after-ms": b"250", b"retry-after": b"7"}, 0.25),
        ({b"retry-after-ms": b"soon", b"retry-after": b"7"}, 7.0),
        ({b"x-ms-retry-after-ms": b"1500", b"retry-after": b"7"}, 1.5),
        ({b"retry-after": b"Tue, 14 Nov 2023 22:13:50 GMT"}, 30.0),
        ({b"retry-after": b"Tue, 14 Nov 2023 22:13:50 -0000"}, 30.0),
        ({b"retry-after": b"Tue, 14 Nov 2023 22:00:00 GMT"}, 0.0),
        ({b"retry-after": b"Wed, 14 Nov 2123 22:00:00 GMT"}, RETRY_AFTER_S_MAX),
        ({b"retry-after": b"nan"}, None),
        ({b"retry-after": b"inf"}, None),
        ({b"retry-after": b"1e999"}, None),
        ({b"retry-after": b"soon"}, None),
        ({b"retry-after": b"\xff"}, None),
        ({b"retry-after": b"Tue, 99 Nov 99999 22:13:50 GMT"}, None),
    ],
)
def test_the_provider_says_for_how_long_it_wants_to_be_left_alone(headers: dict[bytes, bytes], wait_s: float | None) -> None:
    assert retry_after_s(headers, now=NOW) == wait_s
    assert kind(429, b"", headers).retry_after_s == wait_s
    assert kind(503, b"", headers).retry_after_s == wait_s
