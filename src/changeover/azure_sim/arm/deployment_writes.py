"""What do writes to deployments do? Create, replace, change, delete, pause: one at a time for each account, and in their time."""

from typing import Final

import msgspec

from changeover.azure_sim.arm import deployment_body, quota, replies
from changeover.azure_sim.arm.calendar import Calendar
from changeover.azure_sim.arm.catalogue import PROVISIONED_SKUS, UPGRADED_SKUS
from changeover.azure_sim.arm.deployment_request import check_offer, read_put, read_sku
from changeover.azure_sim.arm.estate import PROVIDER, Account, Deployment, Estate, Operation, Subscription
from changeover.azure_sim.arm.moments import NEVER
from changeover.azure_sim.arm.replies import Json

PATCHABLE: Final = frozenset({"sku", "tags"})
OPERATIONS_MAX: Final = 2000


class DeploymentWrites:
    """Writes as ``by`` at the moment ``now``. Every method raises ``ArmError``."""

    def __init__(self, estate: Estate, *, calendar: Calendar, account: Account, now: float, by: str) -> None:
        self._estate = estate
        self._calendar = calendar
        self._account = account
        self._now = now
        self._by = by

    def put(self, name: str, body: Json, *, operation_id: str, failure: Json | None = None) -> tuple[Deployment, Operation, bool]:
        """Create or replace; what stands now, the operation, and whether it is new."""
        self._refuse_while_busy()
        held = self._account.deployments.get(name.lower())
        wanted = read_put(name, body, calendar=self._calendar, account=self._account, now=self._now, by=self._by)
        self._check(wanted, held)
        took_s = self._estate.conduct.write_s
        wanted.serves_from_at = NEVER if failure else self._now + took_s + self._estate.conduct.propagation_s
        if held is not None:
            self._take_over(wanted, held)
            if wanted.sku in PROVISIONED_SKUS and wanted.properties["model"] != held.properties["model"]:
                wanted.working, took_s = "Updating", self._estate.conduct.provisioned_s
        wanted.settled_at = self._now + took_s
        wanted.ends_as = "Failed" if failure else "Succeeded"
        self._account.deployments[name.lower()] = wanted
        self._subscription().has_deployed.add(f"{wanted.model}@{wanted.version}")
        operation = self._begin("put", wanted.name, took_s=took_s, operation_id=operation_id, failure=failure)
        return wanted, operation, held is None

    def patch(self, name: str, body: Json, *, operation_id: str) -> tuple[Deployment, Operation]:
        """Change SKU, capacity or tags; nothing else can be changed in this way."""
        held = self.find(name)
        other = sorted(set(body) - PATCHABLE)
        if other:
            raise replies.invalid_content(f"could not find member '{other[0]}' on object of type 'PatchResourceTagsAndSku'")
        self._refuse_while_busy()
        sku, capacity = read_sku(body["sku"], default=held) if body.get("sku") is not None else (held.sku, held.capacity)
        rest = {**held.rest, **({"tags": body["tags"]} if "tags" in body else {})}
        wanted = msgspec.structs.replace(held, sku=sku, capacity=capacity, rest=rest)
        self._check(wanted, held)
        took_s = self._estate.conduct.write_s
        held.sku, held.capacity, held.rest, held.working = sku, capacity, rest, "Accepted"
        self._touch(held, took_s=took_s)
        return held, self._begin("patch", held.name, took_s=took_s, operation_id=operation_id)

    def delete(self, name: str, *, operation_id: str) -> Operation | None:
        """``None`` where there is nothing to delete."""
        held = self._account.deployments.get(name.lower())
        if held is None:
            return None
        self._refuse_while_busy()
        took_s = self._estate.conduct.write_s
        held.working = "Deleting"
        self._touch(held, took_s=took_s)
        return self._begin("delete", held.name, took_s=took_s, operation_id=operation_id)

    def pause(self, name: str, *, paused: bool) -> Deployment:
        held = self.find(name)
        self._refuse_while_busy()
        if held.sku not in UPGRADED_SKUS:
            raise replies.invalid_properties(f"The SKU '{held.sku}' of account deployment does not support pause and resume.")
        held.paused = paused
        held.revision += 1
        held.changed_at, held.changed_by = self._now, self._by
        return held

    def find(self, name: str) -> Deployment:
        held = self._account.deployments.get(name.lower())
        if held is None:
            kind = f"{PROVIDER}/accounts/{self._account.name}/deployments/{name}"
            raise replies.no_such_resource(kind, group=self._account.group)
        return held

    def check_etag(self, name: str, wanted: str | None) -> None:
        """Is the deployment still what the caller saw? Every writer may ask."""
        held = self._account.deployments.get(name.lower())
        if wanted not in (None, "*") and (held is None or deployment_body.etag(held, account=self._account) != wanted):
            raise replies.changed_meanwhile(str(wanted))

    def _check(self, wanted: Deployment, held: Deployment | None) -> None:
        """What stays the version that it is may stay; everything else must be on offer. Then there must be room."""
        same = held is not None and (held.model, held.version, held.sku) == (wanted.model, wanted.version, wanted.sku)
        if not same:
            check_offer(wanted, calendar=self._calendar, account=self._account, subscription=self._subscription(), now=self._now)
        quota.claim(self._estate, self._account.subscription, region=self._account.location, wanted=wanted, held=held)

    def _take_over(self, wanted: Deployment, held: Deployment) -> None:
        """What a replacement keeps of what it replaces."""
        wanted.name, wanted.created_at, wanted.created_by = held.name, held.created_at, held.created_by
        wanted.revision, wanted.paused, wanted.working = held.revision + 1, held.paused, "Accepted"
        wanted.serves_from_at = min(wanted.serves_from_at, held.serves_from_at)
        if (wanted.model, wanted.version) == (held.model, held.version):
            wanted.version_since_at = held.version_since_at

    def _touch(self, held: Deployment, *, took_s: float) -> None:
        held.revision += 1
        held.changed_at, held.changed_by = self._now, self._by
        held.settled_at, held.ends_as = self._now + took_s, "Succeeded"

    def _refuse_while_busy(self) -> None:
        if self._now < self._account.busy_until_at:
            raise replies.conflict(self._account.id)

    def _begin(self, deed: str, name: str, *, took_s: float, operation_id: str, failure: Json | None = None) -> Operation:
        """The account is closed to other writes while it runs; a long change in place of a provisioned one does not close it."""
        self._account.busy_until_at = self._now + min(took_s, self._estate.conduct.write_s)
        operation = Operation(
            id=operation_id,
            deed=deed,
            account=self._account.name,
            resource=name,
            started_at=self._now,
            ends_at=self._now + took_s,
            failure=failure,
        )
        operations = self._estate.operations
        operations[operation_id] = operation
        while len(operations) > OPERATIONS_MAX:
            del operations[next(iter(operations))]
        return operation

    def _subscription(self) -> Subscription:
        return self._estate.subscriptions[self._account.subscription.lower()]
