"""What may somebody answer for in a test's place? Names the gates, and what no word of anybody's covers."""

from typing import Final

from changeover.rollout.plan import Plan
from changeover.rollout.state import Phase, Progress

DWELL: Final = "dwell"
"""In place of a gate: what is left of the time and the blocks at this weight."""
DATA_PLANES: Final = "data-planes"
"""In place of a gate: data planes that have not been heard of, of which a retiring rollout waits for every one."""


def overridden(progress: Progress, *, since: int | None = None) -> frozenset[str]:
    """What asks nothing where the rollout stands. An override is good for its step alone, and for those that wait behind it on
    the same proof, which stands at step ``since``; what is named with the wish to finish lasts to the end.
    """
    first = progress.step if since is None else since
    named = {gate for each in progress.overrides if first <= each.step <= progress.step for gate in each.gates}
    if progress.finishing is not None:
        named |= {*progress.finishing.gates}
    return frozenset(named)


def names_for(plan: Plan, phase: Phase) -> tuple[str, ...]:
    """What can be named in an override, in this phase."""
    if phase.is_promoted:
        return (DATA_PLANES,)
    return (*dict.fromkeys((*plan.gates, *plan.verify_gates)), DWELL)
