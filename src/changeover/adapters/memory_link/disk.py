"""What a data plane keeps on disk, kept in memory: an object outlives the data plane that used it, as a disk would."""

from collections.abc import Sequence

from changeover.ports.planes import ObservationBatch
from changeover.traffic.table import RoutingTable, Side


class MemoryTableCache:
    """The last good table."""

    def __init__(self, table: RoutingTable | None = None) -> None:
        self.table = table

    def load(self) -> RoutingTable | None:
        """See ``TableCache``."""
        return self.table

    def save(self, table: RoutingTable) -> None:
        """See ``TableCache``."""
        self.table = table


class MemorySpool:
    """Batches for the next start. ``full = True`` refuses to keep any."""

    def __init__(self) -> None:
        self.batches: tuple[ObservationBatch, ...] = ()
        self.full = False

    def load(self) -> Sequence[ObservationBatch]:
        """See ``Spool``."""
        return self.batches

    def save(self, batches: Sequence[ObservationBatch]) -> bool:
        """See ``Spool``."""
        if self.full:
            return False
        self.batches = tuple(batches)
        return True


class MemoryCrashLedger:
    """Counts of one data plane. ``next_boot`` is what its successor finds after a crash."""

    def __init__(self, *, lost: int = 0) -> None:
        self._lost = lost
        self.open: dict[Side | None, int] = {Side.STABLE: 0, Side.CANDIDATE: 0, None: 0}
        """Requests begun and not yet reported, by side."""

    @property
    def lost(self) -> int:
        """See ``CrashLedger``."""
        return self._lost

    def begin(self, side: Side | None) -> None:
        """See ``CrashLedger``."""
        self.open[side] += 1

    def assign(self, side: Side) -> None:
        """See ``CrashLedger``."""
        self.open[None] -= 1
        self.open[side] += 1

    def report(self, side: Side | None, count: int) -> None:
        """See ``CrashLedger``."""
        self.open[side] -= count

    def forget_lost(self) -> None:
        """See ``CrashLedger``."""
        self._lost = 0

    def next_boot(self) -> "MemoryCrashLedger":
        """The ledger as the next boot finds it."""
        return MemoryCrashLedger(lost=self._lost + sum(self.open.values()))


class MemoryMetricsShelf:
    """One shelf for several data planes: each has its ``name`` on what they share."""

    def __init__(self, name: str, shared: dict[str, bytes]) -> None:
        self._name = name
        self._shared = shared

    def keep(self, body: bytes) -> None:
        """See ``MetricsShelf``."""
        self._shared[self._name] = body

    def others(self) -> Sequence[bytes]:
        """See ``MetricsShelf``."""
        return [body for name, body in sorted(self._shared.items()) if name != self._name]
