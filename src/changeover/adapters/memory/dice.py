"""Dice that fall the same way for the same seed. Never for secrets."""

import hashlib
import itertools

TOKEN_BYTES = 16


class SeededDice:
    """``ports.dice.Dice`` by counting: the n-th token is a hash of seed and n, so no two of a pair are the same."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._throws = itertools.count()

    def token(self) -> str:
        """See ``Dice``."""
        return hashlib.blake2b(f"{self.seed}:{next(self._throws)}".encode(), digest_size=TOKEN_BYTES).hexdigest()
