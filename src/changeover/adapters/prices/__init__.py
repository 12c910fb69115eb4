"""What do providers charge? Price lists that are part of the release; none is ever fetched."""

from changeover.adapters.prices.bundled import BundledPrices
from changeover.adapters.prices.memory import MemoryPrices

__all__ = ["BundledPrices", "MemoryPrices"]
