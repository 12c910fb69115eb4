"""Counts in a memory-mapped file: they outlive a killed process without a system call a request (not a power cut)."""

import mmap
import os
from pathlib import Path
from typing import Final

from changeover.traffic.table import Side

_MAGIC: Final = int.from_bytes(b"CHGLEDG1", "little")
_MAGIC_AT: Final = 0
_OWED_AT: Final = 1
_BEGUN_AT: Final = {Side.STABLE: 2, Side.CANDIDATE: 3, None: 4}
_REPORTED_AT: Final = {Side.STABLE: 5, Side.CANDIDATE: 6, None: 7}
_CELLS: Final = 8
_SIZE: Final = _CELLS * 8
_PRIVATE: Final = 0o600


class DiskCrashLedger:
    """``CrashLedger`` in eight cells of 64 bits. Opening it turns the earlier boot's unreported requests into ``lost``."""

    def __init__(self, path: Path) -> None:
        self._map = _map(path)
        self._cells = memoryview(self._map).cast("q")
        if self._cells[_MAGIC_AT] != _MAGIC:
            self._clear_all()
        self.lost_by_side = {side: max(0, self._cells[_BEGUN_AT[side]] - self._cells[_REPORTED_AT[side]]) for side in _BEGUN_AT}
        """What the last boot began and never reported, by side."""
        self._cells[_OWED_AT] += sum(self.lost_by_side.values())
        for at in (*_BEGUN_AT.values(), *_REPORTED_AT.values()):
            self._cells[at] = 0

    @property
    def lost(self) -> int:
        """See ``CrashLedger``."""
        return self._cells[_OWED_AT]

    def begin(self, side: Side | None) -> None:
        """See ``CrashLedger``."""
        self._cells[_BEGUN_AT[side]] += 1

    def assign(self, side: Side) -> None:
        """See ``CrashLedger``."""
        self._cells[_BEGUN_AT[side]] += 1
        self._cells[_BEGUN_AT[None]] -= 1

    def report(self, side: Side | None, count: int) -> None:
        """See ``CrashLedger``."""
        self._cells[_REPORTED_AT[side]] += count

    def forget_lost(self) -> None:
        """See ``CrashLedger``."""
        self._cells[_OWED_AT] = 0

    def close(self) -> None:
        """Let go of the file. Do not count after this."""
        self._cells.release()
        self._map.close()

    def _clear_all(self) -> None:
        for at in range(_CELLS):
            self._cells[at] = 0
        self._cells[_MAGIC_AT] = _MAGIC


def _map(path: Path) -> mmap.mmap:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, _PRIVATE)
    try:
        # A file of another size is not ours, or was cut short: its counts mean nothing and begin at zero.
        if os.fstat(handle).st_size != _SIZE:
            os.ftruncate(handle, 0)
            os.ftruncate(handle, _SIZE)
        return mmap.mmap(handle, _SIZE)
    finally:
        os.close(handle)
