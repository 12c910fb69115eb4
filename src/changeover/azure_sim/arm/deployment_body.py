"""How does Azure show a deployment? What was sent comes back, with what the service adds and what it alone may say."""

import hashlib
from typing import Final

from changeover.azure_sim.arm.calendar import Calendar
from changeover.azure_sim.arm.catalogue import PROVISIONED_SKUS, TOKEN_SKUS
from changeover.azure_sim.arm.estate import PROVIDER, Account, Deployment
from changeover.azure_sim.arm.moments import finely_written
from changeover.azure_sim.arm.replies import Json

TYPE: Final = f"{PROVIDER}/accounts/deployments"
REQUEST_WINDOW_S: Final = 10
TOKEN_WINDOW_S: Final = 60
TOKENS_PER_CAPACITY: Final = 1000
_ACCEPTED_SHARE: Final = 0.3
"""So much of the time of a creation is shown as Accepted, the rest as Creating."""


def shown(deployment: Deployment, *, account: Account, calendar: Calendar, now: float) -> Json:
    """The whole body."""
    body: Json = {
        **deployment.rest,
        "id": f"{account.id}/deployments/{deployment.name}",
        "type": TYPE,
        "name": deployment.name,
        "sku": {"name": deployment.sku, "capacity": deployment.capacity},
        "properties": _properties(deployment, region=account.location, calendar=calendar, now=now),
        "systemData": _system_data(deployment),
        "etag": etag(deployment, account=account),
    }
    return body


def etag(deployment: Deployment, *, account: Account) -> str:
    """Another one after every change, in the form of a quoted GUID."""
    told = f"{account.id}/{deployment.name}/{deployment.created_at}/{deployment.revision}".lower()
    digits = hashlib.blake2b(told.encode(), digest_size=16).hexdigest()
    return f'"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"'


def provisioning_state(deployment: Deployment, *, now: float) -> str:
    if now >= deployment.settled_at:
        return deployment.ends_as
    if deployment.working == "Creating":
        took = deployment.settled_at - deployment.changed_at
        return "Accepted" if now < deployment.changed_at + took * _ACCEPTED_SHARE else "Creating"
    return deployment.working


def _properties(deployment: Deployment, *, region: str, calendar: Calendar, now: float) -> Json:
    known: Json = {"provisioningState": provisioning_state(deployment, now=now)}
    row = calendar.offered(deployment.model, deployment.version, region=region)
    if row is not None:
        known["capabilities"] = row.capabilities
    known["currentCapacity"] = deployment.capacity
    known["rateLimits"] = _rate_limits(deployment)
    known["deploymentState"] = "Paused" if deployment.paused else "Running"
    sent = {name: value for name, value in deployment.properties.items() if value is not None}
    return {**sent, **known}


def _rate_limits(deployment: Deployment) -> list[Json]:
    requests = {"key": "request", "renewalPeriod": REQUEST_WINDOW_S, "count": deployment.capacity}
    if deployment.sku in PROVISIONED_SKUS:
        return [requests]
    tokens = {"key": "token", "renewalPeriod": TOKEN_WINDOW_S, "count": deployment.capacity * TOKENS_PER_CAPACITY}
    return [requests, tokens] if deployment.sku in TOKEN_SKUS else []


def _system_data(deployment: Deployment) -> Json:
    return {
        "createdBy": deployment.created_by,
        "createdByType": "Application",
        "createdAt": finely_written(deployment.created_at),
        "lastModifiedBy": deployment.changed_by,
        "lastModifiedByType": "Application",
        "lastModifiedAt": finely_written(deployment.changed_at),
    }
