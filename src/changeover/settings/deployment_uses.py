"""Who still needs a deployment? Tasks, rollouts and data planes as the control plane tells of them; what is unknown counts as need."""

from collections.abc import Collection, Iterable

from changeover.provision.removal import Uses
from changeover.rollout.state import Phase, Rollout


def uses_of(names: Collection[str], *, tasks: Iterable[str], rollouts: Iterable[Rollout], planes: Iterable[str], is_declared: bool) -> Uses:
    """``names`` are those it has here; ``tasks`` name it; ``planes`` are behind or silent. A promoted rollout's old side is its way
    back until it is retired, or where nobody said how long, as long as the store has it.
    """
    active: list[str] = []
    promotions: list[str] = []
    for each in rollouts:
        stables, candidates = {each.stable, *each.stable_pool}, {each.candidate, *each.candidate_pool}
        if (stables | candidates).isdisjoint(names):
            continue
        phase = each.progress.phase
        if phase.is_promoted and candidates.isdisjoint(names):
            if is_declared or phase is Phase.RETIRING or each.plan.retain_s is not None:
                promotions.append(each.id)
        elif not phase.is_final:
            active.append(each.id)
    return Uses(tasks=tuple(tasks), rollouts=tuple(active), promotions=tuple(promotions), planes=tuple(planes))
