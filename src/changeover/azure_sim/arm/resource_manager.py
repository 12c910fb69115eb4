"""How does Azure Resource Manager answer? Who calls is checked first, then the path is followed to whoever knows."""

from collections.abc import Callable
from typing import Final

import msgspec

from changeover.azure_sim.arm import replies
from changeover.azure_sim.arm.account_routes import AccountRoutes
from changeover.azure_sim.arm.arm_request import ArmRequest
from changeover.azure_sim.arm.calendar import Calendar
from changeover.azure_sim.arm.callers import Callers, authorise
from changeover.azure_sim.arm.catalogue import REGIONS
from changeover.azure_sim.arm.deployment_routes import DeploymentRoutes
from changeover.azure_sim.arm.estate import PROVIDER, Estate, Group, Subscription
from changeover.azure_sim.arm.faults import FaultPlan
from changeover.azure_sim.arm.location_routes import LocationRoutes
from changeover.azure_sim.arm.replies import ArmError, ArmReply, Json

ROOTS: Final = frozenset({"subscriptions", "tenants", "providers"})
_DEEDS: Final = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete", "POST": "action"}
_GROUP_PARTS: Final = 4


class ResourceManager:
    """``endpoint_of(base, account)`` is where an account's data plane answers."""

    def __init__(
        self, estate: Estate, calendar: Calendar, callers: Callers, *, new_id: Callable[[], str], key: str,
        endpoint_of: Callable[[str, str], str],
    ) -> None:  # fmt: skip
        self._estate = estate
        self._callers = callers
        self.faults = FaultPlan()
        deployments = DeploymentRoutes(estate, calendar, new_id=new_id, next_failure=self._next_failure)
        self._accounts = AccountRoutes(estate, calendar, deployments, key=key, endpoint_of=endpoint_of)
        self._locations = LocationRoutes(estate, calendar)

    def answer(self, request: ArmRequest) -> ArmReply:
        try:
            return self._answer(request)
        except ArmError as error:
            return error.reply()

    def _answer(self, request: ArmRequest) -> ArmReply:
        caller = self._callers.of_arm(request.headers.get("authorization"), base=request.base)
        authorise(caller, method=request.method, action=_action(request), scope=request.path)
        request = msgspec.structs.replace(request, by=caller.client_id)
        _ = request.api_version
        parts = request.parts
        match request.low:
            case ["tenants"]:
                tenant = {"id": f"/tenants/{self._estate.tenant}", "tenantId": self._estate.tenant, "displayName": "changeover azure-sim"}
                return request.page([tenant], size=1)
            case ["subscriptions"]:
                seen = [each for each in self._estate.subscriptions.values() if caller.role_in(each.id) != "none"]
                return request.page([self._shown(each) for each in seen], size=self._estate.conduct.page_size)
            case ["subscriptions", name]:
                return ArmReply(body=self._shown(self._subscription(name)))
            case ["subscriptions", name, "locations"]:
                return request.page([{"name": region, "displayName": region} for region in REGIONS], size=len(REGIONS))
            case ["subscriptions", name, "resourcegroups", *_]:
                return self._below_groups(request, self._subscription(name), parts[3:])
            case ["subscriptions", name, "providers", provider, *_] if provider == PROVIDER.lower():
                return self._below_provider(request, self._subscription(name), parts[_GROUP_PARTS:])
            case _:
                raise replies.no_such_route(request.path)

    def _below_provider(self, request: ArmRequest, subscription: Subscription, rest: list[str]) -> ArmReply:
        _check_version(request, rest)
        if request.method == "GET" and [part.lower() for part in rest] == ["accounts"]:
            return self._accounts.listed(request, subscription, group=None)
        return self._locations.answer(request, subscription, rest)

    def _below_groups(self, request: ArmRequest, subscription: Subscription, parts: list[str]) -> ArmReply:
        match request.method, [part.lower() for part in parts]:
            case "GET", []:
                groups = [_shown_group(each, subscription) for each in subscription.groups.values()]
                return request.page(groups, size=self._estate.conduct.page_size)
            case "PUT", [_]:
                return self._put_group(request, subscription, parts[0])
            case (("GET" | "HEAD"), [name]):
                group = _group(subscription, name)
                return ArmReply(body=_shown_group(group, subscription)) if request.method == "GET" else ArmReply(status=204)
            case _, [name, "providers", provider, "accounts", *_] if provider == PROVIDER.lower():
                group = _group(subscription, name)
                below = parts[4:]
                _check_version(request, ["accounts", *below])
                if request.method == "GET" and not below:
                    return self._accounts.listed(request, subscription, group=group.name.lower())
                if below:
                    return self._accounts.answer(request, subscription, group.name, below)
                raise replies.wrong_method(request.method)
            case _:
                raise replies.no_such_route(request.path)

    def _put_group(self, request: ArmRequest, subscription: Subscription, name: str) -> ArmReply:
        sent = request.json()
        if not sent.get("location"):
            raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
        is_new = name.lower() not in subscription.groups
        group = Group(name=name, location=str(sent["location"]), tags=sent.get("tags") or {})
        subscription.groups[name.lower()] = group
        return ArmReply(status=201 if is_new else 200, body=_shown_group(group, subscription))

    def _subscription(self, name: str) -> Subscription:
        found = self._estate.subscriptions.get(name)
        if found is None:
            raise replies.no_such_subscription(name)
        return found

    def _shown(self, subscription: Subscription) -> Json:
        return {
            "id": f"/subscriptions/{subscription.id}",
            "subscriptionId": subscription.id,
            "displayName": subscription.name,
            "tenantId": self._estate.tenant,
            "homeTenantId": self._estate.tenant,
            "managedByTenants": [],
            "state": "Enabled",
            "authorizationSource": "RoleBased",
        }

    def _next_failure(self, request: ArmRequest) -> Json | None:
        fault = self.faults.next(request, operation=True)
        return None if fault is None else fault.error()


def _check_version(request: ArmRequest, rest: list[str]) -> None:
    low = [part.lower() for part in rest]
    kind = "locations" if low[:1] == ["locations"] else "accounts/deployments" if "deployments" in low[2:3] else (low[0] if low else "")
    where = low[1] if kind == "locations" and len(low) > 1 else "global"
    request.check_provider_version(location=where, kind=kind, locations=REGIONS)


def _group(subscription: Subscription, name: str) -> Group:
    found = subscription.groups.get(name.lower())
    if found is None:
        raise replies.no_such_group(name)
    return found


def _shown_group(group: Group, subscription: Subscription) -> Json:
    return {
        "id": f"/subscriptions/{subscription.id}/resourceGroups/{group.name}",
        "name": group.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
        "tags": group.tags,
        "properties": {"provisioningState": "Succeeded"},
    }


def _action(request: ArmRequest) -> str:
    """The name of what is done, as roles name it: the provider and every second part of the path behind it."""
    parts = request.parts
    low = request.low
    if "providers" not in low:
        return f"Microsoft.Resources/subscriptions/{_DEEDS.get(request.method, 'action')}"
    behind = parts[low.index("providers") + 2 :]
    deed = _DEEDS.get(request.method, "action")
    kinds = "/".join(behind[0::2]) if request.method != "POST" else "/".join([*behind[0:-1:2], *behind[-1:]])
    return f"{PROVIDER}/{kinds}/{deed}"
