"""Numbers of the data planes beside this one: each keeps its own in its directory, and reads those of the others."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

NAME: Final = "metrics.json"

_log: Final = logging.getLogger(__name__)


class DiskMetricsShelf:
    """``MetricsShelf`` over sibling directories. Nothing is synced: after a power cut there is nothing to tell."""

    def __init__(self, directory: Path) -> None:
        self._own = directory / NAME
        self._failed = False

    def keep(self, body: bytes) -> None:
        """See ``MetricsShelf``."""
        draft = self._own.with_name(f".{NAME}.new")
        try:
            draft.write_bytes(body)
            draft.replace(self._own)
        except OSError as error:
            if not self._failed:
                _log.warning("the numbers for /metrics of the gateways beside this one cannot be kept: %s", error)
            self._failed = True

    def others(self) -> Sequence[bytes]:
        """See ``MetricsShelf``."""
        found: list[bytes] = []
        for path in sorted(self._own.parent.parent.glob(f"*/{NAME}")):
            if path == self._own:
                continue
            try:
                found.append(path.read_bytes())
            except OSError:
                continue  # gone in the meantime
        return found
