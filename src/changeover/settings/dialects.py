"""Do all who serve a task speak the same API? What one of them is asked the others must be able to answer as it stands."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from changeover.settings.declared import Fault
from changeover.settings.paths import Path, written
from changeover.settings.shape import FileShape
from changeover.versions import Account, Deployment
from changeover.versions.dialect import API_NAMES, Dialect, dialect_of

_EXPECTED: Final = "deployments that speak one API: requests and answers are never translated; give the other API a task of its own"
_AZURE: Final = ".azure.com"
_FOUNDRY: Final = "/anthropic"


def dialect_faults(file: FileShape, deployments: Mapping[str, Deployment], accounts: Mapping[str, Account]) -> list[tuple[Path, Fault]]:
    """Every deployment that a task or rollout names beside a stable of another API."""
    spoken = {name: dialect_of(accounts[each.account].kind) for name, each in deployments.items() if each.account in accounts}
    faults: list[tuple[Path, Fault]] = []
    for name, task in file.tasks.items():
        stable = task.stable[0]
        places: list[tuple[Path, str]] = [(("tasks", name, "stable", index), each) for index, each in enumerate(task.stable)]
        places += [(("tasks", name, "failover", index), each) for index, each in enumerate(task.failover or ())]
        faults += _others(places, stable, spoken)
    for name, rollout in (file.rollouts or {}).items():
        if rollout.task not in file.tasks:
            continue
        path: Path = ("rollouts", name, "candidate")
        places = [((*path, index) if len(rollout.candidate) > 1 else path, each) for index, each in enumerate(rollout.candidate)]
        faults += _others(places, file.tasks[rollout.task].stable[0], spoken)
    return faults


def address_faults(account: Account) -> list[tuple[Path, Fault]]:
    """An Azure resource serves Anthropic's API below a path of its own: an address without it answers 404 for ever."""
    url = urlsplit(account.endpoint)
    if account.kind != "anthropic" or not (url.hostname or "").endswith(_AZURE) or url.path.removesuffix("/v1").endswith(_FOUNDRY):
        return []
    path: Path = ("accounts", account.name, "endpoint")
    found = "an Azure address without /anthropic behind it"
    expected = "https://NAME.services.ai.azure.com/anthropic, where an Azure resource serves Anthropic's API"
    return [(path, Fault(path=written(path), found=found, expected=expected))]


def _others(places: list[tuple[Path, str]], stable: str, spoken: Mapping[str, Dialect]) -> list[tuple[Path, Fault]]:
    if stable not in spoken:
        return []
    faults: list[tuple[Path, Fault]] = []
    for path, name in places:
        if spoken.get(name, spoken[stable]) is not spoken[stable]:
            found = f"{name}, which speaks {API_NAMES[spoken[name]]}, beside the stable {stable}, which speaks {API_NAMES[spoken[stable]]}"
            faults.append((path, Fault(path=written(path), found=found, expected=_EXPECTED)))
    return faults
