"""One data plane's directory: its name, its last table, its spool, its ledger, and the lock that keeps others out."""

import fcntl
import logging
import os
import re
from pathlib import Path
from typing import Final, Self

from changeover.adapters.plane_disk.files import read_whole, set_aside, write_whole
from changeover.adapters.plane_disk.ledger import DiskCrashLedger
from changeover.adapters.plane_disk.metrics_shelf import DiskMetricsShelf
from changeover.adapters.plane_disk.spool import DiskSpool
from changeover.adapters.plane_disk.table_cache import DiskTableCache
from changeover.ports.dice import Dice

_PLANE_ID: Final = re.compile(r"[0-9a-f]{32}")
_PRIVATE_DIRECTORY: Final = 0o700
_PRIVATE: Final = 0o600
_log: Final = logging.getLogger(__name__)


class PlaneDiskError(Exception):
    """The directory cannot be used at all; says why and what to do."""


class PlaneDisk:
    """An open directory. ``plane`` is the data plane's name, the same at every start from this directory."""

    def __init__(self, directory: Path, *, dice: Dice, lock: int) -> None:
        self._lock = lock
        self.plane = _plane_id(directory / "plane.id", dice)
        self.table_cache = DiskTableCache(directory / "table.json")
        self.spool = DiskSpool(directory / "spool.jsonl")
        self.ledger = DiskCrashLedger(directory / "ledger.bin")
        self.metrics_shelf = DiskMetricsShelf(directory)
        if self.ledger.lost:
            by_side = {str(side or "unassigned"): count for side, count in self.ledger.lost_by_side.items() if count}
            _log.warning("%d requests of an earlier run were never reported; by side, of the last run: %s", self.ledger.lost, by_side)

    def close(self) -> None:
        """Let go of the files and of the lock."""
        self.ledger.close()
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_plane_disk(directory: Path, dice: Dice) -> PlaneDisk:
    """Open ``directory``, making it if need be. One process at a time: raises ``PlaneDiskError`` if another has it open."""
    try:
        directory.mkdir(mode=_PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        lock = _lock(directory)
    except OSError as error:
        raise PlaneDiskError(f"{directory} cannot be used: {error}. Give a directory that this process may write.") from error
    try:
        return PlaneDisk(directory, dice=dice, lock=lock)
    except OSError as error:
        os.close(lock)
        raise PlaneDiskError(f"{directory} cannot be used: {error}. Give a directory that this process may write.") from error


def _lock(directory: Path) -> int:
    handle = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, _PRIVATE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise PlaneDiskError(
            f"{directory} is in use by another running data plane. Stop that one, or give each its own directory."
        ) from error
    return handle


def _plane_id(path: Path, dice: Dice) -> str:
    body = read_whole(path)
    if body is not None:
        found = body.decode("ascii", "replace").strip()
        if _PLANE_ID.fullmatch(found):
            return found
        set_aside(path, "found something else than 32 hexadecimal digits")
    plane = dice.token()
    write_whole(path, plane.encode())
    return plane
