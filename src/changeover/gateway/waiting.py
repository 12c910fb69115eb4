"""What becomes of a request that something has to be known for first? It waits beside its caller, and goes on once."""

from asyncio import TimerHandle
from collections.abc import Callable

from changeover.gateway.caller import Caller


class Waiting:
    """A request before its side is drawn. ``over`` lets it go on with ``then``; if its caller leaves before, ``left`` is told.

    Exactly one of the two is called, once. ``timer`` is stopped when it is over.
    """

    __slots__ = ("_left", "_then", "timer")

    def __init__(self, caller: Caller, *, then: Callable[[], None], left: Callable[[], None]) -> None:
        self._then: Callable[[], None] | None = then
        self._left = left
        self.timer: TimerHandle | None = None
        caller.attach(self)

    def over(self) -> None:
        """What was waited for is known, or will not be."""
        then = self._end()
        if then is not None:
            then()

    def caller_gone(self) -> None:
        if self._end() is not None:
            self._left()

    def pause(self) -> None:
        """Nothing flows yet."""

    def resume(self) -> None:
        """Nothing flows yet."""

    def _end(self) -> Callable[[], None] | None:
        then, self._then = self._then, None
        if self.timer is not None:
            self.timer.cancel()
        return then
