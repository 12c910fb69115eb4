"""What stands in this Azure at the start? Subscriptions, accounts and deployments, from a file or built in."""

from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from changeover.azure_sim.arm import quota
from changeover.azure_sim.arm.calendar import Calendar
from changeover.azure_sim.arm.callers import Roles
from changeover.azure_sim.arm.catalogue import REGIONS, DefaultChange, Family, ModelVersion, RetirementChange
from changeover.azure_sim.arm.deployment_request import DEFAULT_UPGRADE, read_put
from changeover.azure_sim.arm.estate import Account, Conduct, Deployment, Estate, Group, Subscription
from changeover.azure_sim.arm.moments import moment
from changeover.azure_sim.arm.replies import ArmError
from changeover.azure_sim.stage import Stage, StagedDeployment

TENANT: Final = "11111111-2222-3333-4444-555555555555"
SUBSCRIPTION: Final = "00000000-0000-0000-0000-000000000001"
REGION: Final = "swedencentral"
_BY: Final = "azure-sim"
_PINNED: Final = "NoAutoUpgrade"


class DeclarationError(Exception):
    """The declaration cannot be used."""


class DeclaredDeployment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``upgrade`` left out: made as the ``az`` client makes it, without a word about upgrades. ``null``: stored as such."""

    name: str
    model: str
    version: str
    sku: str = "Standard"
    capacity: int = 10
    upgrade: str | None = DEFAULT_UPGRADE
    content_filter: str | None = None
    paused: bool = False


class DeclaredAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    subscription: str = SUBSCRIPTION
    resource_group: str = "rg-sim"
    location: str = REGION
    kind: Literal["OpenAI", "AIServices"] = "OpenAI"
    content_filters: tuple[str, ...] = ()
    deployments: tuple[DeclaredDeployment, ...] = ()


class DeclaredSubscription(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``established``: it has deployed every version before; else versions closed to new customers are closed to it."""

    id: str
    name: str = "changeover rehearsal"
    established: bool = True


class DeclaredQuota(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A limit other than the built-in one; ``model`` is not needed for provisioned SKUs."""

    sku: str
    limit: int
    model: str = ""
    region: str = REGION
    subscription: str = SUBSCRIPTION


class DeclaredDate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new default version from ``at`` on, or another day of retirement; for one region or SKU where they are named."""

    model: str
    version: str
    at: str
    region: str | None = None
    sku: str | None = None


class Declaration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first account's data plane also answers at the root of the address. ``identities``: roles by client id."""

    tenant: str = TENANT
    clock: str | None = None
    subscriptions: tuple[DeclaredSubscription, ...] = (DeclaredSubscription(id=SUBSCRIPTION),)
    accounts: tuple[DeclaredAccount, ...] = ()
    quota: tuple[DeclaredQuota, ...] = ()
    defaults: tuple[DeclaredDate, ...] = ()
    retirements: tuple[DeclaredDate, ...] = ()
    identities: dict[str, Roles] = {}
    conduct: Conduct = msgspec.field(default_factory=Conduct)


def built_in_declaration() -> Declaration:
    """One account with three deployments: pinned; moved by the provider; plainly named, as the ``az`` client makes it."""
    deployments = (
        DeclaredDeployment(
            name="gpt4o-prod-v1120", model="gpt-4o", version="2024-11-20", capacity=50, upgrade=_PINNED, content_filter="strict-v2"
        ),
        DeclaredDeployment(name="gpt4o-prod-v0806", model="gpt-4o", version="2024-08-06", capacity=20, content_filter="strict-v2"),
        DeclaredDeployment(name="chat", model="gpt-4o-mini", version="2024-07-18", capacity=50),
    )
    account = DeclaredAccount(name="aoai-genai-sim", resource_group="rg-genai-sim", content_filters=("strict-v2",), deployments=deployments)
    return Declaration(accounts=(account,))


def read_declaration(path: Path) -> Declaration:
    """The declaration in a YAML or JSON file. Raises ``DeclarationError``."""
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=Declaration)
    except OSError as error:
        raise DeclarationError(f"{path}: found no readable file ({error.strerror}); expected accounts in YAML or JSON") from error
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        hint = "; a date must stand in quotes" if "date" in str(error) else ""
        raise DeclarationError(f"{path}: found {error}; expected accounts, each with a name and deployments{hint}") from error


def own_models(stage: Stage | None) -> list[ModelVersion]:
    """The stage's own versions as the catalogue shows them."""
    return [
        ModelVersion(name=each.model, version=each.version, family=_family(each))
        for each in ({(one.model, one.version): one for one in stage.deployments}.values() if stage else ())
    ]


def declared_moment(text: str) -> float:
    """Unix seconds. Raises ``DeclarationError``."""
    try:
        return moment(text)
    except ValueError as error:
        raise DeclarationError(f"found the date {text!r}; expected one such as 2026-12-01 or 2026-12-01T12:00:00Z") from error


def estate_of(declaration: Declaration, *, now: float, stage: Stage | None = None) -> Estate:
    """Everything that was declared, as if it had been there for long. ``stage`` is one more account. Raises ``DeclarationError``."""
    estate = Estate(tenant=declaration.tenant, conduct=declaration.conduct)
    estate.subscriptions = {
        each.id.lower(): Subscription(id=each.id, name=each.name, established=each.established) for each in declaration.subscriptions
    }
    estate.defaults = [
        DefaultChange(name=each.model, version=each.version, at=declared_moment(each.at), region=each.region)
        for each in declaration.defaults
    ]
    estate.retirements = [_retirement(each) for each in declaration.retirements]
    for each in declaration.quota:
        usage = quota.usage_name(each.sku, each.model)
        estate.limits[quota.limit_key(each.subscription, region=each.region, usage=usage)] = each.limit
    calendar = Calendar(estate, own=own_models(stage))
    for account in (*((_stage_account(stage),) if stage else ()), *declaration.accounts):
        _add_account(estate, account, calendar=calendar, now=now)
    if stage is not None:
        for each in stage.deployments:
            usage = quota.usage_name("Standard", each.model)
            estate.limits[quota.limit_key(SUBSCRIPTION, region=REGION, usage=usage)] = quota.BATCH_LIMIT
    return estate


def _add_account(estate: Estate, declared: DeclaredAccount, *, calendar: Calendar, now: float) -> None:
    subscription = estate.subscriptions.get(declared.subscription.lower())
    if subscription is None:
        raise DeclarationError(
            f"accounts: found {declared.name} in the subscription {declared.subscription}; expected one of subscriptions"
        )
    if declared.location not in REGIONS:
        raise DeclarationError(f"accounts: found {declared.name} in {declared.location}; expected one of {', '.join(REGIONS)}")
    if declared.name.lower() in estate.accounts:
        raise DeclarationError(f"accounts: found {declared.name} twice; expected each name once")
    group = declared.resource_group
    subscription.groups.setdefault(group.lower(), Group(name=group, location=declared.location))
    account = Account(
        subscription=subscription.id, group=group, name=declared.name, location=declared.location, kind=declared.kind, created_at=now
    )
    account.policies = {name.lower(): {"name": name, "properties": {}} for name in declared.content_filters}
    for each in declared.deployments:
        account.deployments[each.name.lower()] = _deployment(each, account, calendar=calendar, now=now)
        subscription.has_deployed.add(f"{each.model}@{each.version}")
    estate.accounts[account.name.lower()] = account


def _deployment(declared: DeclaredDeployment, account: Account, *, calendar: Calendar, now: float) -> Deployment:
    body: dict[str, Any] = {
        "sku": {"name": declared.sku, "capacity": declared.capacity},
        "properties": {
            "model": {"format": "OpenAI", "name": declared.model, "version": declared.version},
            "versionUpgradeOption": declared.upgrade,
            **({"raiPolicyName": declared.content_filter} if declared.content_filter else {}),
        },
    }
    if calendar.find(declared.model, declared.version) is None:
        raise DeclarationError(f"accounts: found {declared.name} with {declared.model} {declared.version}, which the catalogue has not")
    try:
        deployment = read_put(declared.name, body, calendar=calendar, account=account, now=now, by=_BY)
    except ArmError as error:
        raise DeclarationError(f"accounts: found {declared.name}: {error}") from error
    deployment.paused = declared.paused
    return deployment


def _stage_account(stage: Stage) -> DeclaredAccount:
    deployments = tuple(
        DeclaredDeployment(name=each.name, model=each.model, version=each.version, capacity=each.capacity, upgrade=_PINNED)
        for each in stage.deployments
    )
    return DeclaredAccount(name=stage.account, resource_group="rg-summaries-sim", deployments=deployments)


def _retirement(declared: DeclaredDate) -> RetirementChange:
    return RetirementChange(
        name=declared.model, version=declared.version, at=declared_moment(declared.at), region=declared.region, sku=declared.sku
    )


def _family(staged: StagedDeployment) -> Family:
    return "embeddings" if staged.embeds else "reasoning" if staged.reasoning else "chat"
