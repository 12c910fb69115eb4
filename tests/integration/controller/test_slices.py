"""Slices from the observation to the comparison, across a restart."""

import msgspec

from changeover.adapters.memory import MemoryStore
from changeover.exchange.observation import Observation
from changeover.rollout.replay import replayed
from changeover.rollout.state import Phase
from tests.integration.controller.stage import Stage, plan
from tests.integration.controller.test_replay import exported
from tests.integration.controller.test_rollouts import in_loop


class Sliced(Stage):
    """Requests in two languages; the candidate may fail in one of them."""

    worse = 0.0

    def _request(self, at: float, errors: tuple[float, float]) -> Observation:
        label = "de" if self.requests % 10 == 0 else "en"
        return msgspec.structs.replace(super()._request(at, (errors[0], self.worse if label == "de" else errors[1])), slice=label)


def sliced() -> Sliced:
    stage = Sliced(MemoryStore())
    stage.begin(plan(quality=False))
    return stage


@in_loop
async def test_the_worst_slice_is_shown_and_the_same_again_after_a_restart() -> None:
    stage = sliced()
    stage.worse = 0.3
    for _ in range(3):
        await stage.serve(requests=400)
    before = await stage.assessor.assess(stage.rollout)
    (worst,) = before.slices
    assert (worst.criterion, worst.label, worst.slices) == ("errors", "de", 2)
    assert (worst.candidate.events or 0) > 0
    stage.restart()
    assert await stage.assessor.assess(stage.rollout) == before


@in_loop
async def test_a_slice_alone_moves_nothing_and_stays_out_of_what_a_move_rested_on() -> None:
    stage = sliced()
    for _ in range(6):
        await stage.serve(requests=400)
    assert stage.rollout.progress.phase is Phase.RUNNING
    assert replayed(exported(stage)).differences == ()
