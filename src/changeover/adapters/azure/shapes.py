"""What do Resource Manager's answers say? JSON in, our records out; what is unknown here is left where it is."""

import re
from collections.abc import Iterable
from typing import Final, TypeVar, cast

import msgspec

from changeover.ports.cloud import CloudError
from changeover.provision.actual import ActualAccount, ActualDeployment, FilterPolicy
from changeover.provision.offers import Offer, SkuOffer
from changeover.provision.quota import Quota
from changeover.versions import ModelVersion
from changeover.versions.dates import first_moment

T = TypeVar("T")
Json = dict[str, object]

MODEL_KINDS: Final = frozenset({"openai", "aiservices"})
"""Kinds of resources that hold model deployments."""
OPENAI_API: Final = "OpenAI Language Model Instance API"
_GROUP: Final = re.compile(r"/resourceGroups/([^/]+)/", re.IGNORECASE)
_SUBSCRIPTION: Final = re.compile(r"/subscriptions/([^/]+)/", re.IGNORECASE)


class _Sku(msgspec.Struct, rename="camel"):
    name: str = ""
    capacity: int | None = None


class _Model(msgspec.Struct, rename="camel"):
    name: str = ""
    version: str = ""
    format: str = "OpenAI"


class _DeploymentProperties(msgspec.Struct, rename="camel"):
    model: _Model = msgspec.field(default_factory=_Model)
    provisioning_state: str = "Succeeded"
    version_upgrade_option: str | None = None
    rai_policy_name: str | None = None
    deployment_state: str | None = None
    scale_settings: _Sku | None = None


class _Deployment(msgspec.Struct, rename="camel"):
    name: str
    sku: _Sku | None = None
    properties: _DeploymentProperties = msgspec.field(default_factory=_DeploymentProperties)


class _AccountProperties(msgspec.Struct, rename="camel"):
    endpoint: str | None = None
    endpoints: dict[str, str | None] | None = None


class _Account(msgspec.Struct, rename="camel"):
    id: str
    name: str
    location: str = ""
    kind: str = ""
    properties: _AccountProperties = msgspec.field(default_factory=_AccountProperties)


class _CapacityRange(msgspec.Struct, rename="camel"):
    minimum: int | None = None
    maximum: int | None = None
    step: int | None = None
    default: int | None = None
    allowed_values: list[int] | None = None


class _OfferedSku(msgspec.Struct, rename="camel"):
    name: str = ""
    usage_name: str = ""
    deprecation_date: str | None = None
    capacity: _CapacityRange | None = None


class _Deprecation(msgspec.Struct, rename="camel"):
    inference: str | None = None
    deprecation_status: str | None = None


class _Replacement(msgspec.Struct, rename="camel"):
    target_model_name: str | None = None
    target_model_version: str | None = None
    auto_upgrade_start_date: str | None = None


class _OfferedModel(msgspec.Struct, rename="camel"):
    name: str = ""
    version: str = ""
    format: str = "OpenAI"
    is_default_version: bool | None = None
    lifecycle_status: str = ""
    deprecation: _Deprecation | None = None
    replacement_config: _Replacement | None = None
    skus: list[_OfferedSku] | None = None


class _Listed(msgspec.Struct, rename="camel"):
    kind: str = ""
    model: _OfferedModel = msgspec.field(default_factory=_OfferedModel)


class _UsageName(msgspec.Struct):
    value: str = ""


class _Usage(msgspec.Struct, rename="camel"):
    name: _UsageName = msgspec.field(default_factory=_UsageName)
    current_value: float = 0
    limit: float = 0


class _PolicyProperties(msgspec.Struct, rename="camel"):
    base_policy_name: str | None = None
    mode: str | None = None


class _Policy(msgspec.Struct, rename="camel"):
    name: str = ""
    properties: _PolicyProperties = msgspec.field(default_factory=_PolicyProperties)


def deployment_of(body: Json) -> ActualDeployment:
    """Also of the old form, with ``scaleSettings`` in place of a SKU."""
    found = _read(body, _Deployment)
    told = found.properties
    sku = found.sku or told.scale_settings or _Sku()
    return ActualDeployment(
        name=found.name,
        model=ModelVersion(name=told.model.name, version=told.model.version),
        format=told.model.format,
        sku=sku.name or "Standard",
        capacity=sku.capacity,
        upgrade=told.version_upgrade_option,
        content_filter=told.rai_policy_name,
        state=told.provisioning_state,
        paused=(told.deployment_state or "").casefold() == "paused",
    )


def accounts_of(entries: Iterable[Json]) -> tuple[ActualAccount, ...]:
    """Those that hold model deployments."""
    read = (_read(entry, _Account) for entry in entries)
    return tuple(_account(each) for each in read if each.kind.casefold() in MODEL_KINDS)


def offers_of(entries: Iterable[Json]) -> tuple[Offer, ...]:
    """From a region's list, or a resource's own, which leaves out one level."""
    return tuple(_offer(_read(entry if "model" in entry else {"model": entry}, _Listed)) for entry in entries)


def quotas_of(entries: Iterable[Json], *, subscription: str, region: str) -> tuple[Quota, ...]:
    read = [_read(entry, _Usage) for entry in entries]
    return tuple(
        Quota(subscription=subscription, region=region, name=each.name.value, used=int(each.current_value), limit=int(each.limit))
        for each in read
        if each.name.value
    )


def filters_of(entries: Iterable[Json]) -> tuple[FilterPolicy, ...]:
    read = [_read(entry, _Policy) for entry in entries]
    return tuple(
        FilterPolicy(name=each.name, base=each.properties.base_policy_name or "", mode=each.properties.mode or "") for each in read
    )


def _account(found: _Account) -> ActualAccount:
    endpoints = found.properties.endpoints or {}
    return ActualAccount(
        name=found.name,
        subscription=_part(_SUBSCRIPTION, found.id),
        resource_group=_part(_GROUP, found.id),
        region=found.location,
        kind=found.kind,
        endpoint=(endpoints.get(OPENAI_API) or found.properties.endpoint or "").rstrip("/"),
    )


def _offer(found: _Listed) -> Offer:
    model = found.model
    ends, follows = model.deprecation or _Deprecation(), model.replacement_config or _Replacement()
    target = follows.target_model_name
    return Offer(
        model=ModelVersion(name=model.name, version=model.version),
        format=model.format,
        kind=found.kind,
        status=model.lifecycle_status,
        is_default=bool(model.is_default_version),
        retires_at=_moment(ends.inference),
        is_tentative=ends.deprecation_status == "Tentative",
        replacement=None if target is None else ModelVersion(name=target, version=follows.target_model_version or ""),
        upgrade_starts_at=_moment(follows.auto_upgrade_start_date),
        skus=tuple(_sku(each) for each in model.skus or ()),
    )


def _sku(found: _OfferedSku) -> SkuOffer:
    sizes = found.capacity or _CapacityRange()
    return SkuOffer(
        name=found.name,
        quota=found.usage_name,
        retires_at=_moment(found.deprecation_date),
        minimum=sizes.minimum,
        maximum=sizes.maximum,
        step=sizes.step,
        default=sizes.default,
        allowed=tuple(sizes.allowed_values or ()),
    )


def _moment(text: str | None) -> float | None:
    return None if text is None else first_moment(text)


def _part(pattern: re.Pattern[str], identifier: str) -> str:
    found = pattern.search(identifier)
    return "" if found is None else found.group(1)


def _read(body: Json, kind: type[T]) -> T:
    """Numbers may come as text, and nothing may come as null."""
    try:
        return msgspec.convert(_without_nulls(body), kind, strict=False)
    except msgspec.ValidationError as error:
        raise CloudError("unreadable", f"an answer of Azure is not as documented: {error}") from None


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in cast("Json", value).items() if inner is not None}
    return value
