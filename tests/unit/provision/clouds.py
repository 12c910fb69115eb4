"""A small Azure for tests: one resource, what its region offers, and how a plan is made over it."""

import msgspec

from changeover.provision.actual import ActualAccount, ActualDeployment
from changeover.provision.known import Known, Region
from changeover.provision.offers import Offer, SkuOffer
from changeover.provision.plan import ProvisionPlan, outcome_of
from changeover.provision.planning import plan_deployments
from changeover.provision.quota import Quota
from changeover.versions import Deployment, ModelVersion
from changeover.versions.naming import NamePolicy

NOW = 1_795_000_000.0
DAY = 86_400.0
OLD, NEW, MINI, GONE = (
    ModelVersion(name=name, version=version)
    for name, version in [("gpt-4o", "2024-05-13"), ("gpt-4o", "2024-11-20"), ("gpt-4o-mini", "2024-07-18"), ("gpt-4", "0314")]
)
ACCOUNT = ActualAccount(name="aoai", subscription="s", resource_group="rg", region="swedencentral", kind="OpenAI", endpoint="https://x")


def sku(name: str = "Standard", quota: str = "OpenAI.Standard.gpt-4o", **more: object) -> SkuOffer:
    return msgspec.convert({"name": name, "quota": quota, **more}, SkuOffer)


OFFERS = (
    Offer(model=OLD, status="Deprecating", retires_at=NOW + 19 * DAY, skus=(sku(),), replacement=NEW),
    Offer(model=NEW, status="GenerallyAvailable", skus=(sku(), sku("ProvisionedManaged", "P", minimum=50, maximum=1000, step=50))),
    Offer(model=MINI, status="GenerallyAvailable", skus=(sku("GlobalStandard", "OpenAI.GlobalStandard.gpt-4o-mini"),)),
    Offer(model=GONE, status="Deprecated", retires_at=NOW - 100 * DAY, skus=(sku(),)),
)


def there(name: str, model: ModelVersion = OLD, **more: object) -> ActualDeployment:
    return msgspec.convert({"name": name, "model": msgspec.to_builtins(model), "sku": "Standard", "capacity": 50, **more}, ActualDeployment)


def wanted(name: str, model: ModelVersion = OLD, **more: object) -> Deployment:
    return msgspec.convert({"name": name, "account": "aoai", "model": msgspec.to_builtins(model), **more}, Deployment)


def known(*deployments: ActualDeployment, free: int = 100, stables: dict[str, str] | None = None) -> Known:
    names = {each.quota for offer in OFFERS for each in offer.skus}
    quotas = tuple(Quota(subscription="s", region="Sweden Central", name=name, used=200, limit=200 + free) for name in sorted(names))
    return Known(
        accounts={"aoai": ACCOUNT},
        deployments={"aoai": deployments},
        regions={("s", "swedencentral"): Region(offers=OFFERS, quotas=quotas)},
        stables=stables or {},
    )


def planned(declared: list[Deployment], found: Known) -> ProvisionPlan:
    return plan_deployments({each.name: each for each in declared}, found, policy=NamePolicy(), now=NOW)


def after(found: Known, plan: ProvisionPlan) -> Known:
    """Azure once the plan is done, its quota as before."""
    present = {each.name: each for each in found.deployments["aoai"]}
    for step in plan.steps:
        outcome = outcome_of(step, present.get(step.deployment))
        assert outcome is not None
        present[step.deployment] = outcome
    return msgspec.structs.replace(found, deployments={"aoai": tuple(present.values())})
