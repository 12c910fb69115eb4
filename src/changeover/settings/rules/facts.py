"""What is known besides the file? Published dates, what Azure said when it was asked, peaks; what nobody told is not guessed."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from changeover.settings.declared import Declared
from changeover.settings.declared_check import Environment
from changeover.versions import Deployment
from changeover.versions.retirements import RetirementList

RETIRE_WARNING_DAYS: Final = 180
"""The first of the usual warnings."""


class ReadBack(msgspec.Struct, frozen=True, kw_only=True):
    """What Azure said of one deployment. ``upgrade`` ``None``: it did not say. ``retires_at`` is its region's date for its SKU."""

    upgrade: str | None = None
    content_filter: str | None = None
    capacity: int | None = None
    sku: str = ""
    retires_at: float | None = None
    is_retired: bool = False


class Facts(NamedTuple):
    """``azure``: by deployment of the file, ``None`` where Azure was not asked; what was looked for and not found is missing.
    ``peaks_tpm`` are tokens a minute by task. ``warning_days``: how long before its retirement a stable is told of.
    """

    listed: RetirementList | None = None
    azure: Mapping[str, ReadBack] | None = None
    peaks_tpm: Mapping[str, int] = {}
    warning_days: int = RETIRE_WARNING_DAYS


class Case(NamedTuple):
    """What every rule looks at. ``now``: Unix seconds."""

    declared: Declared
    facts: Facts
    now: float

    def is_azure(self, deployment: Deployment) -> bool:
        account = self.declared.accounts.get(deployment.account)
        return account is not None and account.kind == "azure-openai"

    def known(self, names: Sequence[str]) -> list[Deployment]:
        return [self.declared.deployments[name] for name in names if name in self.declared.deployments]

    def environment(self, names: Sequence[str]) -> Environment:
        """A task or rollout is production unless all that it trusts says dev."""
        found = self.known(names)
        return "dev" if found and all(each.environment == "dev" for each in found) else "prod"

    def read_back(self, name: str) -> ReadBack | None:
        return None if self.facts.azure is None else self.facts.azure.get(name)
