"""A PostgreSQL of our own: in a temporary directory, behind a Unix socket only, made once a test run, gone afterwards."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import quote

import pytest

REQUIRED: Final = "postgres" in os.environ.get("CHANGEOVER_REQUIRE", "").split(",")
VERSION_MIN: Final = 15
START_S: Final = 60
USER: Final = "changeover"
_SETTINGS: Final = (
    "listen_addresses=",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=on",
    "max_connections=60",
    "shared_buffers=16MB",
    "autovacuum=off",
    "jit=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "logging_collector=off",
)


@dataclass(frozen=True)
class Cluster:
    """A running server. ``fresh`` makes a database of its own, a copy of ``template`` where one is named."""

    binaries: Path
    socket: Path
    owner: tuple[str, ...]
    names: Iterator[int]

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@/{database}?host={quote(str(self.socket), safe='')}"

    def fresh(self, *, template: str = "template0") -> str:
        """The URL of a new database."""
        name = f"t{os.getpid()}_{next(self.names)}"
        self.sql("postgres", f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def sql(self, database: str, *statements: str) -> list[tuple[object, ...]]:
        """What the last statement answers."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


def database_of(url: str) -> str:
    return url.partition("@/")[2].partition("?")[0]


@contextlib.contextmanager
def running_cluster() -> Generator[Cluster]:
    """A server for as long as the context lasts. Without PostgreSQL the tests are named as not run, or fail where it is required."""
    binaries = _binaries()
    owner = _owner()
    # Not under pytest's own directory: a socket's path may have 107 bytes, and another user must be able to get there.
    folder = Path(tempfile.mkdtemp(prefix="changeover-pg-"))
    try:
        folder.chmod(0o755)
        home = folder / "home"
        home.mkdir()
        if owner:
            shutil.chown(home, *_identity())
        data = home / "data"
        options = ["-A", "trust", "--no-sync", "--no-instructions", "--encoding=UTF8", "--locale=C"]
        _run([*owner, str(binaries / "initdb"), "-D", str(data), "-U", USER, *options], home)
        settings = [f"-c {setting}" if setting != "listen_addresses=" else "-c listen_addresses=''" for setting in _SETTINGS]
        started = " ".join([*settings, f"-c unix_socket_directories={home}"])
        control = [*owner, str(binaries / "pg_ctl"), "-D", str(data), "-w", "-t", str(START_S), "-l", str(home / "log")]
        _run([*control, "-o", started, "start"], home)
        try:
            yield Cluster(binaries=binaries, socket=home, owner=tuple(owner), names=count())
        finally:
            _run([*control, "-m", "immediate", "stop"], home)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path:
    found = [Path("/usr/lib/postgresql") / version / "bin" for version in _installed()]
    on_path = shutil.which("pg_ctl")
    found += [Path(on_path).resolve().parent] if on_path else []
    usable = [place for place in found if all((place / name).exists() for name in ("initdb", "pg_ctl", "postgres"))]
    usable = [place for place in usable if _version(place) >= VERSION_MIN]
    if not usable:
        _not_run(f"there is no PostgreSQL {VERSION_MIN} or newer (initdb, pg_ctl, postgres)")
    return usable[0]


def _installed() -> list[str]:
    home = Path("/usr/lib/postgresql")
    return sorted((each.name for each in home.iterdir() if each.name.isdigit()), key=int, reverse=True) if home.is_dir() else []


def _version(place: Path) -> int:
    said = subprocess.run([str(place / "postgres"), "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.split()[2].split(".")[0])


def _owner() -> list[str]:
    """Words in front of every command: PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return []
    uid, gid = _identity()
    return ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]


def _identity() -> tuple[int, int]:
    known = {entry.pw_name: (entry.pw_uid, entry.pw_gid) for entry in pwd.getpwall()}
    found = [known[name] for name in ("postgres", "nobody") if name in known]
    if not found:
        _not_run("there is no user postgres or nobody to run it as")
    return found[0]


def _run(command: list[str], home: Path) -> None:
    environment = {**os.environ, "HOME": str(home), "LC_ALL": "C"}
    # Not to a pipe: the server would inherit it, and reading would never end.
    with (home.parent / "said").open("w+") as said:
        done = subprocess.run(
            command,
            cwd=home,
            env=environment,
            stdout=said,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=2 * START_S,
        )
        said.seek(0)
        assert done.returncode == 0, f"{' '.join(command)}: {said.read()}"


def _not_run(reason: str) -> NoReturn:
    if REQUIRED:
        pytest.fail(f"CHANGEOVER_REQUIRE names postgres, but {reason}")
    pytest.skip(f"not run: {reason}")
