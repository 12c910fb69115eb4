"""Does a version stand twice with no reason? Two deployments of one version that neither serve together nor one for another."""

from collections.abc import Iterator

from changeover.settings.rules.book import TWIN
from changeover.settings.rules.facts import Case
from changeover.settings.rules.finding import Noted
from changeover.versions import Deployment


def twins(case: Case) -> Iterator[Noted]:
    """Deployments of the same environment. Where request settings differ they are two things, whatever the version."""
    bonds = [frozenset(names) for names in _bonds(case)]
    earlier: list[Deployment] = []
    for deployment in case.declared.deployments.values():
        twin = next((each for each in earlier if _alike(each, deployment) and not _bound(each, deployment, bonds)), None)
        earlier.append(deployment)
        if twin is not None:
            yield Noted(
                rule=TWIN,
                path=("deployments", deployment.name),
                environment=deployment.environment,
                found=f"{deployment.model} a second time, beside {twin.name}",
                expected="one deployment of a version, or a pool of them",
                remedy=f"write both where they serve, stable: [{twin.name}, {deployment.name}], or take one out",
            )


def _bonds(case: Case) -> Iterator[tuple[str, ...]]:
    """Those that serve together, one for another, or one after another."""
    for task in case.declared.tasks.values():
        yield (*(task.stable_pool or (task.stable,)), *task.failover)
    for rollout in case.declared.rollouts.values():
        task = case.declared.tasks[rollout.task]
        yield (*(task.stable_pool or (task.stable,)), *(rollout.candidate_pool or (rollout.candidate,)))


def _alike(one: Deployment, other: Deployment) -> bool:
    return (one.model, one.environment, one.request) == (other.model, other.environment, other.request)


def _bound(one: Deployment, other: Deployment, bonds: list[frozenset[str]]) -> bool:
    return any(one.name in bond and other.name in bond for bond in bonds)
