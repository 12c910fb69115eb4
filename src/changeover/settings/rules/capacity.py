"""Has the stable room for a rollback? Its capacity against the peak of every task that trusts it; asked where a peak is known."""

from collections.abc import Iterator

from changeover.settings.rules.book import TOO_SMALL
from changeover.settings.rules.facts import Case
from changeover.settings.rules.finding import NotAsked, Noted
from changeover.versions import Deployment
from changeover.versions.sku import TOKENS_A_UNIT, unit_of


def capacity(case: Case) -> Iterator[Noted | NotAsked]:
    """Tasks that share a deployment share its capacity, so their peaks are added."""
    for name, task in case.declared.tasks.items():
        peak = case.facts.peaks_tpm.get(name)
        pool = task.stable_pool or (task.stable,)
        room = _room_tpm(case, case.known(pool))
        if peak is None:
            yield NotAsked(rule=TOO_SMALL, path=f"tasks.{name}", why="its peak is not known; --peak TASK=TOKENS_A_MINUTE says it")
        elif room is None:
            yield NotAsked(rule=TOO_SMALL, path=f"tasks.{name}", why="the stable's capacity in tokens a minute is not known")
        elif (needed := _needed_tpm(case, pool)) > room:
            yield Noted(
                rule=TOO_SMALL,
                path=("tasks", name, "stable"),
                environment=case.environment(pool),
                found=f"capacity for {room:,} tokens a minute",
                expected=f"at least {needed:,}, the peak of every task that trusts {', '.join(pool)}",
                remedy="raise capacity and apply it: changeover deployment apply",
            )


def _room_tpm(case: Case, pool: list[Deployment]) -> int | None:
    """``None`` where one of the pool does not say, or counts in PTUs, which are no tokens."""
    total = 0
    for deployment in pool:
        read = case.read_back(deployment.name)
        units = deployment.capacity if read is None or read.capacity is None else read.capacity
        sku = deployment.sku or (read.sku if read else "")
        if units is None or not case.is_azure(deployment) or unit_of(sku) != "tokens-per-minute":
            return None
        total += units * TOKENS_A_UNIT
    return total


def _needed_tpm(case: Case, pool: tuple[str, ...]) -> int:
    sharing = (name for name, task in case.declared.tasks.items() if not {*(task.stable_pool or (task.stable,))}.isdisjoint(pool))
    return sum(case.facts.peaks_tpm.get(name, 0) for name in sharing)
