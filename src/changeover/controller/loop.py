"""The control loop: look at every active rollout, and commit what its machine decides. Safe to stop at any moment."""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from changeover.ports.clock import Clock
from changeover.ports.office import Assessor, Office
from changeover.ports.planes import PlaneState
from changeover.ports.store import Store, StoreError
from changeover.rollout.commands import NothingToDo, move
from changeover.rollout.state import Acknowledged, Assessed, Event, Rollout
from changeover.rollout.world import World

ACTOR: Final = "controller"
TICK_S: Final = 0.25

log = structlog.get_logger("controller")


class Controller:
    """Moves rollouts. Holds no state of its own: a new one continues where the last one was killed."""

    def __init__(self, office: Office, assessor: Assessor, clock: Clock) -> None:
        self._office = office
        self._assessor = assessor
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Tick until ``stop`` is set. A store that fails is reported and asked again; nothing advances meanwhile."""
        while not stop.is_set():
            try:
                await self.tick()
            except StoreError as error:
                log.error("the store failed; no rollout advances", problem=str(error))
            try:
                await asyncio.wait_for(stop.wait(), TICK_S)
            except TimeoutError:
                continue

    async def tick(self) -> None:
        """Look once at every active rollout."""
        world, planes = await self._office.read(_world_and_planes)
        for task in world.tasks.values():
            if task.rollout is not None:
                await self._look(world, world.rollouts[task.rollout], planes)
        await self._office.read(_settle_alerts)

    async def _look(self, world: World, rollout: Rollout, planes: Sequence[PlaneState]) -> None:
        """First what may roll back, then what may go on: a trip must not wait for an acknowledgement."""
        if await self._move(rollout, Assessed(await self._assessor.assess(rollout))):
            return
        if rollout.progress.acknowledged_at is None and acknowledged(planes, world.table_revision, self._clock.now()):
            await self._move(rollout, Acknowledged())

    async def _move(self, rollout: Rollout, event: Event) -> bool:
        """Commit one transition; ``False`` when there was none to make."""
        now = self._clock.now()
        try:
            change = await self._office.commit(lambda world: move(world, rollout_id=rollout.id, event=event, now=now, actor=ACTOR))
        except NothingToDo:
            return False
        log.info("rollout moved", rollout=rollout.id, task=rollout.task, revision=change.revision, reason=change.reason)
        return True


def acknowledged(planes: Sequence[PlaneState], revision: int, now: float) -> bool:
    """Whether every data plane that is not silent serves from ``revision`` or a later table; never with none."""
    live = [plane for plane in planes if not plane.is_silent(now)]
    return bool(live) and all(plane.acknowledged_revision >= revision for plane in live)


def _world_and_planes(store: Store) -> tuple[World, Sequence[PlaneState]]:
    return store.world(), store.planes()


def _settle_alerts(store: Store) -> None:
    """Alerts leave through the log in this version: one line each, then they are settled."""
    for identity, command in store.owed(limit=100):
        if command.kind == "alert":
            log.warning(command.subject, text=command.text)
        store.done(identity)
