"""``PlaneLink`` over several control planes of one store: whoever answers will do."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Self, TypeVar

from changeover.adapters.plane_link.http import HttpPlaneLink
from changeover.ports.planes import Acknowledgement, Issuer, LinkDownError, ObservationBatch, ShapeReport
from changeover.traffic.table import RoutingTable

T = TypeVar("T")

_JOIN: Final = "; "


class SeveralPlaneLinks:
    """Asks the one that answered last, and the next ones where it does not. They share their store, so that a batch which one took
    and did not confirm is known to the others.
    """

    def __init__(self, links: Sequence[HttpPlaneLink]) -> None:
        assert links, "at least one control plane"
        self._links = tuple(links)
        self._present = 0

    async def table_after(self, revision: int, *, wait_s: float) -> RoutingTable | None:
        """See ``PlaneLink``. All are asked at once and the first answer counts: one that stands still must hold up no rollback."""
        if len(self._links) == 1:
            return await self._links[0].table_after(revision, wait_s=wait_s)
        asked = [asyncio.ensure_future(link.table_after(revision, wait_s=wait_s)) for link in self._links]
        problems: list[str] = []
        try:
            for answer in asyncio.as_completed(asked):
                try:
                    return await answer
                except LinkDownError as error:
                    problems.append(str(error))
        finally:
            for call in asked:
                call.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        raise LinkDownError(_JOIN.join(problems))

    async def acknowledge(self, acknowledgement: Acknowledgement) -> None:
        """See ``PlaneLink``."""
        await self._ask(lambda link: link.acknowledge(acknowledgement))

    async def deliver(self, batch: ObservationBatch) -> None:
        """See ``PlaneLink``."""
        await self._ask(lambda link: link.deliver(batch))

    async def tell_shapes(self, report: ShapeReport) -> None:
        """See ``PlaneLink``."""
        await self._ask(lambda link: link.tell_shapes(report))

    async def issuer(self, response: str) -> Issuer | None:
        """See ``PlaneLink``."""
        return await self._ask(lambda link: link.issuer(response))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for link in self._links:
            await link.aclose()

    async def _ask(self, call: Callable[[HttpPlaneLink], Awaitable[T]]) -> T:
        """Each once, beginning with the present one. Calls under way at the same time may turn to the next one together: where
        they find it is what counts, not who was first.
        """
        problems: list[str] = []
        first = self._present
        for number in range(first, first + len(self._links)):
            chosen = number % len(self._links)
            try:
                answer = await call(self._links[chosen])
            except LinkDownError as error:
                problems.append(str(error))
                continue
            self._present = chosen
            return answer
        raise LinkDownError(_JOIN.join(problems))
