"""How much may still be deployed? Allowances by region and name, spent in the order in which a plan would."""

from collections.abc import Iterable

import msgspec


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """One allowance of a subscription, such as ``OpenAI.Standard.gpt-4o`` in one region; in units of the SKU."""

    subscription: str
    region: str
    name: str
    used: int
    limit: int


class Shortage(msgspec.Struct, frozen=True, kw_only=True):
    """``short`` units are missing for ``asked``; ``free`` are there."""

    quota: Quota
    asked: int
    free: int

    @property
    def short(self) -> int:
        return self.asked - self.free


class QuotaBook:
    """What is left while a plan is made. An allowance nobody told of limits nothing here: Azure has the last word."""

    def __init__(self, quotas: Iterable[Quota]) -> None:
        self._quotas = {_key(each.subscription, each.region, each.name): each for each in quotas}
        self._free = {key: quota.limit - quota.used for key, quota in self._quotas.items()}

    def take(self, *, subscription: str, region: str, name: str, units: int) -> Shortage | None:
        """Spend ``units`` (below 0: give back); when there are not so many, nothing is spent and the shortage is told."""
        key = _key(subscription, region, name)
        quota = self._quotas.get(key)
        if quota is None:
            return None
        if units > 0 and units > self._free[key]:
            return Shortage(quota=quota, asked=units, free=max(self._free[key], 0))
        self._free[key] -= units
        return None


def _key(subscription: str, region: str, name: str) -> tuple[str, str, str]:
    """Regions are written as ``swedencentral`` and as ``Sweden Central``."""
    return subscription.casefold(), region.replace(" ", "").casefold(), name.casefold()
