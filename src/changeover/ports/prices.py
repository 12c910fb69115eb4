"""What does a deployment's provider charge?"""

from typing import Protocol

from changeover.versions import Account, Deployment
from changeover.versions.prices import Price


class PriceBook(Protocol):
    """Dated list prices. Never asks the network: the answer is the same on every machine with the same release."""

    def price_of(self, deployment: Deployment, account: Account, at: float) -> Price | None:
        """The price in force at ``at`` (Unix seconds), or ``None`` where no price is known."""
        ...
