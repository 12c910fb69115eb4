"""What time is it on the stage? Real time plus what it was moved by; it never runs backward by itself."""

import time
from collections.abc import Callable


class SimClock:
    """``moved_s``: how far it is from real time."""

    def __init__(self, *, real: Callable[[], float] = time.time, moved_s: float = 0.0) -> None:
        self._real = real
        self.moved_s = moved_s

    def now(self) -> float:
        return self._real() + self.moved_s

    def advance(self, by_s: float) -> None:
        self.moved_s += by_s

    def set(self, at: float) -> None:
        self.moved_s = at - self._real()
