"""How does Azure list models, capacities and quota? For an account, for a region, with dates and limits."""

from typing import Final

import msgspec

from changeover.azure_sim.arm import quota
from changeover.azure_sim.arm.calendar import Calendar
from changeover.azure_sim.arm.catalogue import ALL_SKUS, BATCH_SKUS, CAPACITY_MAX, PROVISIONED_SKUS, REGIONS, ModelVersion
from changeover.azure_sim.arm.estate import PROVIDER, Estate
from changeover.azure_sim.arm.moments import DAY_S, NEVER, written
from changeover.azure_sim.arm.replies import Json

ACCOUNTS_MAX: Final = 200
KINDS: Final = ("OpenAI", "AIServices")
PROVISIONED_STEP: Final = 5
PROVISIONED_LEAST: Final = 15
_GA_DAYS: Final = 548
_TOKENS_PER_UNIT: Final = 2500
"""Tokens a minute that one provisioned unit is taken to carry, an output token counting as four: the stage's own figure."""
_OUTPUT_WEIGHT: Final = 4


def account_model(row: ModelVersion, *, calendar: Calendar, region: str, now: float) -> Json:
    """One version, as accounts and regions list it."""
    retires_at = calendar.retires_at(row, region=region)
    body: Json = {
        "format": "OpenAI",
        "name": row.name,
        "version": row.version,
        "isDefaultVersion": calendar.default_version(row.name, region=region, at=now) == row.version,
        "skus": [_sku(row, sku, calendar=calendar, region=region) for sku in row.skus],
        "maxCapacity": CAPACITY_MAX,
        "capabilities": row.capabilities,
        "lifecycleStatus": calendar.lifecycle(row, region=region, at=now),
        "deprecation": {"inference": written(retires_at), "deprecationStatus": "Planned" if row.replacement else "Tentative"},
        "modelCatalogAssetId": f"azureml://registries/azure-openai/models/{row.name}/versions/{row.version}",
        "systemData": _made(row),
    }
    if retires_at == NEVER:
        body["deprecation"] = {"inference": written(NEVER)}
    if row.fine_tuned:
        body["finetuneCapabilities"] = row.capabilities | {"fineTune": "true"}
        body["deprecation"]["fineTune"] = written(retires_at)
    if row.replacement is not None:
        replacement = row.replacement
        body["replacementConfig"] = {
            "targetModelName": replacement.name,
            "targetModelVersion": replacement.version,
            "autoUpgradeStartDate": written(retires_at - replacement.lead_days * DAY_S),
            "upgradeOnExpiryLeadTimeDays": replacement.lead_days,
        }
    return body


def account_models(calendar: Calendar, *, region: str, now: float) -> list[Json]:
    rows = [row for row in calendar.all() if region in row.regions]
    return [account_model(row, calendar=calendar, region=region, now=now) for row in rows]


def region_models(calendar: Calendar, *, region: str, now: float) -> list[Json]:
    models = account_models(calendar, region=region, now=now)
    return [{"kind": kind, "skuName": "S0", "model": model} for model in models for kind in KINDS]


def capacities(estate: Estate, subscription: str, rows: list[ModelVersion], *, region: str) -> list[Json]:
    """What could still be deployed of ``rows``, SKU by SKU."""
    found: list[Json] = []
    for row in rows:
        for sku in row.skus:
            usage = quota.usage_name(sku, row.name)
            limit = quota.limit_of(estate, subscription, region=region, sku=sku, model=row.name)
            left = max(0, limit - quota.used(estate, subscription, region=region, usage=usage))
            where = f"/subscriptions/{subscription}/providers/{PROVIDER}/locations/{region}/models/OpenAI.{row.name}.{row.version}"
            found.append({
                "id": f"{where}/skuCapacities/{sku}",
                "type": f"{PROVIDER}/locations/models/skuCapacities",
                "name": sku,
                "location": region,
                "properties": {
                    "model": {"format": "OpenAI", "name": row.name, "version": row.version},
                    "skuName": sku,
                    "availableCapacity": left,
                    "availableFinetuneCapacity": 0,
                    "scopeType": "Regional",
                    "scopeId": region,
                },
            })  # fmt: skip
    return found


def usages(estate: Estate, subscription: str, *, calendar: Calendar, region: str) -> list[Json]:
    accounts = sum(1 for account in estate.accounts.values() if account.subscription.lower() == subscription.lower())
    rows = [_usage("AccountCount", "Cognitive Services total account limit", held=accounts, limit=ACCOUNTS_MAX, region=region)]
    pairs = {quota.usage_name(sku, row.name): (sku, row.name) for row in calendar.all() if region in row.regions for sku in row.skus}
    for usage, (sku, model) in sorted(pairs.items()):
        held = quota.used(estate, subscription, region=region, usage=usage)
        limit = quota.limit_of(estate, subscription, region=region, sku=sku, model=model)
        rows.append(_usage(usage, quota.label(sku, model), held=held, limit=limit, region=region))
    return rows


def resource_skus() -> list[Json]:
    return [
        {"resourceType": "accounts", "name": "S0", "tier": "Standard", "kind": kind, "locations": [region.upper()], "restrictions": []}
        for kind in KINDS
        for region in REGIONS
    ]


def deployment_skus(row: ModelVersion, *, sku: str, held: int) -> list[Json]:
    """What a deployment may be changed to."""
    capacity = _capacity(sku)
    return (
        [{"resourceType": f"{PROVIDER}/accounts/deployments", "sku": {"name": sku, "capacity": held}, "capacity": capacity}]
        if (sku in row.skus)
        else []
    )


class Load(msgspec.Struct, frozen=True, rename="camel"):
    """Of one request."""

    avg_prompt_tokens: float = 0.0
    avg_generated_tokens: float = 0.0


class Workload(msgspec.Struct, frozen=True, rename="camel"):
    request_per_minute: float = 0.0
    request_parameters: Load = Load()


def provisioned_estimate(workloads: list[Workload]) -> tuple[int, int]:
    """Provisioned units for the workloads: the estimate, and the next that can be deployed."""
    loads = [(each.request_per_minute, each.request_parameters) for each in workloads]
    tokens = sum(rate * (load.avg_prompt_tokens + _OUTPUT_WEIGHT * load.avg_generated_tokens) for rate, load in loads)
    units = -int(-tokens // _TOKENS_PER_UNIT)
    steps = -(-max(0, units - PROVISIONED_LEAST) // PROVISIONED_STEP)
    return units, PROVISIONED_LEAST + steps * PROVISIONED_STEP


def _sku(row: ModelVersion, sku: str, *, calendar: Calendar, region: str) -> Json:
    body: Json = {"name": sku, "usageName": quota.usage_name(sku, row.name), "capacity": _capacity(sku)}
    if sku not in PROVISIONED_SKUS and sku not in BATCH_SKUS:
        body["rateLimits"] = [
            {"key": "request", "renewalPeriod": 60, "count": row.requests_per_capacity},
            {"key": "token", "renewalPeriod": 60, "count": 1000},
        ]
    date = calendar.sku_date(row, region=region, sku=sku)
    return body if date is None else {**body, "deprecationDate": written(date)}


def _capacity(sku: str) -> Json:
    if sku in PROVISIONED_SKUS:
        return {"minimum": PROVISIONED_LEAST, "maximum": CAPACITY_MAX, "step": PROVISIONED_STEP, "default": PROVISIONED_LEAST}
    assert sku in ALL_SKUS
    return {"minimum": 1, "maximum": CAPACITY_MAX, "step": 1, "default": 10}


def _usage(name: str, label: str, *, held: int, limit: int, region: str) -> Json:
    shown = {"name": {"value": name, "localizedValue": label}, "currentValue": held, "limit": limit, "unit": "Count"}
    return {**shown, "scopeType": "Regional", "scopeId": region}


def _made(row: ModelVersion) -> Json:
    made = written(row.retires_at - _GA_DAYS * DAY_S)
    by = {"createdBy": "Microsoft", "createdByType": "Application", "lastModifiedBy": "Microsoft", "lastModifiedByType": "Application"}
    return by | {"createdAt": made, "lastModifiedAt": made}
