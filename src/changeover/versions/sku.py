"""How is a deployment sold in Azure, and what is its capacity counted in? Every capacity is printed with what it means."""

from typing import Final, Literal

Unit = Literal["tokens-per-minute", "ptu", "batch"]

TOKENS_A_UNIT: Final = 1000
PAUSABLE: Final = frozenset({"Standard", "DataZoneStandard", "GlobalStandard"})
"""SKUs whose deployments can be paused, and go on where they were."""

_PTU_MARK: Final = "provisioned"
_BATCH_MARK: Final = "batch"


def unit_of(sku: str) -> Unit:
    """What a capacity of ``sku`` counts. What is unknown is taken as tokens, as most are."""
    lowered = sku.lower()
    if _PTU_MARK in lowered:
        return "ptu"
    return "batch" if _BATCH_MARK in lowered else "tokens-per-minute"


def is_pausable(sku: str) -> bool:
    return sku in PAUSABLE


def capacity_words(sku: str, capacity: int | None) -> str:
    """``50 = 50,000 TPM``, ``50 PTU``, ``50 batch units``."""
    if capacity is None:
        return "capacity not said"
    match unit_of(sku):
        case "ptu":
            return f"{capacity:,} PTU"
        case "batch":
            return f"{capacity:,} batch units"
        case "tokens-per-minute":
            return f"{capacity} = {capacity * TOKENS_A_UNIT:,} TPM"
