"""Writing a small file so that a crash leaves the old one or the new one, and setting aside one that cannot be read."""

import logging
import os
from pathlib import Path
from typing import Final

_log: Final = logging.getLogger(__name__)
_PRIVATE: Final = 0o600


def write_whole(path: Path, body: bytes) -> None:
    """Replace ``path`` by ``body``: temporary file, fsync, rename, fsync of the directory. Raises ``OSError``."""
    temporary = path.with_name(f".{path.name}.new")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
    with os.fdopen(handle, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make renames and removals in ``directory`` last."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_whole(path: Path) -> bytes | None:
    """The file's content; ``None`` when there is none, or (logged) it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        _log.error("cannot read %s: %s; going on without it", path, error)
        return None


def set_aside(path: Path, reason: object) -> None:
    """Keep an unreadable file for whoever asks, under ``.corrupt``, and go on without it."""
    aside = path.with_name(f"{path.name}.corrupt")
    try:
        path.replace(aside)
    except OSError as error:
        _log.error("cannot move %s out of the way: %s", path, error)
        return
    _log.error("%s could not be read (%s); moved to %s, going on without it", path, reason, aside.name)
