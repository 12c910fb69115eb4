"""Where does chance come from?"""

from typing import Protocol


class Dice(Protocol):
    """Fresh identifiers. A seeded pair of dice makes a run repeatable."""

    def token(self) -> str:
        """32 hexadecimal digits, never twice the same."""
        ...
