"""How does a caller learn how far a long call has come? Line by line where it wants that, else in one answer at the end."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from changeover.api.bodies import NDJSON
from changeover.api.lines import EndLine, Line, ProgressLine
from changeover.ports.probing import Progress, Tell

STILL_THERE_S: Final = 5.0
"""A line goes out at least this often."""

Work = Callable[[Request, Tell], Awaitable[Response]]


async def followed(request: Request, work: Work) -> Response:
    """The answer of ``work``. A caller that accepts ``application/x-ndjson`` gets a line for every progress that is told,
    and the answer in the last one; if nothing is told the answer comes as ever. When the caller leaves, ``work`` is stopped.
    """
    if NDJSON not in request.headers.get("accept", ""):
        return await work(request, lambda _: None)
    told: asyncio.Queue[Progress] = asyncio.Queue()
    task = asyncio.ensure_future(work(request, told.put_nowait))
    try:
        first = await _next(told, task, wait_s=None)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if first is None:
        return await task
    return StreamingResponse(_lines(request, first, told, task), media_type=NDJSON)


async def _lines(
    request: Request, first: Progress, told: "asyncio.Queue[Progress]", task: "asyncio.Future[Response]"
) -> AsyncGenerator[bytes]:
    last: Progress | None = first
    try:
        while last is not None:
            yield _line(ProgressLine(sent=last.sent, text=last.text))
            last = await _next(told, task, wait_s=STILL_THERE_S, meanwhile=last)
        response = await _settled(request, task)
        yield _line(EndLine(status=response.status_code, body=msgspec.Raw(bytes(response.body) or b"null")))
    finally:
        task.cancel()


async def _next(
    told: "asyncio.Queue[Progress]", task: "asyncio.Future[Response]", *, wait_s: float | None, meanwhile: Progress | None = None
) -> Progress | None:
    """What is told next; ``None`` when the work is done and nothing is left to tell, ``meanwhile`` after ``wait_s``."""
    waiting = asyncio.ensure_future(told.get())
    try:
        await asyncio.wait({waiting, task}, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        return None if task.done() else meanwhile
    finally:
        waiting.cancel()


async def _settled(request: Request, task: "asyncio.Future[Response]") -> Response:
    """The response, or what the app makes of the error: it is too late for the app to do so itself."""
    await asyncio.wait({task})
    error = task.exception()
    if error is None:
        return task.result()
    if not isinstance(error, Exception):
        raise error
    handlers = request.app.exception_handlers
    handler = next(handlers[kind] for kind in type(error).__mro__ if kind in handlers)
    answered = await handler(request, error)
    assert isinstance(answered, Response)
    return answered


def _line(line: Line) -> bytes:
    return msgspec.json.encode(line) + b"\n"
