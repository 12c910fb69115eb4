"""How much capacity is left? Quota is counted by subscription, region, SKU and model; provisioned units by subscription, region and SKU."""

from typing import Final

from changeover.azure_sim.arm import replies
from changeover.azure_sim.arm.catalogue import BATCH_SKUS, PROVISIONED_SKUS
from changeover.azure_sim.arm.estate import Deployment, Estate

LIMITS: Final = {"Standard": 300, "GlobalStandard": 1000, "DataZoneStandard": 500, "DeveloperTier": 50}
PROVISIONED_LIMIT: Final = 500
BATCH_LIMIT: Final = 1_000_000


def usage_name(sku: str, model: str) -> str:
    """As the list of usages names it."""
    return f"OpenAI.{sku}" if sku in PROVISIONED_SKUS else f"OpenAI.{sku}.{model}"


def label(sku: str, model: str) -> str:
    """As refusals name it. That of provisioned and batch quota is in the manner of the others."""
    if sku in PROVISIONED_SKUS:
        return f"Provisioned Managed Throughput Unit - {sku}"
    what = "Enqueued Tokens (thousands)" if sku in BATCH_SKUS else "Tokens Per Minute (thousands)"
    return f"{what} - {model}" if sku == "Standard" else f"{what} - {model} - {sku}"


def limit_key(subscription: str, *, region: str, usage: str) -> str:
    return f"{subscription.lower()}/{region}/{usage}"


def limit_of(estate: Estate, subscription: str, *, region: str, sku: str, model: str) -> int:
    said = estate.limits.get(limit_key(subscription, region=region, usage=usage_name(sku, model)))
    if said is not None:
        return said
    return PROVISIONED_LIMIT if sku in PROVISIONED_SKUS else BATCH_LIMIT if sku in BATCH_SKUS else LIMITS[sku]


def used(estate: Estate, subscription: str, *, region: str, usage: str, but: Deployment | None = None) -> int:
    """What all deployments hold, deletions under way included; without ``but``."""
    return sum(
        deployment.capacity
        for account in estate.accounts.values()
        if account.subscription.lower() == subscription.lower() and account.location == region
        for deployment in account.deployments.values()
        if deployment is not but and usage_name(deployment.sku, deployment.model) == usage
    )


def claim(estate: Estate, subscription: str, *, region: str, wanted: Deployment, held: Deployment | None) -> None:
    """Is there room for ``wanted`` in the place of ``held``? Raises ``ArmError`` with what is asked, used and allowed."""
    usage = usage_name(wanted.sku, wanted.model)
    others = used(estate, subscription, region=region, usage=usage, but=held)
    had = held.capacity if held is not None and usage_name(held.sku, held.model) == usage else 0
    limit = limit_of(estate, subscription, region=region, sku=wanted.sku, model=wanted.model)
    asked = wanted.capacity - had
    if asked > 0 and others + wanted.capacity > limit:
        raise replies.short_of_quota(label(wanted.sku, wanted.model), asked=asked, used=others + had, limit=limit)
