"""How does an Azure OpenAI resource say no? Status, body and headers of each refusal, as observed or, where unknown, in the same form."""

from typing import Final

import msgspec

Json = dict[str, object]

RETRY_AFTER_MS: Final = 1000
_INVALID: Final = "invalid_request_error"


class RefusalError(Exception):
    """The request is answered with ``status`` and an error body; ``more`` are fields of the error beside the usual ones."""

    def __init__(
        self, status: int, *, code: str | None, message: str, kind: str | None = None, param: str | None = None, more: Json | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.kind = kind
        self.param = param
        self.more = more
        self.headers: dict[str, str] = {}

    def error(self) -> Json:
        """The error object. Errors of the model carry four fields, ``null`` or not; those of the resource carry two."""
        if self.more is not None:
            return {"message": str(self), "type": self.kind, "param": self.param, "code": self.code, **self.more}
        if self.kind is not None:
            return {"message": str(self), "type": self.kind, "param": self.param, "code": self.code}
        return {"code": self.code, "message": str(self)}

    def body(self) -> bytes:
        return msgspec.json.encode({"error": self.error()})


def unauthorised() -> RefusalError:
    return RefusalError(
        401,
        code="401",
        message="Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active "
        "subscription and use a correct regional API endpoint for your resource.",
    )


def no_such_path() -> RefusalError:
    return RefusalError(404, code="404", message="Resource not found")


def no_such_deployment() -> RefusalError:
    return RefusalError(
        404,
        code="DeploymentNotFound",
        message="The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please "
        "wait a moment and try again.",
    )


def malformed(message: str, *, param: str | None = None, code: str | None = None) -> RefusalError:
    return RefusalError(400, code=code, message=message, kind=_INVALID, param=param)


def no_such_thing(message: str, *, param: str | None = None) -> RefusalError:
    """404 for a model, file or response that the caller named."""
    return RefusalError(404, code=None, message=message, kind=_INVALID, param=param)


def no_previous_response(response_id: str) -> RefusalError:
    message = f"Previous response with id '{response_id}' not found."
    return malformed(message, param="previous_response_id", code="previous_response_not_found")


def unsupported_parameter(name: str, *, instead: str | None = None, code: str | None = "unsupported_parameter") -> RefusalError:
    hint = f" Use '{instead}' instead." if instead else ""
    return malformed(f"Unsupported parameter: '{name}' is not supported with this model.{hint}", param=name, code=code)


def unsupported_value(name: str, value: object, *, default: object) -> RefusalError:
    shown = msgspec.json.encode(value).decode()
    message = f"Unsupported value: '{name}' does not support {shown} with this model. Only the default ({default}) value is supported."
    return malformed(message, param=name, code="unsupported_value")


def unrecognised_argument(name: str) -> RefusalError:
    return malformed(f"Unrecognized request argument supplied: {name}")


def wrong_operation(operation: str, *, model: str) -> RefusalError:
    """Also what some retired deployments have answered instead of 410."""
    return RefusalError(
        400,
        code="OperationNotSupported",
        message=f"The {operation} operation does not work with the specified model, {model}. Please choose different model and try again. "
        "You can learn more about which models can be used with each operation here: https://go.microsoft.com/fwlink/?linkid=2197993.",
    )


def filtered_prompt(results: Json) -> RefusalError:
    return RefusalError(
        400,
        code="content_filter",
        message="The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your "
        "prompt and retry. To learn more about our content filtering policies please read our documentation: "
        "https://go.microsoft.com/fwlink/?linkid=2198766",
        param="prompt",
        more={"status": 400, "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": results}},
    )


def too_large(bytes_max: int) -> RefusalError:
    return RefusalError(413, code="RequestEntityTooLarge", message=f"The request body is larger than {bytes_max} bytes.")


def retired() -> RefusalError:
    return RefusalError(
        410,
        code="ModelDeprecated",
        message="The model associated with the deployment is deprecated and no longer available for use. Please refer to the Azure OpenAI "
        "service documentation for more information.",
    )


def paused() -> RefusalError:
    """The status is documented, the body is not."""
    return RefusalError(423, code="DeploymentPaused", message="The deployment is paused.")


def limited(retry_after_ms: int | None = None, *, retry_after: str | None = None) -> RefusalError:
    """429. Where only the milliseconds are given, the seconds go along, rounded up; where nothing is given, one second."""
    if retry_after_ms is None and retry_after is None:
        retry_after_ms = RETRY_AFTER_MS
    headers = _patience(retry_after_ms, retry_after)
    refusal = RefusalError(
        429,
        code="RateLimitReached",
        message="Requests to the ChatCompletions_Create Operation have exceeded the call rate limit of your current pricing tier. "
        f"Please retry after {headers['retry-after']} seconds.",
    )
    refusal.headers = headers
    return refusal


def failing() -> RefusalError:
    return RefusalError(
        500,
        code="InternalServerError",
        message="The server had an error while processing your request. Sorry about that!",
        kind="server_error",
    )


def unavailable(retry_after_ms: int | None = None, *, retry_after: str | None = None) -> RefusalError:
    refusal = RefusalError(
        503, code="ServiceUnavailable", message="The service is temporarily unable to process your request. Please try again later."
    )
    refusal.headers = _patience(retry_after_ms, retry_after)
    return refusal


def _patience(retry_after_ms: int | None, retry_after: str | None) -> dict[str, str]:
    headers: dict[str, str] = {}
    if retry_after is None and retry_after_ms is not None:
        retry_after = str(max(1, -(-retry_after_ms // 1000)))
    if retry_after is not None:
        headers["retry-after"] = retry_after
    if retry_after_ms is not None:
        headers["retry-after-ms"] = str(retry_after_ms)
    return headers
