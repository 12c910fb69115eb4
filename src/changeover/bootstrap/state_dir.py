"""The state directory of a server: what lies in it, who may read it, and how a server is found through it."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from changeover.ports.dice import Dice
from changeover.ports.serving import ServerRecord

SOCKET_PATH_MAX: Final = 100
"""The kernel takes 107 bytes for a Unix socket's path; the rest is room for a temporary name."""


class StateDirError(Exception):
    """The state directory cannot be used; the message says why and what to do."""


class StateDir:
    """``changeover.db``, ``token``, ``plane-token``, ``server.json``, ``control.sock`` and ``planes/``, for this user only."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StateDirError(
                f"cannot make the state directory {self.path}: {error.strerror}; expected a place this user may write; name one: --state"
            ) from error
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise StateDirError(
                f"cannot write into the state directory {self.path}; make it writable for this user, or name another with --state"
            )
        self._socket_home: tempfile.TemporaryDirectory[str] | None = None

    @property
    def database(self) -> Path:
        return self.path / "changeover.db"

    @property
    def token_file(self) -> Path:
        return self.path / "token"

    @property
    def plane_token_file(self) -> Path:
        return self.path / "plane-token"

    def plane(self, name: str) -> Path:
        return self.path / "planes" / name

    def token(self, dice: Dice) -> str:
        """The bearer token of the TCP port, made at the first start."""
        return _made_once(self.token_file, dice)

    def plane_token(self, dice: Dice) -> str:
        """The token by which gateways join over TCP; it opens nothing else."""
        return _made_once(self.plane_token_file, dice)

    def control_id(self, dice: Dice) -> str:
        """What tells this control plane from others of the same store, made at the first start."""
        return _made_once(self.path / "control-id", dice)

    def socket(self) -> Path:
        """Where the control socket goes: here, or in a private temporary directory when this path is too long."""
        here = self.path / "control.sock"
        if len(os.fsencode(here)) <= SOCKET_PATH_MAX:
            return here
        self._socket_home = tempfile.TemporaryDirectory(prefix="changeover-")
        return Path(self._socket_home.name) / "control.sock"

    def announce(self, record: ServerRecord) -> None:
        """Write ``server.json``, whole or not at all."""
        draft = self.path / "server.json.new"
        _write_private(draft, msgspec.json.encode(record), exclusive=False)
        draft.replace(self.path / "server.json")

    def withdraw(self) -> None:
        """Remove what says that a server runs here."""
        (self.path / "server.json").unlink(missing_ok=True)
        if self._socket_home is not None:
            self._socket_home.cleanup()


def _made_once(path: Path, dice: Dice) -> str:
    with contextlib.suppress(FileExistsError):
        _write_private(path, dice.token().encode(), exclusive=True)
    return path.read_text().strip()


def _write_private(path: Path, data: bytes, *, exclusive: bool) -> None:
    flags = os.O_WRONLY | os.O_CREAT | (os.O_EXCL if exclusive else os.O_TRUNC)
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(data)
