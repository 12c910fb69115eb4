"""What may be asked of a region of one subscription? Models, quota, capacity, and how an operation stands."""

import msgspec

from changeover.azure_sim.arm import deployment_body, model_lists, replies
from changeover.azure_sim.arm.arm_request import ArmRequest
from changeover.azure_sim.arm.calendar import Calendar
from changeover.azure_sim.arm.catalogue import REGIONS, ModelVersion
from changeover.azure_sim.arm.estate import Estate, Operation, Subscription
from changeover.azure_sim.arm.model_lists import Workload
from changeover.azure_sim.arm.moments import written
from changeover.azure_sim.arm.replies import RETRY_AFTER_S, ArmError, ArmReply, Json


class LocationRoutes:
    def __init__(self, estate: Estate, calendar: Calendar) -> None:
        self._estate = estate
        self._calendar = calendar

    def answer(self, request: ArmRequest, subscription: Subscription, rest: list[str]) -> ArmReply:
        """``rest`` is the path below the provider. Raises ``ArmError``."""
        size = self._estate.conduct.page_size
        match request.method, [part.lower() for part in rest]:
            case "GET", ["skus"]:
                return request.page(model_lists.resource_skus(), size=size)
            case "GET", ["modelcapacities"]:
                return request.page([each for region in REGIONS for each in self._capacities(request, subscription, region)], size=size)
            case "POST", ["calculatemodelcapacity"]:
                return _calculated(request.json())
            case "GET", ["locations", region, "models"]:
                models = model_lists.region_models(self._calendar, region=_region(region), now=request.now)
                return request.page(models, size=size)
            case "GET", ["locations", region, "usages"]:
                usages = model_lists.usages(self._estate, subscription.id, calendar=self._calendar, region=_region(region))
                return request.page(usages, size=size)
            case "GET", ["locations", region, "modelcapacities"]:
                return request.page(self._capacities(request, subscription, _region(region)), size=size)
            case "GET", ["locations", _, "operationstatuses", identity]:
                return self._status(request, self._operation(identity))
            case "GET", ["locations", _, "operationresults", identity]:
                return self._result(request, self._operation(identity))
            case _:
                raise replies.no_such_route(request.path)

    def _capacities(self, request: ArmRequest, subscription: Subscription, region: str) -> list[Json]:
        asked = request.query.get("modelFormat"), request.query.get("modelName"), request.query.get("modelVersion")
        if None in asked:
            raise replies.invalid_content("expected the query parameters modelFormat, modelName and modelVersion")
        row = self._calendar.offered(str(asked[1]), str(asked[2]), region=region) if asked[0] == "OpenAI" else None
        rows: list[ModelVersion] = [] if row is None else [row]
        return model_lists.capacities(self._estate, subscription.id, rows, region=region)

    def _operation(self, identity: str) -> Operation:
        found = self._estate.operations.get(identity)
        if found is None:
            raise ArmError(404, "OperationNotFound", f"The operation '{identity}' could not be found.")
        return found

    def _status(self, request: ArmRequest, operation: Operation) -> ArmReply:
        """What the ``Azure-AsyncOperation`` address says."""
        done = request.now >= operation.ends_at
        status = ("Failed" if operation.failure else "Succeeded") if done else "InProgress"
        body: Json = {"id": request.path, "name": operation.id, "status": status, "startTime": written(operation.started_at)}
        if not done:
            return ArmReply(body=body, headers={"retry-after": str(RETRY_AFTER_S)})
        body["endTime"] = written(operation.ends_at)
        return ArmReply(body={**body, "error": operation.failure} if operation.failure else body)

    def _result(self, request: ArmRequest, operation: Operation) -> ArmReply:
        """What the ``Location`` address says: 202 until the end, then the resource where there is one."""
        if request.now < operation.ends_at:
            headers = {"location": f"{request.base}{request.path}?api-version={request.api_version}", "retry-after": str(RETRY_AFTER_S)}
            return ArmReply(status=202, headers=headers)
        account = self._estate.accounts.get(operation.account.lower())
        held = account.deployments.get(operation.resource.lower()) if account else None
        if account is None or held is None or operation.deed == "delete":
            return ArmReply(status=204)
        return ArmReply(body=deployment_body.shown(held, account=account, calendar=self._calendar, now=request.now))


def _region(text: str) -> str:
    region = text.replace(" ", "").lower()
    if region not in REGIONS:
        raise ArmError(400, "LocationNotAvailable", f"The location '{text}' is not available. The locations are '{', '.join(REGIONS)}'.")
    return region


def _calculated(sent: Json) -> ArmReply:
    try:
        workloads = msgspec.convert(sent.get("workloads"), list[Workload])
    except msgspec.ValidationError as error:
        raise replies.invalid_content(f"workloads: {error}") from error
    value, deployable = model_lists.provisioned_estimate(workloads)
    kept = {name: sent[name] for name in ("model", "skuName") if name in sent}
    return ArmReply(body={**kept, "estimatedCapacity": {"value": value, "deployableValue": deployable}})
