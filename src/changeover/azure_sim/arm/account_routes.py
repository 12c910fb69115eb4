"""What may be asked of accounts? The accounts themselves, their keys, models, quota and content-filter policies."""

from collections.abc import Callable

import msgspec

from changeover.azure_sim.arm import account_body, model_lists, replies
from changeover.azure_sim.arm.arm_request import ArmRequest
from changeover.azure_sim.arm.calendar import Calendar
from changeover.azure_sim.arm.deployment_request import SYSTEM_POLICIES
from changeover.azure_sim.arm.deployment_routes import DeploymentRoutes
from changeover.azure_sim.arm.estate import PROVIDER, Account, Estate, Subscription
from changeover.azure_sim.arm.replies import ArmError, ArmReply, Json


class AccountRoutes:
    """``endpoint_of`` says where an account's data plane is; ``key`` is the key of all of them."""

    def __init__(
        self, estate: Estate, calendar: Calendar, deployments: DeploymentRoutes, *, key: str, endpoint_of: Callable[[str, str], str]
    ) -> None:
        self._estate = estate
        self._calendar = calendar
        self._deployments = deployments
        self._key = key
        self._endpoint_of = endpoint_of

    def listed(self, request: ArmRequest, subscription: Subscription, *, group: str | None) -> ArmReply:
        found = [
            self._shown(account, request)
            for account in self._estate.accounts.values()
            if account.subscription.lower() == subscription.id.lower() and group in (None, account.group.lower())
        ]
        return request.page(found, size=self._estate.conduct.page_size)

    def answer(self, request: ArmRequest, subscription: Subscription, group: str, rest: list[str]) -> ArmReply:
        """``rest`` is the path below ``accounts``, at least a name. Raises ``ArmError``."""
        name, *below = rest
        if request.method == "PUT" and not below:
            return self._put(request, subscription, group, name)
        account = self._find(subscription, group, name)
        match below[0].lower() if below else "":
            case "deployments":
                return self._deployments.answer(request, account, below[1:])
            case "raipolicies":
                return self._policy(request, account, below[1:])
            case _:
                return self._answer_itself(request, account, [part.lower() for part in below])

    def _answer_itself(self, request: ArmRequest, account: Account, below: list[str]) -> ArmReply:
        size = self._estate.conduct.page_size
        match request.method, below:
            case "GET", []:
                return ArmReply(body=self._shown(account, request))
            case "PATCH", []:
                return self._patch(request, account)
            case "DELETE", []:
                return self._delete(account)
            case "POST", ["listkeys"]:
                return ArmReply(body={"key1": self._key, "key2": self._key})
            case "GET", ["models"]:
                return request.page(model_lists.account_models(self._calendar, region=account.location, now=request.now), size=size)
            case "GET", ["usages"]:
                found = model_lists.usages(self._estate, account.subscription, calendar=self._calendar, region=account.location)
                return request.page(found, size=size)
            case "GET", ["skus"]:
                return request.page([{"resourceType": f"{PROVIDER}/accounts", "sku": {"name": "S0"}}], size=size)
            case _:
                raise replies.no_such_route(request.path)

    def _find(self, subscription: Subscription, group: str, name: str) -> Account:
        account = self._estate.accounts.get(name.lower())
        if account is None or (account.subscription.lower(), account.group.lower()) != (subscription.id.lower(), group.lower()):
            raise replies.no_such_resource(f"{PROVIDER}/accounts/{name}", group=group)
        return account

    def _put(self, request: ArmRequest, subscription: Subscription, group: str, name: str) -> ArmReply:
        wanted = account_body.read_account(name, request.json(), subscription=subscription.id, group=group, now=request.now)
        held = self._estate.accounts.get(name.lower())
        if held is None:
            self._estate.accounts[name.lower()] = wanted
            return ArmReply(status=201, body=self._shown(wanted, request))
        if held.id.lower() != wanted.id.lower():
            message = f"Please pick a different name. The subdomain name '{name}' is not available as it's already used by a resource."
            raise ArmError(409, "CustomDomainInUse", message)
        held.properties, held.rest = wanted.properties, wanted.rest
        return ArmReply(body=self._shown(held, request))

    def _patch(self, request: ArmRequest, account: Account) -> ArmReply:
        sent = request.json()
        account.properties = {**account.properties, **(sent.pop("properties", None) or {})}
        account.rest = {**account.rest, **sent}
        return ArmReply(body=self._shown(account, request))

    def _delete(self, account: Account) -> ArmReply:
        if account.deployments:
            raise replies.has_children()
        del self._estate.accounts[account.name.lower()]
        return ArmReply(status=200)

    def _shown(self, account: Account, request: ArmRequest) -> Json:
        return account_body.shown(account, endpoint=self._endpoint_of(request.base, account.name))

    def _policy(self, request: ArmRequest, account: Account, rest: list[str]) -> ArmReply:
        own = account.policies
        match request.method, rest:
            case "GET", []:
                names = {name.lower(): {"name": name, "properties": _system_policy()} for name in SYSTEM_POLICIES} | own
                return request.page([_shown_policy(each, account) for each in names.values()], size=self._estate.conduct.page_size)
            case "GET", [name]:
                found = own.get(name.lower())
                if found is None and name.lower() in {each.lower() for each in SYSTEM_POLICIES}:
                    found = {"name": name, "properties": _system_policy()}
                if found is None:
                    raise replies.no_such_resource(f"{PROVIDER}/accounts/{account.name}/raiPolicies/{name}", group=account.group)
                return ArmReply(body=_shown_policy(found, account))
            case "PUT", [name]:
                is_new = name.lower() not in own
                own[name.lower()] = {**request.json(), "name": name}
                return ArmReply(status=201 if is_new else 200, body=_shown_policy(own[name.lower()], account))
            case "DELETE", [name]:
                self._check_unused(account, name)
                return ArmReply(status=204 if own.pop(name.lower(), None) is None else 200)
            case _:
                raise replies.no_such_route(request.path)

    def _check_unused(self, account: Account, name: str) -> None:
        users = [each.name for each in account.deployments.values() if str(each.properties["raiPolicyName"]).lower() == name.lower()]
        if users:
            raise ArmError(409, "RaiPolicyInUse", f"The RAI policy '{name}' is used by the account deployments '{', '.join(users)}'.")


def _shown_policy(policy: Json, account: Account) -> Json:
    kind = f"{PROVIDER}/accounts/raiPolicies"
    properties = msgspec.to_builtins(policy.get("properties") or {})
    return {
        **policy,
        "id": f"{account.id}/raiPolicies/{policy['name']}",
        "type": kind,
        "properties": {"type": "UserManaged", "mode": "Default", **properties},
    }


def _system_policy() -> Json:
    filters = [
        {"name": name, "blocking": True, "enabled": True, "severityThreshold": "Medium", "source": source}
        for source in ("Prompt", "Completion")
        for name in ("Hate", "Sexual", "Violence", "Selfharm")
    ]
    return {"type": "SystemManaged", "mode": "Blocking", "contentFilters": filters}
