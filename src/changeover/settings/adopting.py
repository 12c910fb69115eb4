"""How would a file declare what is in Azure already? Every deployment's own name is a task at 100 %; nothing is judged."""

import re
from collections import Counter
from collections.abc import Collection
from typing import Final

import msgspec

from changeover.provision.actual import ActualAccount
from changeover.provision.estate import Estate
from changeover.provision.survey import Surveyed
from changeover.versions import Account, Deployment, SecretReference
from changeover.versions.sku import unit_of

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_OTHER_APIS: Final = frozenset({"anthropic"})
"""Formats of models that an Azure OpenAI endpoint does not serve."""


class AdoptedDeployment(msgspec.Struct, frozen=True, kw_only=True):
    """``task`` is what callers put into ``model=``; empty where there is none. ``surveyed`` is what it was made of."""

    deployment: Deployment
    task: str
    surveyed: Surveyed


class Adoption(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into the file. ``notes`` say what was left out or renamed, and why."""

    accounts: tuple[Account, ...]
    deployments: tuple[AdoptedDeployment, ...]
    notes: tuple[str, ...] = ()


def adopt(estate: Estate, *, observed: bool = False, present: Collection[Deployment] = (), accounts: Collection[Account] = ()) -> Adoption:
    """Everything that ``estate`` holds and the file does not. ``present`` and ``accounts`` are what the file has already."""
    return _Draft(observed=observed, present=present, accounts=accounts).adopted(estate)


class _Draft:
    """The adoption in the making."""

    def __init__(self, *, observed: bool, present: Collection[Deployment], accounts: Collection[Account]) -> None:
        self._observed = observed
        self._present = present
        self._known = {each.endpoint.casefold(): each.name for each in accounts}
        self._names = {each.name.casefold() for each in accounts}
        self._taken = {each.name.casefold() for each in present}
        self._notes: list[str] = []

    def adopted(self, estate: Estate) -> Adoption:
        accounts: list[Account] = []
        found: list[tuple[str, Surveyed]] = []
        for each in estate.accounts:
            name = self._known.get(each.account.endpoint.casefold())
            usable = [one for one in each.deployments if self._is_usable(each.account, one)]
            if name is None:
                if not usable or not self._is_callable(each.account):
                    continue
                name = each.account.name
                self._names.add(name.casefold())
                accounts.append(_account(each.account))
            found += [(name, one) for one in usable if not self._has(name, one)]
        clashes = Counter(one.deployment.name.casefold() for _, one in found)
        deployments = [self._deployment(name, one, shared=clashes[one.deployment.name.casefold()] > 1) for name, one in found]
        return Adoption(accounts=tuple(accounts), deployments=tuple(deployments), notes=tuple(self._notes))

    def _is_callable(self, account: ActualAccount) -> bool:
        if not account.endpoint:
            self._notes.append(f"{account.name} is left out: Azure gives no endpoint for it")
            return False
        if account.name.casefold() in self._names:
            self._notes.append(f"{account.name} of {account.resource_group} is left out: another account has that name")
            return False
        return True

    def _is_usable(self, account: ActualAccount, found: Surveyed) -> bool:
        deployment = found.deployment
        where = f"{account.name}/{deployment.name}"
        if deployment.format.casefold() in _OTHER_APIS:
            self._notes.append(f"{where} is left out: {deployment.model} speaks another API ({deployment.format})")
            return False
        if not _NAME.fullmatch(deployment.name) or not _VERSION.fullmatch(deployment.model.version):
            self._notes.append(f"{where} is left out: its name or version ({deployment.model}) cannot be written in the file")
            return False
        return True

    def _has(self, account: str, found: Surveyed) -> bool:
        own = found.deployment.name.casefold()
        return any(each.account == account and each.provider_name.casefold() == own for each in self._present)

    def _deployment(self, account: str, found: Surveyed, *, shared: bool) -> AdoptedDeployment:
        actual = found.deployment
        name = actual.name
        if shared or name.casefold() in self._taken:
            name = f"{account}.{actual.name}"
            self._notes.append(
                f"{actual.name} of {account} is called {name} here: another account has that name, too; callers ask for {name}"
            )
        self._taken.add(name.casefold())
        deployment = Deployment(
            name=name,
            account=account,
            model=actual.model,
            sku=actual.sku,
            region=found.region.replace(" ", "").lower() or None,
            content_filter=actual.content_filter,
            called="" if name == actual.name else actual.name,
            capacity=actual.capacity,
            observed=self._observed,
        )
        return AdoptedDeployment(deployment=deployment, task="" if unit_of(actual.sku) == "batch" else name, surveyed=found)


def _account(found: ActualAccount) -> Account:
    """Its secret is not written: it is the usual one."""
    return Account(
        name=found.name,
        kind="azure-openai",
        endpoint=found.endpoint,
        auth=SecretReference(source="none"),
        subscription=found.subscription,
        resource_group=found.resource_group,
    )
