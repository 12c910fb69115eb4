"""Is a plan that somebody agreed to still the right one? What was seen when it was made against what is there now."""

from collections.abc import Sequence

import msgspec

from changeover.provision.actual import ActualDeployment
from changeover.provision.known import Known
from changeover.provision.plan import ProvisionPlan, Step, changes_between
from changeover.provision.planning import found_under


class SavedPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="changeover-azure-plan-1"):
    """A plan in a file. ``seen`` is for each step what stood there when it was made."""

    plan: ProvisionPlan
    seen: tuple[ActualDeployment | None, ...]


def saved_plan(plan: ProvisionPlan, known: Known) -> SavedPlan:
    by_key = {known.accounts[name].key: some for name, some in known.deployments.items()}
    return SavedPlan(plan=plan, seen=tuple(found_under(by_key[step.account], step.deployment) for step in plan.steps))


def moved_since(saved: SavedPlan, present: Sequence[ActualDeployment | None]) -> tuple[Step, ...]:
    """The steps whose deployment is another by now, and not because the step was done already."""
    there = zip(saved.plan.steps, saved.seen, present, strict=True)
    return tuple(step for step, before, now in there if now != before and not _is_done(step, now))


def _is_done(step: Step, now: ActualDeployment | None) -> bool:
    return step.order is not None and now is not None and not changes_between(now, step.order)
