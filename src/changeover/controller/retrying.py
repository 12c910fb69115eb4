"""How long is it waited before an alert is tried again, and when is it given up?"""

from typing import Final

FIRST_WAIT_S: Final = 5.0
FACTOR: Final = 3.0
LONGEST_WAIT_S: Final = 3600.0
JITTER: Final = 0.5
"""Waits are up to this much longer, by chance: whatever made many fail at once must not make them come back at once."""
WAIT_S_MAX: Final = LONGEST_WAIT_S * (1 + JITTER)
GIVE_UP_S: Final = 24 * 3600.0
"""After this long since it happened it is old news."""
REST_S_MAX: Final = 60.0
"""A destination that failed is left alone for at most so long, then the next alert is tried on it."""

_DIGITS: Final = 8
_TRIES_MAX: Final = 20


def wait_s(tries: int, token: str) -> float:
    """Seconds to the next try after ``tries`` failed ones; ``token`` is thrown by the dice, empty for no jitter."""
    grown = min(FIRST_WAIT_S * FACTOR ** (min(tries, _TRIES_MAX) - 1), LONGEST_WAIT_S)
    chance = int(token[:_DIGITS], 16) / 16**_DIGITS if token else 0.0
    return grown * (1 + JITTER * chance)
