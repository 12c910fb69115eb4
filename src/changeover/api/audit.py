"""Who did what, when, why, and what did it move? The log with its proof that nothing of it was changed afterwards."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from changeover.api.audit_answers import AuditAnswer, AuditCheck, LinksAnswer
from changeover.api.bodies import seconds, whole_number
from changeover.api.desk import desk_of
from changeover.api.errors import answer, bad_request
from changeover.api.reading import task_named
from changeover.ports.office import Office
from changeover.ports.store import Store, StoreError
from changeover.rollout.audit_chain import Head, Link, chain_faults
from changeover.rollout.audit_entry import AuditEntry, entries

PAGE: Final = 1000
SHOWN_DEFAULT: Final = 50
SHOWN_MAX: Final = 10_000
REVISION_MAX: Final = 2**53
_TIME_MAX: Final = 1e11


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries: of one task, by one actor, between two moments (Unix seconds); the newest ``limit``."""

    task: str | None
    actor: str | None
    since: float
    until: float
    limit: int

    def wants(self, entry: AuditEntry) -> bool:
        return self.since <= entry.at < self.until and self.task in (None, entry.task) and self.actor in (None, entry.actor)


async def ls(request: Request) -> Response:
    """The newest entries that were asked for; ``last`` is how many seconds back, in place of ``since``.

    A task that was removed has its entries still; one that has none, and is not there, is refused with the names there are.
    """
    desk = desk_of(request)
    first = desk.clock.now() - seconds(request, "last", default=0.0, most=_TIME_MAX) if "last" in request.query_params else 0.0
    asked = Asked(
        task=request.query_params.get("task"),
        actor=request.query_params.get("actor"),
        since=seconds(request, "since", default=max(first, 0.0), most=_TIME_MAX),
        until=seconds(request, "until", default=_TIME_MAX, most=_TIME_MAX),
        limit=max(1, whole_number(request, "limit", default=SHOWN_DEFAULT, most=SHOWN_MAX)),
    )
    found, head = await _whole_log(desk.office)
    chosen = await asyncio.to_thread(_chosen, found, head, asked)
    if asked.task is not None and not chosen.entries:
        task_named(await desk.office.read(lambda store: store.world()), asked.task)
    return answer(chosen)


async def links(request: Request) -> Response:
    """A page of the log, as it is stored."""
    after = whole_number(request, "after", default=0, most=REVISION_MAX)
    limit = max(1, whole_number(request, "limit", default=PAGE, most=PAGE))
    page, head = await desk_of(request).office.read(lambda store: (tuple(store.links(after=after, limit=limit)), store.head()))
    return answer(LinksAnswer(links=page, next=page[-1].revision if page else after, head=head))


async def verification(request: Request) -> Response:
    """Check every link, and that ``anchors`` (``REVISION:HASH``, with commas between) still lie on the chain. What is found is an
    answer, not an error.
    """
    anchors = [_anchor(text) for text in request.query_params.get("anchors", "").split(",") if text]
    found, head = await _whole_log(desk_of(request).office)
    faults = await asyncio.to_thread(lambda: tuple(chain_faults(found, head=head, anchors=anchors)))
    return answer(AuditCheck(ok=not faults, checked=len(found), head=head, faults=faults))


def _chosen(found: Sequence[Link], head: Head, asked: Asked) -> AuditAnswer:
    """Replays the log from its beginning: what a change moved is seen, not remembered."""
    kept: deque[AuditEntry] = deque(maxlen=asked.limit + 1)
    try:
        kept.extend(entry for entry in entries(found) if asked.wants(entry))
    except (msgspec.DecodeError, ValueError, KeyError) as error:
        raise StoreError(f"the log cannot be replayed: {error}; see what is wrong with it: changeover audit verify") from error
    shown = tuple(kept)[-asked.limit :]
    return AuditAnswer(entries=shown, more=len(kept) > asked.limit, head=head)


async def _whole_log(office: Office) -> tuple[list[Link], Head]:
    """All of the log, in pages so that nobody waits long, up to the head at this moment or a little beyond."""
    found: list[Link] = []
    while True:
        after = found[-1].revision if found else 0
        page, head = await office.read(lambda store, after=after: _page(store, after))
        found += page
        if len(page) < PAGE:
            return found, head


def _page(store: Store, after: int) -> tuple[Sequence[Link], Head]:
    return store.links(after=after, limit=PAGE), store.head()


def _anchor(text: str) -> Head:
    revision, _, tied = text.partition(":")
    if not revision.isdigit() or not tied:
        raise bad_request(f"anchors: found {text!r}, expected REVISION:HASH", hint="as printed by: changeover audit verify")
    return Head(revision=int(revision), hash=tied)


ROUTES: Final = (
    Route("/api/v1/audit", ls, methods=["GET"]),
    Route("/api/v1/audit/links", links, methods=["GET"]),
    Route("/api/v1/audit/verification", verification, methods=["GET"]),
)
