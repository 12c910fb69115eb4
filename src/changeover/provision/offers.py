"""What does a region offer, until when? Model versions with their SKUs, lifecycle and dates, as ARM lists them."""

from collections.abc import Iterable
from typing import Final

import msgspec

from changeover.versions import ModelVersion

RETIRED_STATUS: Final = "Deprecated"
"""What ARM calls Deprecated is what its documentation calls Retired: it no longer serves."""
CLOSING_STATUS: Final = "Deprecating"
"""Documented as Deprecated: it serves, and only subscriptions that have deployed this very version may deploy it again."""
NEVER_AT: Final = 4_070_822_400.0
"""From 2099 on a date means none."""


class SkuOffer(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which a version is sold. ``quota`` names the allowance that it draws on. Sizes are in units of the SKU."""

    name: str
    quota: str = ""
    retires_at: float | None = None
    minimum: int | None = None
    maximum: int | None = None
    step: int | None = None
    default: int | None = None
    allowed: tuple[int, ...] = ()


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One model version in one region. ``status`` is ARM's ``lifecycleStatus``. ``replacement`` is what it is upgraded to."""

    model: ModelVersion
    format: str = "OpenAI"
    kind: str = ""
    status: str = ""
    is_default: bool = False
    retires_at: float | None = None
    is_tentative: bool = False
    replacement: ModelVersion | None = None
    upgrade_starts_at: float | None = None
    skus: tuple[SkuOffer, ...] = ()

    def sku(self, name: str) -> SkuOffer | None:
        return next((each for each in self.skus if each.name.casefold() == name.casefold()), None)

    def retirement_of(self, sku: str) -> float | None:
        """When a deployment of that SKU stops serving: the earliest date that applies to it, ``None`` where none is said."""
        sold = self.sku(sku)
        dates = [self.retires_at, None if sold is None else sold.retires_at]
        return min((each for each in dates if each is not None and each < NEVER_AT), default=None)

    def is_retired(self, sku: str, *, now: float) -> bool:
        """A date in the past decides whatever the status says."""
        retires_at = self.retirement_of(sku)
        return self.status == RETIRED_STATUS or (retires_at is not None and retires_at <= now)


def offer_of(offers: Iterable[Offer], model: ModelVersion) -> Offer | None:
    """What is offered of that very version. A version may be listed once for each kind of resource: those are one."""
    found = [each for each in offers if each.model == model]
    if not found:
        return None
    skus = {sku.name: sku for each in found for sku in each.skus}
    return msgspec.structs.replace(found[0], skus=tuple(skus.values()))


def versions_of(offers: Iterable[Offer], name: str) -> tuple[str, ...]:
    """The versions of a model that are offered at all."""
    return tuple(sorted({each.model.version for each in offers if each.model.name == name}))
