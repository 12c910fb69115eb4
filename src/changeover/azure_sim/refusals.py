"""How does an Azure OpenAI resource say no? Status, body and headers of each refusal, as observed or, where unknown, in the same form."""

from typing import Final

import msgspec

RETRY_AFTER_MS: Final = 1000


class RefusalError(Exception):
    """The request is answered with ``status`` and an error body."""

    def __init__(self, status: int, *, code: str | None, message: str, kind: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.kind = kind
        self.param = param
        self.headers: dict[str, str] = {}

    def body(self) -> bytes:
        error: dict[str, str | None] = {"code": self.code, "message": str(self)}
        if self.kind is not None:
            error |= {"type": self.kind, "param": self.param}
        return msgspec.json.encode({"error": error})


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


def malformed(message: str, *, param: str | None = None) -> RefusalError:
    return RefusalError(400, code=None, message=message, kind="invalid_request_error", param=param)


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


def limited(retry_after_ms: int = RETRY_AFTER_MS) -> RefusalError:
    seconds = max(1, -(-retry_after_ms // 1000))
    refusal = RefusalError(
        429,
        code="RateLimitReached",
        message="Requests to the ChatCompletions_Create Operation have exceeded the call rate limit of your current pricing tier. "
        f"Please retry after {seconds} seconds.",
    )
    refusal.headers = {"retry-after": str(seconds), "retry-after-ms": str(retry_after_ms)}
    return refusal


def failing() -> RefusalError:
    return RefusalError(
        500,
        code="InternalServerError",
        message="The server had an error while processing your request. Sorry about that!",
        kind="server_error",
    )
