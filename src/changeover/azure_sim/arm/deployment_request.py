"""What deployment does a PUT ask for? Reads and checks the body as the service does, and fills in what it fills in."""

from typing import Any, Final

from changeover.azure_sim.arm import replies
from changeover.azure_sim.arm.calendar import Calendar
from changeover.azure_sim.arm.catalogue import ALL_SKUS, CAPACITY_MAX
from changeover.azure_sim.arm.estate import Account, Deployment, Subscription
from changeover.azure_sim.arm.moments import american
from changeover.azure_sim.arm.replies import Json, as_object

DEFAULT_UPGRADE: Final = "OnceNewDefaultVersionAvailable"
"""What the service takes where nothing is said: no pin."""
UPGRADE_OPTIONS: Final = (DEFAULT_UPGRADE, "OnceCurrentVersionExpired", "NoAutoUpgrade")
DEFAULT_POLICY: Final = "Microsoft.Default"
SYSTEM_POLICIES: Final = (DEFAULT_POLICY, "Microsoft.DefaultV2")
_READ_ONLY: Final = frozenset({"provisioningState", "capabilities", "rateLimits", "callRateLimit", "currentCapacity", "deploymentState"})
_ENVELOPE: Final = frozenset({"id", "type", "name", "sku", "properties", "systemData", "etag"})


def read_put(name: str, body: Json, *, calendar: Calendar, account: Account, now: float, by: str) -> Deployment:
    """A new deployment, not yet checked against dates and quota. Raises ``ArmError``."""
    properties = as_object(body.get("properties")) or {}
    model = as_object(properties.get("model"))
    if model is None:
        raise replies.invalid_properties("The model of account deployment is not provided.")
    if properties.get("scaleSettings") is not None:
        raise replies.scale_settings_are_gone()
    sku, capacity = read_sku(body.get("sku"), default=None)
    kept = {key: value for key, value in properties.items() if key not in _READ_ONLY}
    kept["model"] = _model(model, calendar=calendar, region=account.location, now=now)
    return Deployment(
        name=name,
        sku=sku,
        capacity=capacity,
        properties={**kept, **_filled_in(properties, account=account)},
        rest={key: value for key, value in body.items() if key not in _ENVELOPE},
        created_at=now,
        changed_at=now,
        created_by=by,
        changed_by=by,
        version_since_at=now,
        settled_at=now,
    )


def read_sku(sent: Any, *, default: Deployment | None) -> tuple[str, int]:
    """Name and capacity; numbers may come as text, as the ``az`` client sends them."""
    sku = as_object(sent)
    if sku is None:
        raise replies.invalid_properties("The sku of model deployment is not provided.")
    name = sku.get("name") or (default.sku if default else None)
    if name not in ALL_SKUS:
        raise replies.invalid_properties(f"The deployment sku name '{name}' is invalid.")
    capacity = sku.get("capacity", default.capacity if default else 1)
    try:
        number = int(capacity)
    except (TypeError, ValueError):
        raise replies.invalid_content(f"the capacity '{capacity}' is not a number") from None
    if not 0 < number <= CAPACITY_MAX:
        raise replies.invalid_properties(f"The capacity '{number}' of account deployment should be between 1 and {CAPACITY_MAX}.")
    return str(name), number


def check_offer(wanted: Deployment, *, calendar: Calendar, account: Account, subscription: Subscription, now: float) -> None:
    """Is this version offered here, in this SKU, at this time, to this customer? Raises ``ArmError``."""
    model: Json = wanted.properties["model"]
    row = calendar.offered(wanted.model, wanted.version, region=account.location)
    if row is None:
        raise replies.unsupported_model(model)
    if wanted.sku not in row.skus:
        raise replies.unsupported_sku(wanted.sku, model=wanted.model, version=wanted.version)
    retires_at = calendar.retires_at(row, region=account.location, sku=wanted.sku)
    if now >= retires_at:
        raise replies.retired_model(model, since=american(retires_at))
    if row.lifecycle == "Deprecated":
        raise replies.retired_model(model, since=american(row.retires_at))
    known = subscription.established or f"{row.name}@{row.version}" in subscription.has_deployed
    if row.lifecycle == "Deprecating" and not known:
        raise replies.closed_to_new_customers(model)


def _model(model: Json, *, calendar: Calendar, region: str, now: float) -> Json:
    """Without a version the service takes the default one."""
    name = model.get("name")
    if not isinstance(name, str) or not name:
        raise replies.invalid_properties("The model name of account deployment is not provided.")
    version = model.get("version") or calendar.default_version(name, region=region, at=now)
    if version is None:
        raise replies.unsupported_model(model)
    return {"format": "OpenAI", **model, "version": str(version)}


def _filled_in(properties: Json, *, account: Account) -> Json:
    option = properties.get("versionUpgradeOption", DEFAULT_UPGRADE)
    if option is not None and option not in UPGRADE_OPTIONS:
        raise replies.invalid_properties(f"The versionUpgradeOption '{option}' of account deployment is invalid.")
    policy = properties.get("raiPolicyName") or DEFAULT_POLICY
    if policy not in SYSTEM_POLICIES and str(policy).lower() not in account.policies:
        raise replies.invalid_properties(f"The RAI policy '{policy}' of account deployment does not exist.")
    return {"versionUpgradeOption": option, "raiPolicyName": policy}
