"""What the bundled list gets wrong, or does not know: rules with where and when they were read."""

from typing import Final

import msgspec

from changeover.versions.prices import Scope, Tier


class Adjustment(msgspec.Struct, frozen=True, kw_only=True):
    """Multiply a provider's standard global price by ``factor`` for these scopes and tiers.

    ``families`` are beginnings of model names, ``unless`` are exact ``model-version`` names that are priced as listed.
    Empty ``families`` means every model. ``read_on`` is the date of the source.
    """

    provider: str
    scopes: tuple[Scope, ...]
    tiers: tuple[Tier, ...]
    factor: float
    families: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    name: str
    source: str
    read_on: str

    def applies(self, *, provider: str, model: str, version: str, scope: Scope, tier: Tier) -> bool:
        named = not self.families or model.startswith(self.families)
        listed = f"{model}-{version}" in self.unless
        return provider == self.provider and scope in self.scopes and tier in self.tiers and named and not listed


ADJUSTMENTS: Final = (
    Adjustment(
        provider="azure",
        scopes=("data-zone", "regional"),
        tiers=("standard", "batch"),
        factor=1.10,
        families=("gpt-4o", "gpt-4.1", "gpt-5", "o1", "o3", "o4-mini"),
        unless=("gpt-4o-2024-05-13",),
        name="+10 % outside global",
        source="LiteLLM price map 1.106.2, rows azure/eu, azure/us and azure/global of each family",
        read_on="2026-11-01",
    ),
    Adjustment(
        provider="azure",
        scopes=("global", "data-zone", "regional"),
        tiers=("batch",),
        factor=0.5,
        name="batch at 50 %",
        source="Azure OpenAI, Batch deployments: half the price of the global standard deployment",
        read_on="2026-11-01",
    ),
)


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment's SKU says of its price."""

    scope: Scope = "global"
    tier: Tier = "standard"
    provisioned: bool = False


AZURE_TERMS: Final = {
    "Standard": Terms(scope="regional"),
    "DataZoneStandard": Terms(scope="data-zone"),
    "GlobalStandard": Terms(),
    "DataZoneBatch": Terms(scope="data-zone", tier="batch"),
    "GlobalBatch": Terms(tier="batch"),
    "ProvisionedManaged": Terms(scope="regional", provisioned=True),
    "DataZoneProvisionedManaged": Terms(scope="data-zone", provisioned=True),
    "GlobalProvisionedManaged": Terms(provisioned=True),
    "DeveloperTier": Terms(),
}
"""Azure's SKU names. A deployment without one, or with one that is not here, is priced as global standard."""
