"""What is one model version of the stage's Azure? Offer, limits and dates, as its model lists show them."""

from collections.abc import Sequence
from functools import cache
from typing import Final, Literal

import msgspec

from changeover.azure_sim.arm.catalogue_table import CATALOGUE, DEFAULTS, REGIONS, REGIONS_OF_NEW
from changeover.azure_sim.arm.moments import DAY_S, NEVER, moment

TOKEN_SKUS: Final = ("Standard", "GlobalStandard", "DataZoneStandard", "DeveloperTier")
"""Their capacity is in thousands of tokens a minute."""
BATCH_SKUS: Final = ("GlobalBatch", "DataZoneBatch")
PROVISIONED_SKUS: Final = ("ProvisionedManaged", "GlobalProvisionedManaged", "DataZoneProvisionedManaged")
"""Their capacity is in provisioned throughput units."""
UPGRADED_SKUS: Final = ("Standard", "GlobalStandard", "DataZoneStandard")
"""What the provider may move to another version; these can be paused as well."""
ALL_SKUS: Final = (*TOKEN_SKUS, *BATCH_SKUS, *PROVISIONED_SKUS)
_GLOBAL: Final = ("GlobalStandard", "DataZoneStandard", "GlobalBatch", "GlobalProvisionedManaged", "DataZoneProvisionedManaged")
_OFFERS: Final = {"regional": ALL_SKUS, "global": _GLOBAL, "new": _GLOBAL}
LEAD_DAYS: Final = 7
"""So long before a retirement the move to the replacement begins."""
CAPACITY_MAX: Final = 1_000_000
_FINE_TUNED: Final = frozenset({"gpt-4o@2024-08-06", "gpt-4o-mini@2024-07-18", "gpt-4.1@2025-04-14", "gpt-4.1-mini@2025-04-14"})
_REQUESTS_PER_CAPACITY: Final = {"o1": 1 / 6, "o3": 1.0, "o4-mini": 1.0, "o3-mini": 0.1}

Family = Literal["chat", "reasoning", "embeddings"]


class Replacement(msgspec.Struct, frozen=True, kw_only=True):
    """What takes the place of a version; ``starts_at`` is when moves begin where that is before the retirement's lead."""

    name: str
    version: str
    starts_at: float
    lead_days: int = LEAD_DAYS


class ModelVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One row. ``retires_at`` is ``NEVER`` where no date is known. ``lifecycle`` is the API's word."""

    name: str
    version: str
    lifecycle: str = "GenerallyAvailable"
    retires_at: float = NEVER
    replacement: Replacement | None = None
    skus: tuple[str, ...] = ALL_SKUS
    regions: tuple[str, ...] = REGIONS
    family: Family = "chat"

    @property
    def requests_per_capacity(self) -> float:
        """Requests a minute for one unit of capacity of a token SKU."""
        return _REQUESTS_PER_CAPACITY.get(self.name, 6.0)

    @property
    def fine_tuned(self) -> bool:
        """Can it be fine-tuned? Lists say so; the stage does none."""
        return f"{self.name}@{self.version}" in _FINE_TUNED

    @property
    def capabilities(self) -> dict[str, str]:
        """All values are strings, as the API has them."""
        if self.family == "embeddings":
            return {"embeddings": "true", "embeddingsMaxInputs": "2048"}
        shared = {"chatCompletion": "true", "responses": "true", "jsonObjectResponse": "true", "maxContextToken": "128000"}
        return shared | ({"reasoning": "true"} if self.family == "reasoning" else {"completion": "true"})


class DefaultChange(msgspec.Struct, frozen=True, kw_only=True):
    """From ``at`` on ``version`` is the default of ``name``; in ``region`` only, where one is named."""

    name: str
    version: str
    at: float
    region: str | None = None


class RetirementChange(msgspec.Struct, frozen=True, kw_only=True):
    """A date that was moved: for one SKU or region where they are named. The last one said wins."""

    name: str
    version: str
    at: float
    region: str | None = None
    sku: str | None = None


@cache
def built_in() -> tuple[ModelVersion, ...]:
    return tuple(_row(line.split()) for line in CATALOGUE.strip().splitlines())


@cache
def built_in_defaults() -> tuple[DefaultChange, ...]:
    rows = [line.split() for line in DEFAULTS.strip().splitlines()]
    return tuple(DefaultChange(name=name, version=version, at=moment(since)) for name, version, since in rows)


def _row(cells: Sequence[str]) -> ModelVersion:
    name, version, lifecycle, retires, replaced_by, offer = cells
    retires_at = NEVER if retires == "-" else moment(retires)
    return ModelVersion(
        name=name,
        version=version,
        lifecycle=lifecycle,
        retires_at=retires_at,
        replacement=None if replaced_by == "-" else _replacement(*replaced_by.split("@"), retires_at=retires_at),
        skus=_OFFERS[offer],
        regions=REGIONS_OF_NEW if offer == "new" else REGIONS,
        family=_family(name),
    )


def _replacement(name: str, version: str, *, retires_at: float) -> Replacement:
    return Replacement(name=name, version=version, starts_at=retires_at - LEAD_DAYS * DAY_S)


def _family(name: str) -> Family:
    if name.startswith("text-embedding"):
        return "embeddings"
    return "reasoning" if name.startswith(("o1", "o3", "o4", "gpt-5")) and "chat" not in name else "chat"
