"""What did Azure say of the file's deployments? A reading of Azure in; what the rules need to know out."""

from collections.abc import Mapping

from changeover.provision.actual import ActualDeployment
from changeover.provision.known import Known, Region
from changeover.provision.offers import offer_of
from changeover.settings.declared import Declared
from changeover.settings.rules.facts import ReadBack
from changeover.versions import Deployment


def read_backs(declared: Declared, known: Known, *, now: float) -> dict[str, ReadBack]:
    """By deployment of the file; one that Azure does not have is missing."""
    found: dict[str, ReadBack] = {}
    for deployment in declared.deployments.values():
        actual = _actual(deployment, known.deployments)
        if actual is not None:
            account = known.accounts[deployment.account]
            region = known.regions.get((account.subscription, account.region), Region())
            found[deployment.name] = _read(actual, region, now=now)
    return found


def _actual(deployment: Deployment, read: Mapping[str, tuple[ActualDeployment, ...]]) -> ActualDeployment | None:
    """Azure does not mind capitals in names."""
    wanted = deployment.provider_name.casefold()
    return next((each for each in read.get(deployment.account, ()) if each.name.casefold() == wanted), None)


def _read(actual: ActualDeployment, region: Region, *, now: float) -> ReadBack:
    offer = offer_of(region.offers, actual.model)
    return ReadBack(
        upgrade=actual.upgrade,
        content_filter=actual.content_filter,
        capacity=actual.capacity,
        sku=actual.sku,
        retires_at=None if offer is None else offer.retirement_of(actual.sku),
        is_retired=offer is not None and offer.is_retired(actual.sku, now=now),
    )
