"""Who holds the store? One process at a time, by a lock that ends with the process, however it ends."""

import fcntl
import os
from pathlib import Path
from typing import Final

from changeover.ports.store import StoreError

_PID_DIGITS_MAX: Final = 20


class StoreLock:
    """A held lock on ``path``, a file beside the store that says who holds it. The file stays when the lock goes:
    removing it would let two processes lock two files of one name.
    """

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            StoreError: another process, named by its pid, holds it.
            OSError: the file cannot be made or opened.
        """
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(self._file, 0o600)
            self._take(path)
        except BaseException:
            os.close(self._file)
            raise

    def release(self) -> None:
        """Give the lock back. Once only."""
        os.ftruncate(self._file, 0)
        os.close(self._file)

    def _take(self, path: Path) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._file, _PID_DIGITS_MAX, 0).decode("ascii", "replace").strip() or "unknown"
            raise StoreError(
                f"{path.with_suffix('')} is in use by the process with pid {holder}; one server writes a store: "
                "stop that one, or give this one another state directory"
            ) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)
