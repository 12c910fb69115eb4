"""May one more attempt be made? Attempts cost money and load; a task may repeat a share of its requests, not all of them."""

from typing import Final

SHARE: Final = 0.2
"""Extra attempts per request of the task."""
FLOOR_PER_S: Final = 10.0
"""Extra attempts that even a quiet task may make, per second."""
SAVED_MAX: Final = 1000.0
"""What a busy task can save up for the moment in which a deployment goes with everything under way on it."""
SAVED_FIRST: Final = 100.0
"""What a task has to begin with."""


class RetryBudget:
    """One task's allowance: a bucket that every request and every second fill a little, and every extra attempt empties.

    ``at`` is seconds of one monotonic clock. Without a bound, a provider in trouble would get twice the load it fails
    under. The first attempt of a request is never refused, nor is one that only goes where an earlier one should have
    gone (an open breaker).
    """

    __slots__ = ("_filled_at", "_saved")

    def __init__(self, at: float) -> None:
        self._saved = SAVED_FIRST
        self._filled_at = at

    @property
    def saved(self) -> float:
        """Extra attempts that may be made at once."""
        return self._saved

    def request(self) -> None:
        """The task has one more request."""
        if self._saved < SAVED_MAX:
            self._saved += SHARE

    def spend(self, at: float) -> bool:
        """Whether one more attempt may be made now; then it is counted."""
        floor = max(0.0, at - self._filled_at) * FLOOR_PER_S
        self._filled_at = at
        if self._saved < SAVED_FIRST:
            self._saved = min(SAVED_FIRST, self._saved + floor)
        if self._saved < 1.0:
            return False
        self._saved -= 1.0
        return True
