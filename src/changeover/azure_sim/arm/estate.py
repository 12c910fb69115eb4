"""What exists in this Azure? Subscriptions, accounts, deployments and what is under way: plain records that can be written to a file."""

from typing import Any, Final

import msgspec

from changeover.azure_sim.arm.catalogue import DefaultChange, RetirementChange
from changeover.azure_sim.arm.replies import Json

PROVIDER: Final = "Microsoft.CognitiveServices"


class Deployment(msgspec.Struct, kw_only=True):
    """``properties`` as they were sent, with fields unknown here; ``rest`` is what else was sent beside them.

    ``working`` is the provisioning state until ``settled_at``; then it is ``ends_as``. ``version_since_at``: since when it has its version.
    ``serves_from_at``: the data plane does not know it before.
    """

    name: str
    sku: str
    capacity: int
    properties: Json
    rest: Json = {}
    revision: int = 1
    created_at: float
    changed_at: float
    changed_by: str
    created_by: str
    version_since_at: float
    settled_at: float
    serves_from_at: float = 0.0
    working: str = "Creating"
    ends_as: str = "Succeeded"
    paused: bool = False

    @property
    def model(self) -> str:
        return str(self.properties["model"]["name"])

    @property
    def version(self) -> str:
        return str(self.properties["model"]["version"])

    @property
    def upgrade_option(self) -> str | None:
        """``None`` stands for a stored null, which is no pin either."""
        option: Any = self.properties.get("versionUpgradeOption")
        return option if isinstance(option, str) else None

    @property
    def deleting(self) -> bool:
        return self.working == "Deleting"


class Account(msgspec.Struct, kw_only=True):
    """``busy_until_at``: until then another write is under way. ``deployments`` and ``policies`` by lower-case name."""

    subscription: str
    group: str
    name: str
    location: str
    kind: str = "OpenAI"
    properties: Json = {}
    rest: Json = {}
    created_at: float
    busy_until_at: float = 0.0
    deployments: dict[str, Deployment] = {}
    policies: dict[str, Json] = {}

    @property
    def id(self) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}/providers/{PROVIDER}/accounts/{self.name}"


class Group(msgspec.Struct, kw_only=True):
    name: str
    location: str
    tags: dict[str, str] = {}


class Subscription(msgspec.Struct, kw_only=True):
    """``established``: it has deployed every version before, so that versions closed to new customers are open to it."""

    id: str
    name: str
    established: bool = True
    groups: dict[str, Group] = {}
    has_deployed: set[str] = set()


class Operation(msgspec.Struct, kw_only=True):
    """A write under way. ``failure`` is the error it ends with. ``resource`` is shown at its end, unless it was deleted."""

    id: str
    deed: str
    account: str
    resource: str
    started_at: float
    ends_at: float
    failure: Json | None = None


class Conduct(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How this Azure behaves; set through ``PUT /sim/conduct``.

    - ``write_s``: how long creating, changing and deleting a deployment takes; the account is closed to other writes meanwhile.
    - ``provisioned_s``: how long a provisioned deployment takes to change its model in place, serving on.
    - ``propagation_s``: so long after it succeeded, a new deployment still answers 404.
    - ``page_size``: of every list.
    - ``token_life_s``: of the tokens that are given.
    - ``upgrade_days``: within so many days after a new default deployments move to it, each at a moment of its own.
    """

    write_s: float = 1.0
    provisioned_s: float = 1500.0
    propagation_s: float = 0.0
    page_size: int = 50
    token_life_s: float = 3600.0
    upgrade_days: float = 14.0


class Estate(msgspec.Struct, kw_only=True):
    """All of it. ``accounts`` by lower-case name, which is unique as on Azure; ``limits`` by quota (see ``quota``)."""

    tenant: str
    subscriptions: dict[str, Subscription] = {}
    accounts: dict[str, Account] = {}
    limits: dict[str, int] = {}
    defaults: list[DefaultChange] = []
    retirements: list[RetirementChange] = []
    operations: dict[str, Operation] = {}
    conduct: Conduct = msgspec.field(default_factory=Conduct)
    moved_s: float = 0.0
    log: list[str] = []
