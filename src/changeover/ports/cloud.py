"""Where deployments are made: what is there, what is offered, and one write at a time."""

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

from changeover.provision.actual import AccountKey, ActualAccount, ActualDeployment, FilterPolicy
from changeover.provision.known import Region
from changeover.provision.plan import Step

CloudFault = Literal["no-token", "forbidden", "missing", "refused", "busy", "unreachable", "unreadable", "changed", "not-as-ordered"]
"""``refused``: the request as such. ``busy``: tried as often as is sensible. ``changed``: what is there is no longer what the plan was
made for. ``not-as-ordered``: what was read back is not what was sent.
"""

Tell = Callable[[str], None]
"""Takes a line of progress."""


class CloudError(Exception):
    """The cloud did not do it, or could not be asked. ``code`` is its own word for it. The message never holds a secret."""

    def __init__(self, fault: CloudFault, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.fault: CloudFault = fault
        self.code = code


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """What resources are billed to. ``name`` is for people."""

    id: str
    name: str = ""


class CloudReader(Protocol):
    """Looking changes nothing. Every method raises ``CloudError``."""

    async def subscriptions(self) -> tuple[Subscription, ...]:
        """Those the identity can see."""
        ...

    async def accounts(self, subscription: str) -> tuple[ActualAccount, ...]:
        """The resources of a subscription that can hold model deployments."""
        ...

    async def deployments(self, account: AccountKey) -> tuple[ActualDeployment, ...]: ...

    async def filters(self, account: AccountKey) -> tuple[FilterPolicy, ...]:
        """Its content-filter policies."""
        ...

    async def region(self, subscription: str, region: str) -> Region:
        """What is offered there, and how much of it is left."""
        ...


class Cloud(CloudReader, Protocol):
    """Writes to one account come one after another."""

    async def carry_out(self, step: Step, *, tell: Tell) -> ActualDeployment | None:
        """Do it and wait until it is done; what is there then, as it was read back, ``None`` after a deletion.

        It may be asked again after a crash: what is done already is not done twice. A version never changes under a name.
        """
        ...
