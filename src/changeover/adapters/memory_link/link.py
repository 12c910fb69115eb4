"""``PlaneLink`` without a wire: the control plane's end is an object beside it."""

import asyncio

from changeover.ports.planes import Acknowledgement, Issuer, LinkDownError, ObservationBatch, ShapeReport
from changeover.traffic.table import RoutingTable


class MemoryPlaneLink:
    """A link whose other end is this object: ``publish`` tables, read ``acknowledgements`` and ``batches``.

    ``up = False`` cuts it: every call raises ``LinkDownError``, waiting ones too. ``batches`` holds each batch once, as
    the control plane would take it.
    """

    def __init__(self) -> None:
        self.acknowledgements: list[Acknowledgement] = []
        self.batches: list[ObservationBatch] = []
        self.shape_reports: list[ShapeReport] = []
        self._table: RoutingTable | None = None
        self._up = True
        self._changed = asyncio.Condition()
        self._taken: set[tuple[str, str, int]] = set()

    async def publish(self, table: RoutingTable) -> None:
        """Offer ``table`` to whoever waits for one."""
        self._table = table
        await self._wake()

    async def cut(self) -> None:
        """The control plane is away from now on."""
        self._up = False
        await self._wake()

    async def restore(self) -> None:
        """The control plane is back."""
        self._up = True
        await self._wake()

    async def table_after(self, revision: int, *, wait_s: float) -> RoutingTable | None:
        """See ``PlaneLink``."""
        self._check()
        try:
            async with asyncio.timeout(wait_s), self._changed:
                await self._changed.wait_for(lambda: not self._up or self._newer(revision) is not None)
        except TimeoutError:
            return None
        self._check()
        return self._newer(revision)

    async def acknowledge(self, acknowledgement: Acknowledgement) -> None:
        """See ``PlaneLink``."""
        self._check()
        self.acknowledgements.append(acknowledgement)

    async def deliver(self, batch: ObservationBatch) -> None:
        """See ``PlaneLink``."""
        self._check()
        key = (batch.plane, batch.boot, batch.sequence)
        if key not in self._taken:
            self._taken.add(key)
            self.batches.append(batch)

    async def tell_shapes(self, report: ShapeReport) -> None:
        """See ``PlaneLink``."""
        self._check()
        self.shape_reports.append(report)

    async def issuer(self, response: str) -> Issuer | None:
        """See ``PlaneLink``: what the batches say."""
        self._check()
        for batch in reversed(self.batches):
            for seen in batch.observations:
                if seen.response == response and seen.task is not None and seen.served is not None:
                    return Issuer(task=seen.task, deployment=seen.served)
        return None

    def _newer(self, revision: int) -> RoutingTable | None:
        return self._table if self._table is not None and self._table.revision > revision else None

    def _check(self) -> None:
        if not self._up:
            raise LinkDownError("the link was cut")

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()
