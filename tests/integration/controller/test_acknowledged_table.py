"""What data planes have said is about the table that was looked at, never about one that somebody has made since."""

from collections.abc import Callable

from changeover.adapters.memory import MemoryStore
from changeover.controller.loop import Controller
from changeover.controller.office import StoreOffice
from changeover.rollout.commands import Order, set_split
from changeover.rollout.world import Change, Proposal, World
from tests.integration.controller.stage import TASK, Stage
from tests.integration.controller.test_rollouts import in_loop


class _Meddled(StoreOffice):
    """An office where ``meddle`` comes between the controller's look and its word."""

    meddle: Callable[[], object] | None = None

    async def commit(self, decide: Callable[[World], Proposal], *, epoch: int | None = None) -> Change:
        first, self.meddle = self.meddle, None
        if first is not None:
            first()
        return await super().commit(decide, epoch=epoch)


class _TwoTasks(Stage):
    """With a second task, whose split somebody sets by hand."""

    def split_another(self) -> None:
        order = Order(actor="ana", reason="meanwhile")
        weights = {"old": 900, "new": 100}
        self.store.commit(lambda world: set_split(world, task="other", weights=weights, salt="x", order=order), at=self.clock.now())


@in_loop
async def test_a_table_that_is_made_between_the_look_and_the_word_is_not_acknowledged_by_it() -> None:
    stage = _TwoTasks(MemoryStore(), tasks=("mail", "other"))
    stage.begin()
    stage.acknowledge()
    office = _Meddled(stage.store, stage.clock)
    controller = Controller(office, stage.assessor, stage.clock)
    office.meddle = stage.split_another
    await controller.tick()
    assert stage.rollout.progress.acknowledged_at is None, TASK
    await controller.tick()
    assert stage.rollout.progress.acknowledged_at is None, "the data plane still serves the older table"
    stage.acknowledge()
    await controller.tick()
    assert stage.rollout.progress.acknowledged_at is not None
