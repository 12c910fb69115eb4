"""What is there in Azure? Resources, their deployments and content-filter policies, as ARM says; unsaid stays unsaid."""

import msgspec

from changeover.versions import ModelVersion


class ActualAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One Azure OpenAI resource (ARM calls it an account). ``endpoint`` is where its data plane is called, without a trailing
    slash.
    """

    name: str
    subscription: str
    resource_group: str
    region: str
    kind: str
    endpoint: str

    @property
    def key(self) -> "AccountKey":
        return AccountKey(subscription=self.subscription, resource_group=self.resource_group, name=self.name)


class AccountKey(msgspec.Struct, frozen=True, kw_only=True):
    """By what a resource is found."""

    subscription: str
    resource_group: str
    name: str

    def __str__(self) -> str:
        return f"{self.resource_group}/{self.name}"


class ActualDeployment(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment as it is read back. ``upgrade`` is ``None`` where the service does not say: that is no pin. ``state`` is
    ARM's ``provisioningState``, an open set of words.
    """

    name: str
    model: ModelVersion
    format: str = "OpenAI"
    sku: str
    capacity: int | None = None
    upgrade: str | None = None
    content_filter: str | None = None
    state: str = "Succeeded"
    paused: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether nothing is under way with it."""
        return self.state in ("Succeeded", "Failed", "Canceled", "Disabled")


class FilterPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A content-filter policy of a resource."""

    name: str
    base: str = ""
    mode: str = ""
