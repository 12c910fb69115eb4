"""What does a caller learn when something cannot be done? One shape for every error; never a stack trace."""

from collections.abc import Sequence

import msgspec
from starlette.responses import Response

from changeover.api.problem import ErrorBody, Problem
from changeover.settings.declared import Fault


class ApiError(Exception):
    """An answer that is no success. Raised anywhere below a handler, turned into a response once."""

    def __init__(self, status: int, problem: Problem, *, new: int | None = None) -> None:
        super().__init__(problem.message)
        self.status = status
        self.body = ErrorBody(error=problem, new=new)


def bad_request(message: str, *, hint: str) -> ApiError:
    return ApiError(400, Problem(code="bad_request", message=message, hint=hint))


def not_found(message: str, *, hint: str) -> ApiError:
    return ApiError(404, Problem(code="not_found", message=message, hint=hint))


def invalid(message: str, *, hint: str, faults: Sequence[Fault] = ()) -> ApiError:
    return ApiError(422, Problem(code="invalid", message=message, hint=hint, faults=tuple(faults)))


def answer(body: object, *, status: int = 200) -> Response:
    """Any value of ours as a JSON response."""
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json")


def error_answer(error: ApiError) -> Response:
    response = answer(error.body, status=error.status)
    if error.status == 401:
        response.headers["www-authenticate"] = 'Bearer realm="changeover"'
    return response
