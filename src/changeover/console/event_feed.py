"""What happens to a task, as it happens? Events from the server's stream, taken up again where it broke off."""

import time
from collections.abc import Callable, Generator
from threading import Event
from typing import Final

import msgspec

from changeover.api.answers import EventView
from changeover.console.failure import Failure
from changeover.console.server_link import ServerLink, ServerRefusal, Where, open_link

BACKOFF_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Pauses before the server is tried again; the last one from then on."""

_DATA: Final = b"data:"
_SERVER_FAULT: Final = 500

Fetch = Callable[[ServerLink], None]


class EventFeed:
    """Events of ``task`` after a revision. ``tell`` hears when the server goes away and when it is back."""

    def __init__(self, where: Where, *, task: str, after: int, tell: Callable[[str], None]) -> None:
        self._where = where
        self._task = task
        self._after = after
        self._tell = tell
        self._away_since: float | None = None
        self._tries = 0

    def events(self, *, until: float) -> Generator[EventView | None]:
        """Every event in its order, and ``None`` now and then while nothing happens. Ends at ``until`` (``time.monotonic``).

        Raises:
            Failure: the server refuses; one that cannot be reached is waited for.
        """
        while time.monotonic() < until:
            try:
                yield from self._stream(until)
                if time.monotonic() >= until:
                    return  # it was we who left
                self._went_away("the server is stopping")
            except Failure as failure:
                if isinstance(failure, ServerRefusal) and failure.status < _SERVER_FAULT:
                    raise
                self._went_away(failure.message)
            pause_s = BACKOFF_S[min(self._tries, len(BACKOFF_S)) - 1]
            Event().wait(max(0.0, min(pause_s, until - time.monotonic())))
            yield None

    def _stream(self, until: float) -> Generator[EventView | None]:
        with open_link(self._where) as link:
            for line in link.lines("/api/v1/events/stream", task=self._task, after=self._after):
                self._is_back()
                event = msgspec.json.decode(line[len(_DATA) :], type=EventView) if line.startswith(_DATA) else None
                if event is not None:
                    self._after = event.revision
                yield event
                if time.monotonic() >= until:
                    return

    def _went_away(self, why: str) -> None:
        """Said once, however often it is tried; the rollout goes on without us, the data planes serve on without the server."""
        self._tries += 1
        if self._away_since is None:
            self._away_since = time.monotonic()
            self._tell(f"lost the server: {why}; waiting for it")

    def _is_back(self) -> None:
        if self._away_since is not None:
            self._tell(f"the server is back after {time.monotonic() - self._away_since:.0f} s")
        self._away_since, self._tries = None, 0
