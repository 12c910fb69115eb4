"""What is behind the verdicts, and do they follow from it? A rollout's evidence in one answer, and its check."""

import asyncio
from collections.abc import Iterator
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from changeover.api.desk import desk_of
from changeover.api.errors import answer
from changeover.api.reading import rollout_named
from changeover.gates.streams import streams_for
from changeover.ports.store import Store
from changeover.rollout.evidence_file import EvidenceFile, evidence_file
from changeover.rollout.replay import replayed
from changeover.rollout.world import Change

PAGE: Final = 1000


async def export(request: Request) -> Response:
    """Everything that a verdict of the rollout rests on."""
    name = request.path_params["rollout"]
    return answer(await desk_of(request).office.read(lambda store: _collected(store, name)))


async def verification(request: Request) -> Response:
    """Recompute every recorded verdict from what is stored. Differences are an answer, not an error."""
    name = request.path_params["rollout"]
    file = await desk_of(request).office.read(lambda store: _collected(store, name))
    return answer(await asyncio.to_thread(replayed, file))


def _collected(store: Store, name: str) -> EvidenceFile:
    rollout = rollout_named(store.world(), name)
    summaries = {
        stream.name: [body for _, body in store.summaries(rollout=rollout.id, stream=stream.name)]
        for stream in streams_for(rollout.plan.criteria)
    }
    return evidence_file(rollout, summaries=summaries, changes=_log(store))


def _log(store: Store) -> Iterator[Change]:
    after = 0
    while page := store.changes(after=after, limit=PAGE):
        yield from page
        after = page[-1].revision


ROUTES: Final = (
    Route("/api/v1/rollouts/{rollout}/evidence", export, methods=["GET"]),
    Route("/api/v1/rollouts/{rollout}/evidence/verification", verification, methods=["GET"]),
)
