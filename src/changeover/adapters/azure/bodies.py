"""What is sent for a deployment? What is there already, unknown fields and all, with our own fields laid over it."""

from typing import Final, cast

from changeover.provision.plan import Order

Json = dict[str, object]

READ_ONLY: Final = frozenset(
    {
        "provisioningState",
        "capabilities",
        "callRateLimit",
        "rateLimits",
        "dynamicThrottlingEnabled",
        "currentCapacity",
        "deploymentState",
        "scaleSettings",
    }
)
"""Properties that the service alone may say, and the old one that it no longer takes."""
_ENVELOPE: Final = frozenset({"id", "name", "type", "etag", "systemData"})


def put_body(order: Order, before: Json | None) -> Json:
    """The whole of it: a PUT replaces. The upgrade option is always among it, for leaving it out is no pin."""
    kept = {key: value for key, value in (before or {}).items() if key not in _ENVELOPE}
    properties = {key: value for key, value in _mapping(kept.get("properties")).items() if key not in READ_ONLY}
    properties["model"] = _mapping(properties.get("model")) | {
        "format": order.format,
        "name": order.model.name,
        "version": order.model.version,
    }
    properties["versionUpgradeOption"] = order.upgrade
    if order.content_filter is not None:
        properties["raiPolicyName"] = order.content_filter
    sku = _mapping(kept.get("sku")) | {"name": order.sku, "capacity": order.capacity}
    return kept | {"sku": sku, "properties": properties}


def _mapping(value: object) -> Json:
    return dict(cast("Json", value)) if isinstance(value, dict) else {}
