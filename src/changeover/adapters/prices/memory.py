"""A price book that knows what it was told: for tests, rehearsals and everything that needs no real list."""

from collections.abc import Mapping, Sequence
from math import inf

from changeover.versions import Account, Deployment
from changeover.versions.prices import Price


class MemoryPrices:
    """``ports.prices.PriceBook`` over price lines by deployment name, in any order."""

    def __init__(self, lines: Mapping[str, Sequence[Price]]) -> None:
        self._lines = {name: sorted(prices, key=_since) for name, prices in lines.items()}

    def price_of(self, deployment: Deployment, account: Account, at: float) -> Price | None:  # noqa: ARG002  told by name
        """See ``PriceBook``."""
        valid = [line for line in self._lines.get(deployment.name, ()) if _since(line) <= at]
        return valid[-1] if valid else None


def _since(line: Price) -> float:
    return -inf if line.valid_from_at is None else line.valid_from_at
