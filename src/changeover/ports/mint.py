"""Where do secrets come from?"""

from typing import Protocol


class Mint(Protocol):
    """Fresh secrets. Apart from `Dice`, which may be seeded: a secret never is."""

    def secret(self) -> str:
        """43 URL-safe characters from 32 random bytes."""
        ...
