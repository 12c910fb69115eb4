"""How is a store opened? By a server that is to write it, or beside one, to look at it, move it up, copy it; in a file or a database."""

import contextlib
import socket
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Final

import msgspec

from changeover.adapters.sql import PostgresBell, SqlStore, StoreLock, backup, open_database, open_store, read_store
from changeover.bootstrap.state_dir import StateDir
from changeover.ports.dice import Dice
from changeover.ports.store import CommitBell, Store
from changeover.rollout.audit_chain import Head

DATABASE_NAME: Final = "changeover.db"
_LOCK_NAME: Final = "control.lock"
_ID_CHARS: Final = 8


class Opened:
    """A store that is open to be written. ``holder`` is this control plane's name, the same at every start over its state
    directory, which one process holds at a time. ``bell`` rings for what others commit; ``None`` where nobody else can.
    """

    def __init__(self, store: Store, *, holder: str, bell: CommitBell | None = None, lock: StoreLock | None = None) -> None:
        self.store = store
        self.holder = holder
        self.bell = bell
        self._lock = lock

    def release(self) -> None:
        """Let another process have the state directory, after the store was closed."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()


def open_for_serving(state: StateDir, database: str | None, dice: Dice) -> Opened:
    """The store of a server: the file in its state directory, or the database that the URL names.

    Raises:
        StoreError: it cannot be had; another process works over the state directory.
    """
    holder = f"{socket.gethostname()}:{state.control_id(dice)[:_ID_CHARS]}"
    if database is None:
        return Opened(open_store(state.database), holder=holder)
    lock = StoreLock(state.path / _LOCK_NAME)
    try:
        return Opened(open_database(database), holder=holder, bell=PostgresBell(database), lock=lock)
    except BaseException:
        lock.release()
        raise


@contextlib.contextmanager
def look_into(state: Path) -> Generator[Store]:
    """The store of a state directory, only to look at, also while a server runs.

    Raises:
        StoreError: there is none, or it cannot be read as one of this version.
    """
    store = read_store(state / DATABASE_NAME)
    try:
        yield store
    finally:
        store.close()


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What a store or a backup holds, and whether it is whole."""

    ok: bool
    place: str
    head: Head
    faults: tuple[str, ...]


class UpgradeStep(msgspec.Struct, frozen=True, kw_only=True):
    schema: str
    what: str


class Upgrade(msgspec.Struct, frozen=True, kw_only=True):
    """``found`` is the schema that was there, ``None`` for an empty store; ``done``: the steps were taken."""

    found: str | None
    newest: str
    steps: tuple[UpgradeStep, ...]
    done: bool


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """``set_aside`` is where the file lies that was there before, ``forgotten`` the data planes whose last table was removed."""

    place: str
    head: Head
    set_aside: str | None
    forgotten: tuple[str, ...]


class StorePlace:
    """The store of a state directory, or of a database. Every verb raises ``StoreError``, which says what to do."""

    def __init__(self, state: Path, database: str | None) -> None:
        self._state = state
        self._path = state / DATABASE_NAME
        self._database = database

    def upgrade(self, *, dry_run: bool) -> Upgrade:
        """Move it up to the newest schema, or say what that would do."""
        due = (backup.due_upgrade if dry_run else backup.upgrade)(self._path, self._database)
        steps = tuple(UpgradeStep(schema=schema, what=what) for schema, what in due.steps)
        return Upgrade(found=due.found, newest=due.newest, steps=steps, done=not dry_run)

    def back_up(self, target: Path) -> Kept:
        """Write it into a new file, and read that back."""
        backup.back_up(self._path, self._database, target)
        return verified_file(target)

    def restore(self, source: Path, *, replace: bool) -> Restored:
        """Put a backup in its place. Data planes of this directory forget their last table: it may be newer than what is restored,
        and a data plane never goes back.
        """
        if self._database is None:
            kept = backup.restore_file(source, self._path, replace=replace)
            head = verified_file(self._path).head
            return Restored(
                place=str(self._path), head=head, set_aside=None if kept is None else str(kept), forgotten=_forget_tables(self._state)
            )
        with tempfile.TemporaryDirectory(prefix="changeover-") as scratch:
            backup.restore_database(source, self._database, Path(scratch), replace=replace)
        found = self.verify()
        return Restored(place=found.place, head=found.head, set_aside=None, forgotten=_forget_tables(self._state))

    def verify(self) -> Kept:
        """Check pages, chain and replay."""
        if self._database is None:
            return verified_file(self._path)
        with contextlib.closing(backup.read_database(self._database)) as store:
            return _verified(store, store.place)


def verified_file(path: Path) -> Kept:
    """Check the store in a file, or a backup, also of an older schema."""
    with tempfile.TemporaryDirectory(prefix="changeover-") as scratch, backup.read_moved_up(path, Path(scratch)) as store:
        return _verified(store, str(path))


def _verified(store: SqlStore, place: str) -> Kept:
    faults = tuple(store.verify())
    return Kept(ok=not faults, place=place, head=store.head(), faults=faults)


def _forget_tables(state: Path) -> tuple[str, ...]:
    found = sorted((state / "planes").glob("*/table.json"))
    for table in found:
        table.unlink()
    return tuple(table.parent.name for table in found)
