"""What a data plane keeps on its own disk, besides the table: what it could not deliver, and what it had begun."""

from collections.abc import Sequence
from typing import Protocol

from changeover.ports.planes import ObservationBatch
from changeover.traffic.table import Side


class Spool(Protocol):
    """Batches that a stopping data plane could not deliver, for its next start. Never raises: trouble is logged."""

    def load(self) -> Sequence[ObservationBatch]:
        """The batches left, oldest first."""
        ...

    def save(self, batches: Sequence[ObservationBatch]) -> bool:
        """Replace what is there. ``False`` when it could not be written."""
        ...


class CrashLedger(Protocol):
    """Counts requests begun and reported, by side (``None``: unassigned), in memory that outlives the process.

    It is written at every request: an addition, no system call. It counts, it does not list.
    """

    @property
    def lost(self) -> int:
        """Requests of earlier boots that began, were never reported and have not been told of yet."""
        ...

    def begin(self, side: Side | None) -> None: ...

    def assign(self, side: Side) -> None:
        """A request that began unassigned now belongs to ``side``."""
        ...

    def report(self, side: Side | None, count: int) -> None:
        """``count`` requests of ``side`` are safely told: delivered, spooled, or counted as dropped to who must know."""
        ...

    def forget_lost(self) -> None:
        """The control plane has been told of ``lost``."""
        ...


class MetricsShelf(Protocol):
    """Where data planes that share a port leave their numbers for each other. Never raises: trouble is logged."""

    def keep(self, body: bytes) -> None:
        """Replace this data plane's own."""
        ...

    def others(self) -> Sequence[bytes]:
        """What the others last kept, however long ago."""
        ...
