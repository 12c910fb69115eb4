"""The control loop: look at every active rollout, and commit what its machine decides. Safe to stop at any moment."""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from changeover.controller.aftermath import acknowledgement, next_event
from changeover.controller.outbox import AlertOutbox
from changeover.ports.clock import Clock
from changeover.ports.office import Assessor, Office
from changeover.ports.planes import PlaneState
from changeover.ports.store import Store, StoreError
from changeover.rollout.commands import NothingToDo, move
from changeover.rollout.state import Acknowledged, Assessed, Event, Rollout
from changeover.rollout.world import Proposal, World

ACTOR: Final = "controller"
TICK_S: Final = 0.25

log = structlog.get_logger("controller")


class Controller:
    """Moves rollouts. Holds no state of its own: a new one continues where the last one was killed."""

    def __init__(self, office: Office, assessor: Assessor, clock: Clock, outbox: AlertOutbox | None = None) -> None:
        self._office = office
        self._outbox = outbox or AlertOutbox(office, clock)
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
        """Look once at every rollout that is decided and waits for data planes or for time, which needs no evidence, and then at
        every active one.
        """
        world, planes = await self._office.read(_world_and_planes)
        for rollout in world.rollouts.values():
            event = next_event(rollout, planes, revision=world.table_revision, now=self._clock.now())
            if event is not None:
                await self._move(rollout, event, seen=world)
        for task in world.tasks.values():
            if task.rollout is not None:
                await self._look(world, world.rollouts[task.rollout], planes)
        await self._outbox.turn()

    async def _look(self, world: World, rollout: Rollout, planes: Sequence[PlaneState]) -> None:
        """First what may roll back, then what may go on: a trip must not wait for an acknowledgement."""
        if await self._move(rollout, Assessed(await self._assessor.assess(rollout))):
            return
        event = acknowledgement(planes, world.table_revision, self._clock.now())
        if rollout.progress.acknowledged_at is None and event is not None:
            await self._move(rollout, event, seen=world)

    async def _move(self, rollout: Rollout, event: Event, *, seen: World | None = None) -> bool:
        """Commit one transition; ``False`` when there was none to make. What data planes have said is about the table that
        was ``seen``, never about one that somebody has made since.
        """
        now = self._clock.now()

        def decide(world: World) -> Proposal:
            if isinstance(event, Acknowledged) and seen is not None and world.table_revision != seen.table_revision:
                raise NothingToDo(f"table {seen.table_revision} was acknowledged, the present one is {world.table_revision}")
            return move(world, rollout_id=rollout.id, event=event, now=now, actor=ACTOR)

        try:
            change = await self._office.commit(decide)
        except NothingToDo:
            return False
        log.info("rollout moved", rollout=rollout.id, task=rollout.task, revision=change.revision, reason=change.reason)
        return True


def _world_and_planes(store: Store) -> tuple[World, Sequence[PlaneState]]:
    return store.world(), store.planes()
