"""May a deployment be deleted, or paused? Nothing that a task uses, a data plane may still call, or a way back needs."""

import msgspec

from changeover.provision.actual import AccountKey, ActualDeployment
from changeover.provision.plan import Refused, Step
from changeover.versions.dates import day_words
from changeover.versions.sku import capacity_words, is_pausable


class Uses(msgspec.Struct, frozen=True, kw_only=True):
    """Who still needs a deployment. ``tasks`` name it, with or without weight; ``rollouts`` have it on one of their sides.
    ``planes`` have not yet said that they serve from a table without it. It is the way back of ``promotions``, and is kept until
    ``retained_until`` (Unix seconds) where that is said. ``None`` as a whole: nobody could say, which counts as use.
    """

    tasks: tuple[str, ...] = ()
    rollouts: tuple[str, ...] = ()
    planes: tuple[str, ...] = ()
    promotions: tuple[str, ...] = ()
    retained_until: float | None = None


def removal(account: AccountKey, actual: ActualDeployment, uses: Uses | None, *, now: float) -> Step | Refused:
    """The step that deletes ``actual``, with what it frees; or why it stays."""
    why = _why_kept(uses, now=now)
    if why is not None:
        return Refused(account=account.name, deployment=actual.name, found=why[0], remedy=why[1])
    freed = f"frees {capacity_words(actual.sku, actual.capacity)} of {actual.sku} {actual.model.name}"
    return Step(act="delete", account=account, deployment=actual.name, note=freed)


def pausing(account: AccountKey, actual: ActualDeployment, uses: Uses | None, *, now: float) -> Step | Refused | None:
    """The step that comes before a deletion, so that what was forgotten can be taken back; ``None`` where it is paused already."""
    if actual.paused:
        return None
    if not is_pausable(actual.sku):
        found, remedy = f"its SKU, {actual.sku}, cannot be paused", "delete it when nobody uses it"
        return Refused(account=account.name, deployment=actual.name, found=found, remedy=remedy)
    why = _why_kept(uses, now=now)
    if why is not None:
        return Refused(account=account.name, deployment=actual.name, found=why[0], remedy=why[1])
    return Step(act="pause", account=account, deployment=actual.name, note="callers get 423 until it is resumed; it keeps its quota")


def _why_kept(uses: Uses | None, *, now: float) -> tuple[str, str] | None:
    if uses is None:
        return "nobody could say whether it is used", "ask again where the control plane answers"
    if uses.rollouts:
        return f"rollout {', '.join(uses.rollouts)} has it on one of its sides", "end the rollout first"
    if uses.tasks:
        return f"task {', '.join(uses.tasks)} names it", "take it out of the task first"
    if uses.promotions:
        remedy = "wait until retain_old has passed, or give the way back up: out of the file with it, then changeover apply --allow-remove"
        return f"it is the way back of rollout {', '.join(uses.promotions)}", remedy
    if uses.planes:
        return f"data plane {', '.join(uses.planes)} may still call it", "wait until every data plane serves the present table"
    if uses.retained_until is not None and now < uses.retained_until:
        return f"it is kept as a way back until {day_words(uses.retained_until)}", "wait, or shorten retain_old"
    return None
