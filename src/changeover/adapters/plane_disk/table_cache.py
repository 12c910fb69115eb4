"""The last good table, on disk."""

import logging
from pathlib import Path
from typing import Final

import msgspec

from changeover.adapters.plane_disk.files import read_whole, set_aside, write_whole
from changeover.traffic.table import RoutingTable

_log: Final = logging.getLogger(__name__)


class DiskTableCache:
    """``TableCache`` in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> RoutingTable | None:
        """See ``TableCache``. A file that cannot be read is set aside."""
        body = read_whole(self._path)
        if body is None:
            return None
        try:
            return msgspec.json.decode(body, type=RoutingTable)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            set_aside(self._path, error)
            return None

    def save(self, table: RoutingTable) -> None:
        """See ``TableCache``. A disk that refuses is logged: a rollback must not wait for a full disk."""
        try:
            write_whole(self._path, msgspec.json.encode(table))
        except OSError as error:
            _log.error("the table of revision %d serves but could not be kept for the next start: %s", table.revision, error)
