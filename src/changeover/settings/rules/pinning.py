"""Can the provider change the version? Asked of the file, and of what Azure said; unknown is unpinned."""

from collections.abc import Iterator
from typing import Final

from changeover.settings.rules.book import NOT_PINNED, PIN_UNREAD
from changeover.settings.rules.facts import Case
from changeover.settings.rules.finding import NotAsked, Noted
from changeover.versions import PINNED, Deployment

_PIN: Final = f"pin it: upgrade: {PINNED} in the file, then changeover deployment apply, which reads it back"
_APPLY: Final = "changeover deployment apply sends the option and reads it back"
_OTHERS: Final = f"it is observed: have whoever makes it set the upgrade option to {PINNED}"
_PLACE: Final = "write subscription and resource_group of its account, so that Azure can be asked"


def pinning(case: Case) -> Iterator[Noted | NotAsked]:
    """Only Azure changes versions by itself: elsewhere the exact version goes out with every request."""
    azure = [each for each in case.declared.deployments.values() if case.is_azure(each)]
    for deployment in azure:
        if deployment.upgrade != PINNED:
            found = f"upgrade: {deployment.upgrade}, which lets Azure change the version"
            yield _noted(NOT_PINNED, deployment, found=found, remedy=_PIN)
        elif case.facts.azure is not None:
            yield from _read_back(case, deployment)
    if azure and case.facts.azure is None:
        yield NotAsked(rule=PIN_UNREAD, why="Azure was not asked; --azure asks it")


def _read_back(case: Case, deployment: Deployment) -> Iterator[Noted]:
    read = case.read_back(deployment.name)
    if read is None:
        placed = bool(case.declared.accounts[deployment.account].subscription)
        found = "an upgrade option that nobody read" + (", as Azure has no such deployment" if placed else "")
        yield _noted(PIN_UNREAD, deployment, found=found, remedy=_APPLY if placed else _PLACE)
    elif read.upgrade is None:
        yield _noted(PIN_UNREAD, deployment, found="no upgrade option in Azure, which upgrades it when its version retires", remedy=_APPLY)
    elif read.upgrade != PINNED:
        yield _noted(NOT_PINNED, deployment, found=f"{read.upgrade} in Azure, though the file declares {PINNED}", remedy=_APPLY)


def _noted(rule: str, deployment: Deployment, *, found: str, remedy: str) -> Noted:
    path = ("deployments", deployment.name, "upgrade")
    remedy = _OTHERS if deployment.observed else remedy
    return Noted(rule=rule, path=path, environment=deployment.environment, found=found, expected=PINNED, remedy=remedy)
