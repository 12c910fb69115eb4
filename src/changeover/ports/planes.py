"""The one protocol between the control plane and every data plane: table down, acknowledgements and observations up."""

from typing import Protocol

import msgspec

from changeover.exchange.observation import Observation
from changeover.traffic.table import RoutingTable
from changeover.wire.sent_shape import SentShape

PLANE_SILENT_S = 60.0
"""After this long without a word a data plane is listed as silent."""


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    """``plane`` serves from the table of ``revision``. ``boot`` is new at every start of the process."""

    plane: str
    boot: str
    revision: int


class Dropped(msgspec.Struct, frozen=True, kw_only=True):
    """Observations lost since this boot because the queue was full, by side."""

    stable: int = 0
    candidate: int = 0
    unassigned: int = 0


class ObservationBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Observations of one data plane, in order.

    A batch is taken once by (plane, boot, sequence); sequences rise by one, from 1. ``watermark_at``: every request
    that this plane began before that Unix time is in this batch or an earlier one. ``lost`` counts requests of an
    earlier boot that began and were never reported (a crash), by this plane's own ledger. An empty batch is a heartbeat.
    """

    plane: str
    boot: str
    sequence: int
    watermark_at: float
    dropped: Dropped = Dropped()
    lost: int = 0
    observations: tuple[Observation, ...] = ()


class TaskShape(msgspec.Struct, frozen=True, kw_only=True):
    """A shape that requests of ``task`` have."""

    task: str
    shape: SentShape


class ShapeReport(msgspec.Struct, frozen=True, kw_only=True):
    """What requests look like that this plane has served lately. Told again now and then; losing one does no harm."""

    plane: str
    boot: str
    shapes: tuple[TaskShape, ...]


class Issuer(msgspec.Struct, frozen=True, kw_only=True):
    """Who made a response: the deployment that serves what continues it, and the task it was made for."""

    task: str
    deployment: str


class PlaneState(msgspec.Struct, frozen=True, kw_only=True):
    """A data plane as the control plane last heard of it."""

    plane: str
    boot: str
    acknowledged_revision: int
    seen_at: float
    watermark_at: float
    sequence: int = 0
    dropped: Dropped = Dropped()
    lost: int = 0

    def is_silent(self, now: float) -> bool:
        return now - self.seen_at > PLANE_SILENT_S


class PlaneLink(Protocol):
    """What a data plane needs of the control plane. Every verb raises ``LinkDownError`` when it cannot be reached."""

    async def table_after(self, revision: int, *, wait_s: float) -> RoutingTable | None:
        """The newest table with a revision above ``revision``, or ``None`` after ``wait_s`` seconds without one."""
        ...

    async def acknowledge(self, acknowledgement: Acknowledgement) -> None: ...

    async def deliver(self, batch: ObservationBatch) -> None:
        """Deliver one batch; raises ``BatchRefusedError`` when it will never be taken as it is."""
        ...

    async def tell_shapes(self, report: ShapeReport) -> None: ...

    async def issuer(self, response: str) -> Issuer | None:
        """Who made the response with this hash (``exchange.issuer``), as far as any data plane has reported it."""
        ...


class LinkDownError(Exception):
    """The control plane cannot be reached. Serving goes on from the last table."""


class BatchRefusedError(Exception):
    """The control plane understood that it cannot take this batch (malformed, too large); sending it again is useless."""


class TableCache(Protocol):
    """The last good table, kept on the data plane's own disk across its restarts."""

    def load(self) -> RoutingTable | None: ...

    def save(self, table: RoutingTable) -> None: ...
