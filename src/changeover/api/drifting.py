"""What do the observations of a batch say of the deployments that gave them? Each contradiction becomes its changes."""

from collections.abc import Callable
from typing import Final

import structlog

from changeover.api.desk import Desk
from changeover.exchange.observation import Observation
from changeover.ports.planes import ObservationBatch
from changeover.ports.store import Store
from changeover.rollout.drift import answer_drift, drifts_in, fingerprints_in, record_fingerprint
from changeover.rollout.refusal import NothingToDo
from changeover.rollout.sighting import Drift
from changeover.rollout.world import Change, Proposal, World

log: Final = structlog.get_logger("drift")


def seen_in(store: Store, batch: ObservationBatch) -> tuple[list[Drift], list[Observation]]:
    """What of ``batch`` calls for a change: contradictions, and the first request with each new fingerprint."""
    if not batch.observations:
        return [], []
    world = store.world()
    return drifts_in(world, batch.observations), list(fingerprints_in(world, batch.observations).values())


async def answer_seen(desk: Desk, drifts: list[Drift], fingerprints: list[Observation]) -> None:
    """Commit what is called for. Safe to repeat: a batch that is sent again finds nothing left to do."""
    now = desk.clock.now()
    for drift in drifts:
        while (change := await _commit(desk, _answering(drift, now))) is not None:
            log.warning("drift", deployment=drift.deployment, revision=change.revision, reason=change.reason)
    for row in fingerprints:
        await _commit(desk, lambda world, row=row: record_fingerprint(world, row))


def _answering(drift: Drift, now: float) -> Callable[[World], Proposal]:
    return lambda world: answer_drift(world, drift, now=now)


async def _commit(desk: Desk, decide: Callable[[World], Proposal]) -> Change | None:
    try:
        return await desk.office.commit(decide)
    except NothingToDo:
        return None
