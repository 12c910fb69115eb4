"""How does somebody hear of every change as it comes? Server-Sent Events over the log, which may be taken up anywhere."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from changeover.api.answers import EventView
from changeover.api.bodies import whole_number
from changeover.api.closing import closing_of
from changeover.api.desk import desk_of
from changeover.api.reading import EVENTS_MAX, REVISION_MAX, events_page, task_named

EVENT_STREAM: Final = "text/event-stream"
LOOK_EVERY_S: Final = 0.25
"""The log is asked this often: another control plane may have written to it, which rings no bell here."""
STILL_THERE_S: Final = 2.0
"""A comment goes out at least this often, so that whoever listens knows a quiet log from a dead server."""

_STILL_THERE: Final = b": still there\n\n"
_NO_BUFFERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}


async def event_stream(request: Request) -> Response:
    """Events after the revision ``after``, or after that in ``Last-Event-ID``, of ``task`` (and those about all tasks)."""
    last = request.headers.get("last-event-id", "")
    default = int(last[:15]) if last.isascii() and last.isdigit() else 0
    after = whole_number(request, "after", default=default, most=REVISION_MAX)
    task = request.query_params.get("task")
    if task is not None:
        task_named(await desk_of(request).office.read(lambda store: store.world()), task)
    return StreamingResponse(_events(request, after=after, task=task), media_type=EVENT_STREAM, headers=_NO_BUFFERS)


async def _events(request: Request, *, after: int, task: str | None) -> AsyncGenerator[bytes]:
    """Until the caller leaves or the server is about to stop."""
    office, closing, loop = desk_of(request).office, closing_of(request.app), asyncio.get_running_loop()
    told_at = float("-inf")
    while not closing.is_set():
        page = await office.read(lambda store, after=after: events_page(store, after=after, limit=EVENTS_MAX, task=task))
        after = page.next
        if page.events:
            yield b"".join(map(_event, page.events))
            told_at = loop.time()
            continue
        if loop.time() - told_at >= STILL_THERE_S:
            yield _STILL_THERE
            told_at = loop.time()
        try:
            await asyncio.wait_for(closing.wait(), LOOK_EVERY_S)
        except TimeoutError:
            continue


def _event(event: EventView) -> bytes:
    kind = type(event.change).__struct_config__.tag
    return b"id: %d\nevent: %s\ndata: %b\n\n" % (event.revision, str(kind).encode(), msgspec.json.encode(event))


ROUTES: Final = (Route("/api/v1/events/stream", event_stream, methods=["GET"]),)
