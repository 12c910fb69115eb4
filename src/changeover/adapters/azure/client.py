"""``Cloud`` by Azure Resource Manager."""

import asyncio
from typing import Final, assert_never, cast
from urllib.parse import quote

from changeover.adapters.azure.bodies import put_body
from changeover.adapters.azure.http import Answer, ArmHttp, Json
from changeover.adapters.azure.shapes import accounts_of, deployment_of, filters_of, offers_of, quotas_of
from changeover.ports.cloud import CloudError, Subscription, Tell
from changeover.provision.actual import AccountKey, ActualAccount, ActualDeployment, FilterPolicy
from changeover.provision.known import Region
from changeover.provision.plan import Step, changes_between

PROVIDER: Final = "Microsoft.CognitiveServices"
SUBSCRIPTIONS_API_VERSION: Final = "2022-12-01"
POLL_S: Final = 2.0
POLLS_MAX: Final = 2400
"""A provisioned deployment may take half an hour."""
_DONE: Final = frozenset({"succeeded", "failed", "canceled", "cancelled"})


class AzureCloud:
    """See ``Cloud``. One write at a time to each account: Azure refuses a second one."""

    def __init__(self, http: ArmHttp) -> None:
        self._http = http
        self._turns: dict[AccountKey, asyncio.Lock] = {}

    async def subscriptions(self) -> tuple[Subscription, ...]:
        """See ``CloudReader``. Disabled ones are left out."""
        found = await self._http.get_all("/subscriptions", api_version=SUBSCRIPTIONS_API_VERSION)
        return tuple(
            Subscription(id=str(each["subscriptionId"]), name=str(each.get("displayName") or ""))
            for each in found
            if str(each.get("state") or "Enabled") in ("Enabled", "Warned", "PastDue")
        )

    async def accounts(self, subscription: str) -> tuple[ActualAccount, ...]:
        """See ``CloudReader``."""
        return accounts_of(await self._http.get_all(f"/subscriptions/{_part(subscription)}/providers/{PROVIDER}/accounts"))

    async def deployments(self, account: AccountKey) -> tuple[ActualDeployment, ...]:
        """See ``CloudReader``."""
        return tuple(map(deployment_of, await self._http.get_all(f"{_account_path(account)}/deployments")))

    async def filters(self, account: AccountKey) -> tuple[FilterPolicy, ...]:
        """See ``CloudReader``."""
        return filters_of(await self._http.get_all(f"{_account_path(account)}/raiPolicies"))

    async def region(self, subscription: str, region: str) -> Region:
        """See ``CloudReader``."""
        place = f"/subscriptions/{_part(subscription)}/providers/{PROVIDER}/locations/{_part(region.replace(' ', '').lower())}"
        models, usages = await asyncio.gather(self._http.get_all(f"{place}/models"), self._http.get_all(f"{place}/usages"))
        return Region(offers=offers_of(models), quotas=quotas_of(usages, subscription=subscription, region=region))

    async def carry_out(self, step: Step, *, tell: Tell) -> ActualDeployment | None:
        """See ``Cloud``."""
        path = f"{_account_path(step.account)}/deployments/{_part(step.deployment)}"
        async with self._turns.setdefault(step.account, asyncio.Lock()):
            before = await self._settled(path, tell)
            match step.act:
                case "create" | "replace" | "pin" | "update":
                    return await self._write(path, step, before, tell)
                case "pause" | "resume":
                    return await self._pause(path, step, before, tell)
                case "delete":
                    return await self._delete(path, before, tell)
                case _:
                    assert_never(step.act)

    async def _write(self, path: str, step: Step, before: Json | None, tell: Tell) -> ActualDeployment:
        order = step.order
        assert order is not None, "a write says what it writes"
        actual = None if before is None else deployment_of(before)
        if actual is not None and actual.model != order.model:
            found = f"{actual.name} has {actual.model} by now, the plan says {order.model}"
            raise CloudError("changed", f"{found}; make a new plan: a version never changes under a name")
        if actual is None and step.act in ("pin", "update"):
            raise CloudError("changed", f"{step.deployment} is gone; make a new plan")
        if actual is not None and actual.state == "Succeeded" and not changes_between(actual, order):
            tell(f"{step.deployment} is so already")
            return actual
        answer = await self._http.send("PUT", path, body=put_body(order, before))
        await self._finished(answer, tell)
        after = await self._settled(path, tell)
        return _proven(step, after)

    async def _pause(self, path: str, step: Step, before: Json | None, tell: Tell) -> ActualDeployment:
        if before is None:
            raise CloudError("missing", f"{step.deployment} is not there")
        wants = step.act == "pause"
        if deployment_of(before).paused is not wants:
            await self._finished(await self._http.send("POST", f"{path}/{step.act}"), tell)
        after = await self._settled(path, tell)
        if after is None or deployment_of(after).paused is not wants:
            raise CloudError("not-as-ordered", f"{step.deployment} was asked to {step.act}, and did not")
        return deployment_of(after)

    async def _delete(self, path: str, before: Json | None, tell: Tell) -> None:
        if before is None:
            tell("it is gone already")
            return
        await self._finished(await self._http.send("DELETE", path), tell)
        for _ in range(POLLS_MAX):
            if await self._read(path) is None:
                return
            await self._http.wait(POLL_S)
        raise CloudError("busy", "it is still there; ask again later")

    async def _read(self, path: str) -> Json | None:
        try:
            return await self._http.get(path)
        except CloudError as error:
            if error.fault == "missing":
                return None
            raise

    async def _settled(self, path: str, tell: Tell) -> Json | None:
        """What is there once nothing is under way with it."""
        said = ""
        for _ in range(POLLS_MAX):
            found = await self._read(path)
            actual = None if found is None else deployment_of(found)
            if actual is None or actual.is_settled:
                return found
            if actual.state != said:
                said = actual.state
                tell(f"{actual.name}: {said}")
            await self._http.wait(POLL_S)
        raise CloudError("busy", f"it is still {said}; ask again later")

    async def _finished(self, answer: Answer, tell: Tell) -> None:
        """Follow an operation to its end. An answer without an address is over, or is followed by its resource."""
        operation = answer.header("azure-asyncoperation", "location")
        is_status = bool(answer.header("azure-asyncoperation"))
        said = ""
        for _ in range(POLLS_MAX if operation else 0):
            await self._http.wait(self._http.pause_of(answer, usual=POLL_S))
            answer = await self._http.send("GET", operation)
            status = str(answer.body.get("status") or "")
            if status.lower() in _DONE or (not is_status and answer.status != 202):
                _refuse_failure(answer.body, status)
                return
            if status and status != said:
                said = status
                tell(f"operation: {said}")
        if operation:
            raise CloudError("busy", "the operation does not end; ask again later")


def _refuse_failure(body: Json, status: str) -> None:
    if status.lower() in ("", "succeeded"):
        return
    error = body.get("error")
    told = cast("Json", error) if isinstance(error, dict) else {}
    code, message = str(told.get("code") or status), str(told.get("message") or "no message")
    raise CloudError("refused", f"the operation ended as {status}, {code}: {message}", code=code)


def _proven(step: Step, body: Json | None) -> ActualDeployment:
    """What was read back, if it is what was ordered: that alone proves a pin."""
    assert step.order is not None
    actual = None if body is None else deployment_of(body)
    if actual is None:
        raise CloudError("not-as-ordered", f"{step.deployment} was written, and is not there")
    if actual.state != "Succeeded":
        raise CloudError("refused", f"{step.deployment} ended as {actual.state}")
    wrong = changes_between(actual, step.order)
    if wrong:
        words = ", ".join(f"{each.field} is {each.before or 'not said'} and was to be {each.after}" for each in wrong)
        raise CloudError("not-as-ordered", f"{step.deployment} was written, and read back otherwise: {words}")
    return actual


def _account_path(account: AccountKey) -> str:
    group = f"/subscriptions/{_part(account.subscription)}/resourceGroups/{_part(account.resource_group)}"
    return f"{group}/providers/{PROVIDER}/accounts/{_part(account.name)}"


def _part(name: str) -> str:
    return quote(name, safe="")
