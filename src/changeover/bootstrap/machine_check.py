"""Is this machine fit to run changeover? Python, its parts, the disk, the limits, the clock, the ports."""

import importlib.util
import os
import shutil
import socket
import sys
from pathlib import Path
from typing import Final

from changeover.adapters.sql.backup import due_upgrade
from changeover.adapters.sql.peek import newest_schema, schema_of
from changeover.bootstrap.open_files import OPEN_FILES_WANTED
from changeover.ports.examination import Finding, fail, ok, warn
from changeover.ports.store import StoreError

PYTHON_MIN: Final = (3, 11)
DISK_WARN_BYTES: Final = 1024**3
DISK_FAIL_BYTES: Final = 100 * 1024**2
CLOCK_MIN_AT: Final = 1_767_225_600.0
"""The start of 2026: a clock before it was never set."""

_MIB: Final = 1024**2


def check_python(version: tuple[int, int]) -> Finding:
    found = f"Python {version[0]}.{version[1]} at {sys.executable}"
    return ok("python", found) if version >= PYTHON_MIN else fail("python", found, "run changeover with Python 3.11 or newer")


def check_loop() -> Finding:
    if importlib.util.find_spec("uvloop") is not None:
        return ok("event loop", "uvloop")
    return warn("event loop", "the standard loop, which costs a gateway more", "install uvloop beside changeover")


def check_clock(now: float) -> Finding:
    if now >= CLOCK_MIN_AT:
        return ok("clock", "set; an endpoint that answers over HTTP compares it")
    return fail("clock", "it says a time before this version was made", "set it, and keep it set (NTP): certificates and evidence need it")


def check_state(path: Path) -> Finding:
    """Where the server keeps everything, or will."""
    if not path.exists():
        parent = next(each for each in path.absolute().parents if each.exists())
        if os.access(parent, os.W_OK | os.X_OK):
            return ok("state directory", f"{path} is not there yet; the first start makes it")
        return fail("state directory", f"{parent} may not be written", "give this user a directory: --state DIR, or CHANGEOVER_STATE")
    if not path.is_dir() or not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return fail("state directory", f"{path} is no directory that this user may write", "correct its owner and mode, or name another")
    return ok("state directory", f"{path} may be written")


def check_store(database: Path) -> Finding:
    if not database.exists():
        return ok("store", "there is none yet; the first start makes it from the file")
    try:
        found = schema_of(database)
    except StoreError as error:
        return fail("store", str(error), "what to do stands in the line above")
    if found == newest_schema():
        return ok("store", f"schema {found}, the newest")
    return warn("store", f"schema {found or 'none'}, the newest is {newest_schema()}", "the next start brings it up; make a backup first")


def check_database(state: Path, url: str) -> Finding:
    """Whether the database in place of the file can be reached, and is of the schema that this version needs."""
    try:
        due = due_upgrade(state, url)
    except StoreError as error:
        return fail("store", str(error), "what to do stands in the line above")
    if due.found is None:
        return ok("store", "an empty PostgreSQL database; the first start makes the schema")
    if not due.steps:
        return ok("store", f"a PostgreSQL database with schema {due.found}, the newest")
    return warn(
        "store",
        f"a PostgreSQL database with schema {due.found}, this version needs {due.newest}",
        "stop the control planes and upgrade it: changeover db upgrade",
    )


def check_disk(path: Path) -> Finding:
    place = next(each for each in (path.absolute(), *path.absolute().parents) if each.exists())
    free = shutil.disk_usage(place).free
    found = f"{free // _MIB} MiB free at {place}"
    if free >= DISK_WARN_BYTES:
        return ok("disk", found)
    remedy = "make room: a full disk pauses rollouts, and evidence can no longer be kept"
    return warn("disk", found, remedy) if free >= DISK_FAIL_BYTES else fail("disk", found, remedy)


def check_open_files() -> Finding:
    try:
        import resource
    except ImportError:  # not a Unix
        return ok("open files", "this system has no such limit")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY or hard >= OPEN_FILES_WANTED:
        return ok("open files", "as many as a gateway may need")
    found = f"a hard limit of {hard}, about {hard // 2} streams at once for each gateway"
    return warn("open files", found, f"raise it to {OPEN_FILES_WANTED}: LimitNOFILE= in a systemd unit, --ulimit nofile= for a container")


def check_port(about: str, host: str, port: int) -> Finding:
    """Whether somebody could listen there. Ask only when no server of ours does."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return fail(
            about, f"{host}:{port} is not to be had ({error.strerror})", "stop what listens there, or name another: --port, --control-port"
        )
    return ok(about, f"{host}:{port} is free")
