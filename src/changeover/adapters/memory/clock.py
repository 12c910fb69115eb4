"""A clock that stands still until somebody moves it."""


class HandClock:
    """``ports.clock.Clock`` moved by hand; Unix seconds. It may be set back, as a machine's clock may."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now

    def now(self) -> float:
        """See ``Clock``."""
        return self._now

    def advance(self, seconds: float) -> float:
        """Move by ``seconds``; returns the new time."""
        self._now += seconds
        return self._now

    def set(self, at: float) -> None:
        """Move to ``at``."""
        self._now = at
