"""Who still needs a deployment."""

import msgspec
import pytest

from changeover.provision.removal import Uses
from changeover.rollout.state import Phase, Rollout
from changeover.settings.deployment_uses import uses_of
from tests.unit.settings.test_amending import stored, trying


def rollout(phase: Phase, *, retain_s: float | None = None) -> Rollout:
    world = trying(stored())
    found = world.rollouts[str(world.tasks["email"].rollout)]
    plan = msgspec.structs.replace(found.plan, retain_s=retain_s)
    return msgspec.structs.replace(found, plan=plan, progress=msgspec.structs.replace(found.progress, phase=phase))


def uses(name: str, one: Rollout, *, is_declared: bool = True) -> Uses:
    return uses_of([name], tasks=(), rollouts=[one], planes=(), is_declared=is_declared)


@pytest.mark.parametrize("phase", [each for each in Phase if not each.is_final])
def test_both_sides_of_a_rollout_under_way_are_used(phase: Phase) -> None:
    one = rollout(phase)
    for name in ("old", "new"):
        assert uses(name, one).rollouts == (one.id,)
    assert uses("spare", one) == Uses()


@pytest.mark.parametrize("phase", [Phase.ROLLED_BACK, Phase.RETIRED, Phase.SUPERSEDED, Phase.EXPIRED])
def test_a_rollout_that_is_over_needs_nobody(phase: Phase) -> None:
    for name in ("old", "new"):
        assert uses(name, rollout(phase, retain_s=1.0)) == Uses()


@pytest.mark.parametrize(
    ("phase", "retain_s", "is_declared", "kept"),
    [
        (Phase.COMPLETED, 60.0, True, True),
        (Phase.COMPLETED, 60.0, False, True),
        (Phase.RETIRING, 60.0, False, True),
        (Phase.COMPLETED, None, True, True),
        (Phase.COMPLETED, None, False, False),
    ],
)
def test_the_old_side_of_a_promotion_is_its_way_back_until_it_is_retired(
    phase: Phase, retain_s: float | None, is_declared: bool, kept: bool
) -> None:
    one = rollout(phase, retain_s=retain_s)
    assert uses("old", one, is_declared=is_declared).promotions == ((one.id,) if kept else ())
    assert uses("new", one, is_declared=is_declared) == Uses(), "what tasks name is told by the tasks"


def test_tasks_and_planes_are_passed_on() -> None:
    assert uses_of(["x"], tasks=["t"], rollouts=[], planes=["p"], is_declared=True) == Uses(tasks=("t",), planes=("p",))
