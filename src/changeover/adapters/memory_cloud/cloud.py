"""``Cloud`` without Azure. It holds what it is told to hold, and does what it is asked to at once."""

from changeover.ports.cloud import CloudError, Subscription, Tell
from changeover.provision.actual import AccountKey, ActualAccount, ActualDeployment, FilterPolicy
from changeover.provision.known import Region
from changeover.provision.plan import Step, changes_between, outcome_of


class MemoryCloud:
    """See ``Cloud``. ``steps`` are those that changed something. ``failing``: subscriptions that may not be looked at."""

    def __init__(self, *accounts: ActualAccount) -> None:
        self._accounts = {each.key: each for each in accounts}
        self.held: dict[AccountKey, dict[str, ActualDeployment]] = {each.key: {} for each in accounts}
        self.policies: dict[AccountKey, tuple[FilterPolicy, ...]] = {}
        self.regions: dict[tuple[str, str], Region] = {}
        self.failing: set[str] = set()
        self.steps: list[Step] = []

    def hold(self, account: AccountKey, deployment: ActualDeployment) -> None:
        self.held[account][deployment.name.casefold()] = deployment

    async def subscriptions(self) -> tuple[Subscription, ...]:
        """See ``CloudReader``."""
        return tuple(Subscription(id=each) for each in dict.fromkeys(key.subscription for key in self._accounts))

    async def accounts(self, subscription: str) -> tuple[ActualAccount, ...]:
        """See ``CloudReader``."""
        if subscription in self.failing:
            raise CloudError("forbidden", f"subscription {subscription} may not be looked at")
        return tuple(each for key, each in self._accounts.items() if key.subscription == subscription)

    async def deployments(self, account: AccountKey) -> tuple[ActualDeployment, ...]:
        """See ``CloudReader``."""
        return tuple(self._in(account).values())

    async def filters(self, account: AccountKey) -> tuple[FilterPolicy, ...]:
        """See ``CloudReader``."""
        self._in(account)
        return self.policies.get(account, ())

    async def region(self, subscription: str, region: str) -> Region:
        """See ``CloudReader``."""
        return self.regions.get((subscription, region), Region())

    async def carry_out(self, step: Step, *, tell: Tell) -> ActualDeployment | None:
        """See ``Cloud``."""
        held = self._in(step.account)
        before = held.get(step.deployment.casefold())
        if step.order is not None:
            _check(step, before)
        elif before is None and step.act != "delete":
            raise CloudError("missing", f"{step.deployment} is not there")
        if _is_done(step, before):
            tell(f"{step.deployment} is so already")
            return before
        after = outcome_of(step, before)
        self.steps.append(step)
        if after is None:
            held.pop(step.deployment.casefold(), None)
        else:
            held[step.deployment.casefold()] = after
        return after

    def _in(self, account: AccountKey) -> dict[str, ActualDeployment]:
        if account not in self.held:
            raise CloudError("missing", f"no resource {account}")
        return self.held[account]


def _check(step: Step, before: ActualDeployment | None) -> None:
    assert step.order is not None
    if before is not None and before.model != step.order.model:
        raise CloudError("changed", f"{step.deployment} has {before.model} by now, the plan says {step.order.model}")
    if before is None and step.act in ("pin", "update"):
        raise CloudError("changed", f"{step.deployment} is gone; make a new plan")


def _is_done(step: Step, before: ActualDeployment | None) -> bool:
    if step.order is not None:
        return before is not None and not changes_between(before, step.order)
    if before is None:
        return True
    return step.act != "delete" and before.paused is (step.act == "pause")
