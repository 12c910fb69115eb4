"""What may be asked of the deployments of one account? Lists, reads and writes, answered in Azure's protocol of long operations."""

from collections.abc import Callable

from changeover.azure_sim.arm import deployment_body, replies
from changeover.azure_sim.arm.arm_request import PAUSE_SINCE, ArmRequest
from changeover.azure_sim.arm.calendar import Calendar
from changeover.azure_sim.arm.deployment_writes import DeploymentWrites
from changeover.azure_sim.arm.estate import Account, Deployment, Estate, Operation
from changeover.azure_sim.arm.model_lists import deployment_skus
from changeover.azure_sim.arm.replies import RETRY_AFTER_S, ArmReply, Json


class DeploymentRoutes:
    """``new_id`` names operations; ``next_failure`` is the error that a planted fault lets the next creation end with."""

    def __init__(
        self, estate: Estate, calendar: Calendar, *, new_id: Callable[[], str], next_failure: Callable[[ArmRequest], Json | None]
    ) -> None:
        self._estate = estate
        self._calendar = calendar
        self._new_id = new_id
        self._next_failure = next_failure

    def answer(self, request: ArmRequest, account: Account, rest: list[str]) -> ArmReply:
        """``rest`` is the path below ``deployments``. Raises ``ArmError``."""
        writes = DeploymentWrites(self._estate, calendar=self._calendar, account=account, now=request.now, by=request.by)
        match request.method, [rest[0] if rest else "", *(part.lower() for part in rest[1:])]:
            case "GET", [""]:
                return self._listed(request, account)
            case "GET", [name]:
                return ArmReply(body=self._shown(writes.find(name), account, request))
            case "PUT", [name] if name:
                return self._put(request, account, writes, name)
            case "PATCH", [name] if name:
                return self._patch(request, account, writes, name)
            case "DELETE", [name] if name:
                return self._delete(request, account, writes, name)
            case "GET", [name, "skus"]:
                return self._skus(request, account, writes.find(name))
            case "POST", [name, ("pause" | "resume") as deed] if request.api_version >= PAUSE_SINCE:
                return ArmReply(body=self._shown(writes.pause(name, paused=deed == "pause"), account, request))
            case _, [_] | [_, "skus" | "pause" | "resume"]:
                raise replies.wrong_method(request.method)
            case _:
                raise replies.no_such_route(request.path)

    def _listed(self, request: ArmRequest, account: Account) -> ArmReply:
        shown = [self._shown(deployment, account, request) for deployment in account.deployments.values()]
        return request.page(shown, size=self._estate.conduct.page_size)

    def _put(self, request: ArmRequest, account: Account, writes: DeploymentWrites, name: str) -> ArmReply:
        writes.check_etag(name, request.headers.get("if-match"))
        failure = self._next_failure(request)
        deployment, operation, is_new = writes.put(name, request.json(), operation_id=self._new_id(), failure=failure)
        headers = self._async(request, account, operation)
        return ArmReply(status=201 if is_new else 200, body=self._shown(deployment, account, request), headers=headers)

    def _patch(self, request: ArmRequest, account: Account, writes: DeploymentWrites, name: str) -> ArmReply:
        writes.check_etag(name, request.headers.get("if-match"))
        deployment, operation = writes.patch(name, request.json(), operation_id=self._new_id())
        if operation.ends_at <= request.now:
            return ArmReply(body=self._shown(deployment, account, request))
        return ArmReply(status=202, headers=self._async(request, account, operation) | self._location(request, account, operation))

    def _delete(self, request: ArmRequest, account: Account, writes: DeploymentWrites, name: str) -> ArmReply:
        writes.check_etag(name, request.headers.get("if-match") if name.lower() in account.deployments else None)
        operation = writes.delete(name, operation_id=self._new_id())
        if operation is None:
            return ArmReply(status=204)
        if operation.ends_at <= request.now:
            return ArmReply(status=200)
        return ArmReply(status=202, headers=self._async(request, account, operation) | self._location(request, account, operation))

    def _skus(self, request: ArmRequest, account: Account, deployment: Deployment) -> ArmReply:
        row = self._calendar.offered(deployment.model, deployment.version, region=account.location)
        skus = [] if row is None else deployment_skus(row, sku=deployment.sku, held=deployment.capacity)
        return request.page(skus, size=self._estate.conduct.page_size)

    def _shown(self, deployment: Deployment, account: Account, request: ArmRequest) -> Json:
        return deployment_body.shown(deployment, account=account, calendar=self._calendar, now=request.now)

    def _async(self, request: ArmRequest, account: Account, operation: Operation) -> dict[str, str]:
        where = request.operation_url("operationStatuses", operation.id, subscription=account.subscription, location=account.location)
        return {"azure-asyncoperation": where, "retry-after": str(RETRY_AFTER_S)}

    def _location(self, request: ArmRequest, account: Account, operation: Operation) -> dict[str, str]:
        where = request.operation_url("operationResults", operation.id, subscription=account.subscription, location=account.location)
        return {"location": where}
