"""Who issued a response that this data plane does not know? The control plane is asked, for a moment, and nobody else waits."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from changeover.exchange.issuer import hash_response
from changeover.gateway.health import Health
from changeover.ports.planes import Issuer, LinkDownError

ASK_S: Final = 0.25
"""So long a request waits for the answer; then it goes to the stable."""
ASKS_MAX: Final = 64
"""Inquiries under way at once. What comes on top goes to the stable at once."""


class IssuerBook(Protocol):
    """What is needed of the control plane."""

    async def issuer(self, response: str) -> Issuer | None: ...


class Inquiries:
    """Asks ``book`` and tells ``health`` what it says."""

    def __init__(self, book: IssuerBook, health: Health) -> None:
        self._book = book
        self._health = health
        self._asking: set[asyncio.Task[None]] = set()

    @property
    def has_room(self) -> bool:
        """Whether one more may be asked."""
        return len(self._asking) < ASKS_MAX

    def ask(self, response_id: str, then: Callable[[], None]) -> None:
        """Ask who issued the response; ``then`` is called when that is known, or will not be."""
        task = asyncio.get_running_loop().create_task(self._ask(response_id, then))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def close(self) -> None:
        """Ask nothing more. Whoever waited has gone."""
        asking = tuple(self._asking)
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    async def _ask(self, response_id: str, then: Callable[[], None]) -> None:
        found: Issuer | None = None
        try:
            async with asyncio.timeout(ASK_S):
                found = await self._book.issuer(hash_response(response_id))
        except (TimeoutError, LinkDownError):
            found = None
        if found is not None:
            self._health.issued(response_id, found.task, found.deployment)
        then()
