"""What does each account's data plane serve? The deployments of the control plane, in the state it gives them."""

from collections.abc import Callable
from typing import Final

import msgspec

from changeover.azure_sim.allowance import Limits
from changeover.azure_sim.arm.calendar import Calendar
from changeover.azure_sim.arm.catalogue import PROVISIONED_SKUS, TOKEN_SKUS, Family, ModelVersion
from changeover.azure_sim.arm.estate import Account, Deployment, Estate
from changeover.azure_sim.arm.moments import NEVER, written
from changeover.azure_sim.arm.settling import is_retired
from changeover.azure_sim.data_plane import DataPlane
from changeover.azure_sim.resource import Resource
from changeover.azure_sim.stage import EMBEDDING_METHOD, TOKENS_PER_CAPACITY, Condition, Latency, Method, Stage, StagedDeployment

TOKENS_PER_UNIT: Final = 2500
"""Tokens a minute of one provisioned unit: the stage's own figure."""
UNLIMITED: Final = 1_000_000_000
_FASTER: Final = ("mini", "nano")


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a version behaves: what it says, in what time, and whether it is of the reasoning type."""

    method: Method
    latency: Latency = Latency()
    reasoning: bool = False


class Planes:
    """Data planes by account. ``staged`` are deployments whose behaviour was declared with them, by account and name."""

    def __init__(
        self, estate: Estate, calendar: Calendar, *, key: str, seed: int, is_token: Callable[[str], bool], stage: Stage | None
    ) -> None:
        self._estate = estate
        self._calendar = calendar
        self._key = key
        self._seed = seed
        self._is_token = is_token
        self._stage = stage
        self._staged = {each.name: each for each in stage.deployments} if stage else {}
        self._planes: dict[str, tuple[Resource, DataPlane]] = {}
        self.profiles: dict[str, Profile] = {}

    def plane(self, account: str) -> DataPlane | None:
        found = self._planes.get(account.lower())
        return found[1] if found else None

    def resource(self, account: str) -> Resource:
        return self._planes[account.lower()][0]

    def refresh(self, now: float) -> None:
        """Let every data plane serve what the control plane says at ``now``."""
        for key, account in self._estate.accounts.items():
            if key not in self._planes:
                self._planes[key] = self._open(account)
            self._refresh(account, self._planes[key][0], now=now)
        for key in set(self._planes) - set(self._estate.accounts):
            del self._planes[key]

    def _open(self, account: Account) -> tuple[Resource, DataPlane]:
        if self._stage is not None and account.name == self._stage.account:
            stage = self._stage
        else:
            stage = Stage(account=account.name, region=account.location, deployments=())
        resource = Resource(stage, key=self._key, seed=self._seed, is_token=self._is_token)
        return resource, DataPlane(resource)

    def _refresh(self, account: Account, resource: Resource, *, now: float) -> None:
        serving = {each.name: each for each in account.deployments.values() if each.serves_from_at <= now and not each.deleting}
        for name in set(resource.deployments) - set(serving):
            resource.take_down(name)
        for deployment in serving.values():
            ruling = self._ruling(deployment, account, now=now)
            declared, limits = self._declared(deployment, account), self._limits(deployment)
            resource.stand(declared, limits, ruling=ruling, spillover_to=_spillover(deployment))

    def _ruling(self, deployment: Deployment, account: Account, *, now: float) -> Condition | None:
        if is_retired(deployment, region=account.location, calendar=self._calendar, now=now):
            return Condition.RETIRED
        return Condition.PAUSED if deployment.paused else None

    def _declared(self, deployment: Deployment, account: Account) -> StagedDeployment:
        staged = self._staged.get(deployment.name) if self._stage and account.name == self._stage.account else None
        profile = self.profiles.get(f"{deployment.model}@{deployment.version}")
        if staged is not None and profile is None and (staged.model, staged.version) == (deployment.model, deployment.version):
            return msgspec.structs.replace(staged, capacity=deployment.capacity)
        row = self._calendar.find(deployment.model, deployment.version)
        profile = profile or profile_of(row)
        return StagedDeployment(
            name=deployment.name,
            model=deployment.model,
            version=deployment.version,
            method=profile.method,
            latency=profile.latency,
            capacity=deployment.capacity,
            reasoning=profile.reasoning,
            shutdown_date=_day(self._calendar.retires_at(row, region=account.location, sku=deployment.sku)) if row else None,
        )

    def _limits(self, deployment: Deployment) -> Limits:
        if deployment.sku in PROVISIONED_SKUS:
            return Limits(UNLIMITED, deployment.capacity * TOKENS_PER_UNIT, shown=False)
        if deployment.sku not in TOKEN_SKUS:
            return Limits(UNLIMITED, UNLIMITED, shown=False)
        row = self._calendar.find(deployment.model, deployment.version)
        requests = deployment.capacity * (row.requests_per_capacity if row else 6)
        return Limits(max(1, int(requests)), deployment.capacity * TOKENS_PER_CAPACITY)


def profile_of(row: ModelVersion | None) -> Profile:
    """How a version behaves unless it was said: versions of one model differ, and small models are faster."""
    family: Family = row.family if row else "chat"
    if row is None or family == "embeddings":
        return Profile(method=EMBEDDING_METHOD if row else "first-sentence", latency=Latency(first_token_ms=4.0, per_token_ms=0.0))
    slow = Latency(first_token_ms=14.0, per_token_ms=0.6)
    if family == "reasoning":
        return Profile(method="first-sentence-compressed", latency=slow, reasoning=True)
    if row.name.endswith(_FASTER):
        return Profile(method="first-sentence-compressed", latency=Latency(first_token_ms=6.0, per_token_ms=0.3))
    older = row.version < "2024-08"
    return Profile(method="textrank", latency=slow) if older else Profile(method="first-sentence")


def _spillover(deployment: Deployment) -> str | None:
    """Only provisioned deployments spill over."""
    named = deployment.properties.get("spilloverDeploymentName")
    return named if isinstance(named, str) and deployment.sku in PROVISIONED_SKUS else None


def _day(at: float) -> str | None:
    return None if at == NEVER else written(at)[:10]
