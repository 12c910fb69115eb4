"""How long does what is declared go on serving? Stables that retire soon, and what is to stand in and cannot."""

from collections.abc import Iterator
from typing import Final

from changeover.settings.paths import Path
from changeover.settings.rules.book import RETIRED, RETIRING, SPARE_RETIRED
from changeover.settings.rules.facts import Case
from changeover.settings.rules.finding import NotAsked, Noted
from changeover.settings.rules.retirement import End, known_end
from changeover.versions import Deployment
from changeover.versions.dates import days_left

_SUCCESSOR: Final = "declare a successor and move the task by a rollout: changeover rollout start TASK --to DEPLOYMENT"
_MEMBER: Final = "name a deployment whose version goes on serving"


def retiring(case: Case) -> Iterator[Noted | NotAsked]:
    """A day of a shipped list warns and no more: days move, both ways. What the region says is certain."""
    for name, task in case.declared.tasks.items():
        pool = task.stable_pool
        for index, deployment in enumerate(case.known(pool or (task.stable,))):
            path: Path = ("tasks", name, "stable", index) if pool else ("tasks", name, "stable")
            yield from _stable(case, deployment, path)
        for index, deployment in enumerate(case.known(task.failover)):
            yield from _spare(case, deployment, ("tasks", name, "failover", index))
    for name, rollout in case.declared.rollouts.items():
        for deployment in case.known((rollout.candidate,)):
            yield from _spare(case, deployment, ("rollouts", name, "candidate"))
    if case.facts.azure is None and any(map(case.is_azure, case.declared.deployments.values())):
        yield NotAsked(rule=RETIRED, why="Azure was not asked; --azure asks it")


def _stable(case: Case, deployment: Deployment, path: Path) -> Iterator[Noted | NotAsked]:
    read, end = case.read_back(deployment.name), known_end(case, deployment)
    if read is not None and read.is_retired:
        yield _noted(case, RETIRED, deployment, path, found="is retired, its region says", remedy=_SUCCESSOR)
    elif end is None:
        yield NotAsked(rule=RETIRING, path=f"deployments.{deployment.name}", why=f"no retirement date of {deployment.model} is known")
    elif (left := days_left(end.at, now=case.now)) <= case.facts.warning_days:
        yield _noted(case, RETIRING, deployment, path, found=f"{end}, {_days(left)}", remedy=_SUCCESSOR)


def _spare(case: Case, deployment: Deployment, path: Path) -> Iterator[Noted]:
    end: End | None = known_end(case, deployment)
    read = case.read_back(deployment.name)
    if read is not None and read.is_retired:
        yield _noted(case, SPARE_RETIRED, deployment, path, found="is retired, its region says", remedy=_MEMBER)
    elif end is not None and end.at <= case.now:
        yield _noted(case, SPARE_RETIRED, deployment, path, found=f"{end}, {_days(days_left(end.at, now=case.now))}", remedy=_MEMBER)


def _noted(case: Case, rule: str, deployment: Deployment, path: Path, *, found: str, remedy: str) -> Noted:
    return Noted(
        rule=rule,
        path=path,
        environment=case.environment((deployment.name,)),
        found=f"{deployment.name}: {deployment.model} {found}",
        expected=f"a version that serves for more than {case.facts.warning_days} days" if rule == RETIRING else "a version that serves",
        remedy=remedy,
    )


def _days(left: int) -> str:
    if left < 0:
        return "which is past"
    return f"in {left} day{'' if left == 1 else 's'}"
