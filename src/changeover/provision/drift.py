"""In what is Azure not as declared? Every place, with what was found and what to do; decides and changes nothing."""

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from changeover.provision.actual import ActualDeployment
from changeover.provision.known import Known
from changeover.provision.planning import found_under, unmanaged
from changeover.versions import PINNED, Deployment
from changeover.versions.sku import capacity_words

DriftKind = Literal["version", "unpinned", "missing", "setting", "paused", "unfinished", "undeclared"]


class CloudDrift(msgspec.Struct, frozen=True, kw_only=True):
    """One place. ``account`` is its name in the file, ``deployment`` what Azure calls it."""

    account: str
    deployment: str
    kind: DriftKind
    found: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.account}/{self.deployment}: {self.found}; {self.remedy}"


def cloud_drifts(declared: Mapping[str, Deployment], known: Known) -> tuple[CloudDrift, ...]:
    """Where ``known`` differs from ``declared``, in the order of the file; then what no file speaks of."""
    found: list[CloudDrift] = []
    for wanted in declared.values():
        if wanted.account in known.accounts:
            actual = found_under(known.deployments[wanted.account], wanted.provider_name)
            found += (_drift(wanted, *each) for each in (_missing() if actual is None else _differences(wanted, actual)))
    for account, deployments in known.deployments.items():
        found += (
            CloudDrift(
                account=account, deployment=name, kind="undeclared", found="no file speaks of it", remedy="changeover import adds it"
            )
            for name in unmanaged(declared.values(), account, deployments)
        )
    return tuple(found)


Difference = tuple[DriftKind, str, str]


def _missing() -> Iterator[Difference]:
    yield "missing", "it is not there", "changeover deployment apply makes it; or take it out of the file"


def _differences(wanted: Deployment, actual: ActualDeployment) -> Iterator[Difference]:
    if actual.model != wanted.model:
        found = f"Azure has {actual.model}, declared is {wanted.model}"
        yield "version", found, "if Azure changed it: what serves is untested; declare the wanted version under a name of its own, pinned"
    if actual.upgrade != wanted.upgrade:
        kind: DriftKind = "unpinned" if wanted.upgrade == PINNED else "setting"
        yield kind, f"its upgrade option is {actual.upgrade or 'not said'}, declared is {wanted.upgrade}", _APPLY
    if wanted.sku is not None and wanted.sku.casefold() != actual.sku.casefold():
        yield "setting", f"it is sold as {actual.sku}, declared is {wanted.sku}", "correct the file, or declare another deployment"
    elif wanted.capacity is not None and wanted.capacity != actual.capacity:
        found = f"its capacity is {capacity_words(actual.sku, actual.capacity)}, declared is {capacity_words(actual.sku, wanted.capacity)}"
        yield "setting", found, _APPLY
    if wanted.content_filter is not None and wanted.content_filter != actual.content_filter:
        yield "setting", f"its content filter is {actual.content_filter or 'not said'}, declared is {wanted.content_filter}", _APPLY
    if actual.paused:
        yield "paused", "it is paused: callers get 423", "changeover deployment resume takes that back"
    if actual.state != "Succeeded":
        yield "unfinished", f"its state is {actual.state}", "wait, or look at it in the portal"


_APPLY = "changeover deployment apply sets it, or correct the file"


def _drift(wanted: Deployment, kind: DriftKind, found: str, remedy: str) -> CloudDrift:
    whose = "tell whoever keeps it, or correct the file" if wanted.observed and remedy == _APPLY else remedy
    return CloudDrift(account=wanted.account, deployment=wanted.provider_name, kind=kind, found=found, remedy=whose)
