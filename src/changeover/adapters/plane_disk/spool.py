"""Batches that could not be delivered, on disk until the next start: one JSON line a batch."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from changeover.adapters.plane_disk.files import read_whole, set_aside, sync_directory, write_whole
from changeover.ports.planes import ObservationBatch

_log: Final = logging.getLogger(__name__)


class DiskSpool:
    """``Spool`` in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Sequence[ObservationBatch]:
        """See ``Spool``. Of a damaged file the whole lines before the damage are kept."""
        batches: list[ObservationBatch] = []
        try:
            for line in (read_whole(self._path) or b"").splitlines():
                batches.append(msgspec.json.decode(line, type=ObservationBatch))  # noqa: PERF401 - keeps those before the damage
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            set_aside(self._path, error)
            self.save(batches)
        return batches

    def save(self, batches: Sequence[ObservationBatch]) -> bool:
        """See ``Spool``. No batches: no file."""
        try:
            if batches:
                write_whole(self._path, b"".join(msgspec.json.encode(batch) + b"\n" for batch in batches))
            elif self._path.exists():
                self._path.unlink()
                sync_directory(self._path.parent)
        except OSError as error:
            _log.error("%d batches of observations could not be kept on disk: %s", len(batches), error)
            return False
        return True
