"""The data planes' calls: the next table, an acknowledgement, a batch of observations, the shapes of requests, who made a response."""

import asyncio
import re
from collections.abc import Coroutine
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from changeover.api.answers import TakenAnswer
from changeover.api.bodies import read_json, seconds, whole_number
from changeover.api.closing import closing_of
from changeover.api.desk import desk_of
from changeover.api.drifting import answer_seen, seen_in
from changeover.api.errors import ApiError, answer, bad_request
from changeover.api.pricing import priced
from changeover.api.problem import Problem
from changeover.ports.planes import Acknowledgement, ObservationBatch, ShapeReport
from changeover.ports.prices import PriceBook
from changeover.ports.store import Store
from changeover.traffic.table import RoutingTable

WAIT_S_MAX: Final = 30.0
REVISION_MAX: Final = 2**53
_RESPONSE: Final = re.compile("[0-9a-f]{32}")


async def table(request: Request) -> Response:
    """The newest table above ``after`` at once or within ``wait`` seconds; 204 when there is none by then."""
    after = whole_number(request, "after", default=0, most=REVISION_MAX)
    wait_s = seconds(request, "wait", default=0.0, most=WAIT_S_MAX)
    waiting = desk_of(request).office.table_after(after, wait_s=wait_s)
    found = await _or_closing(waiting, closing_of(request.app))
    if found is None:
        await desk_of(request).office.read(lambda store: _refuse_unknown_table(store, after))
        return Response(status_code=204)
    return answer(found)


def _refuse_unknown_table(store: Store, revision: int) -> None:
    """A data plane never goes back. One that serves a table which this store never made would take none of its tables, not the next
    rollback either, and must not count as if it had.

    Raises:
        ApiError: the store is an older one, from a backup.
    """
    newest = store.world().table_revision
    if revision > newest:
        message = (
            f"found a data plane that serves table {revision}, the newest of this store is {newest}: the store was restored from a backup"
        )
        hint = "stop that data plane, remove table.json in its state directory, and start it again"
        raise ApiError(409, Problem(code="conflict", message=message, hint=hint))


async def _or_closing(waiting: Coroutine[Any, Any, RoutingTable | None], closing: asyncio.Event) -> RoutingTable | None:
    """What ``waiting`` brings, or ``None`` as soon as the server is about to stop."""
    poll = asyncio.ensure_future(waiting)
    end = asyncio.ensure_future(closing.wait())
    try:
        await asyncio.wait({poll, end}, return_when=asyncio.FIRST_COMPLETED)
        return poll.result() if poll.done() else None
    finally:
        poll.cancel()
        end.cancel()


async def acknowledge(request: Request) -> Response:
    acknowledgement = await read_json(request, Acknowledgement)
    _check_names(acknowledgement.plane, acknowledgement.boot)
    desk = desk_of(request)
    at = desk.clock.now()

    def keep(store: Store) -> None:
        _refuse_unknown_table(store, acknowledgement.revision)
        store.acknowledge(acknowledgement, at=at)

    await desk.office.read(keep)
    return answer(TakenAnswer(taken=True))


async def observations(request: Request) -> Response:
    batch = await read_json(request, ObservationBatch)
    _check_names(batch.plane, batch.boot)
    if batch.sequence < 1:
        raise bad_request(f"sequence: found {batch.sequence}, expected 1 or more", hint="number the batches of a boot from 1")
    desk = desk_of(request)
    at = desk.clock.now()
    taken, seen = await desk.office.read(lambda store: (store.take(_priced(batch, store, desk.prices), at=at), seen_in(store, batch)))
    await answer_seen(desk, *seen)
    return answer(TakenAnswer(taken=taken))


def _priced(batch: ObservationBatch, store: Store, prices: PriceBook | None) -> ObservationBatch:
    """The batch at the prices of the deployments as they are now; without a price book, as it came."""
    if prices is None or not batch.observations:
        return batch
    world = store.world()
    return priced(batch, deployments=world.deployments, accounts=world.accounts, book=prices)


def _check_names(plane: str, boot: str) -> None:
    if not plane or not boot:
        raise bad_request("found an empty plane or boot", hint="a data plane names itself and its present start")


async def issuer(request: Request) -> Response:
    """Who made the response with the hash ``response``; 204 when nobody knows."""
    response = request.query_params.get("response", "")
    if not _RESPONSE.fullmatch(response):
        raise bad_request("response: found no hash, expected 32 hexadecimal digits", hint="hash the response's id as data planes do")
    found = await desk_of(request).office.read(lambda store: store.issuer(response))
    return Response(status_code=204) if found is None else answer(found)


async def shapes(request: Request) -> Response:
    """What requests look like. Of tasks that are not ours nothing is kept."""
    report = await read_json(request, ShapeReport)
    _check_names(report.plane, report.boot)
    desk = desk_of(request)
    at = desk.clock.now()

    def keep(store: Store) -> None:
        tasks = store.world().tasks
        store.keep_shapes([told for told in report.shapes if told.task in tasks], at=at)

    await desk.office.read(keep)
    return answer(TakenAnswer(taken=True))


ROUTES: Final = (
    Route("/dp/table", table, methods=["GET"]),
    Route("/dp/ack", acknowledge, methods=["POST"]),
    Route("/dp/observations", observations, methods=["POST"]),
    Route("/dp/issuer", issuer, methods=["GET"]),
    Route("/dp/shapes", shapes, methods=["POST"]),
)
