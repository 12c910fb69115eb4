"""`changeover doctor`: everything that is looked at, in the order in which it would fail."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from changeover import __version__
from changeover.adapters.system import SystemClock
from changeover.bootstrap.account_check import check_egress, check_endpoints, check_secret
from changeover.bootstrap.alert_check import check_alerts, check_deliveries
from changeover.bootstrap.machine_check import (
    check_clock,
    check_database,
    check_disk,
    check_loop,
    check_open_files,
    check_port,
    check_python,
    check_state,
    check_store,
)
from changeover.bootstrap.server import read_settings
from changeover.ports.clock import Clock
from changeover.ports.examination import Finding, fail, ok, warn
from changeover.ports.serving import CONTROL_HOST, DATABASE_VARIABLE, SERVER_FILE_NAME, ServerRecord
from changeover.settings.declared import Declared, SettingsError
from changeover.versions import Account


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be looked at. With ``offline`` no endpoint is called."""

    config: Path
    state: Path
    host: str
    port: int
    control_port: int
    offline: bool = False


def examine(what: Examined, *, environment: Mapping[str, str] | None = None, clock: Clock | None = None) -> list[Finding]:
    """Look at everything; nothing is changed."""
    surroundings = os.environ if environment is None else environment
    time = clock or SystemClock()
    machine = [check_python(sys.version_info[:2]), check_loop(), check_clock(time.now()), check_open_files()]
    disk = [check_state(what.state), _check_store(what.state, surroundings), check_disk(what.state)]
    file, declared = _check_file(what.config)
    accounts = () if declared is None else tuple(declared.accounts.values())
    told = [*check_alerts(() if declared is None else declared.alerts), *check_deliveries(running_server(what.state))]
    return [*machine, *disk, file, *_check_accounts(accounts, what, surroundings, time), *told, *_check_server(what)]


def _check_store(state: Path, environment: Mapping[str, str]) -> Finding:
    database = environment.get(DATABASE_VARIABLE)
    return check_database(state, database) if database else check_store(state / "changeover.db")


def _check_file(config: Path) -> tuple[Finding, Declared | None]:
    try:
        declared = read_settings(config)
    except SettingsError as error:
        first, *rest = error.faults
        more = f" and {len(rest)} more" if rest else ""
        return fail("settings", f"{first}{more}", f"see all of them: changeover check -c {config}"), None
    if declared.warnings:
        return warn(
            "settings", f"{config} can be used, with {len(declared.warnings)} warnings", f"read them: changeover check -c {config}"
        ), declared
    return ok("settings", f"{config} can be used"), declared


def _check_accounts(accounts: Sequence[Account], what: Examined, environment: Mapping[str, str], clock: Clock) -> list[Finding]:
    way, egress = check_egress(environment)
    findings = [way, *map(check_secret, accounts)]
    if egress is not None and not what.offline:
        findings += asyncio.run(check_endpoints(accounts, egress, clock))
    return findings


def _check_server(what: Examined) -> list[Finding]:
    """The server of this state directory, or the ports that one would take."""
    record = running_server(what.state)
    if record is None:
        ports = [("gateway port", what.host, what.port), ("control port", CONTROL_HOST, what.control_port)]
        return [*(check_port(*port) for port in ports), ok("server", f"none runs over {what.state}; start one: changeover serve")]
    where = f"process {record.pid}, control {record.control}, gateway {record.gateway or 'elsewhere'}"
    if record.version == __version__:
        return [ok("server", f"{where}, version {record.version}")]
    found = f"{where}, version {record.version or 'unknown'}; this program is {__version__}"
    return [warn("server", found, "restart the server, so that both are of one version")]


def running_server(state: Path) -> ServerRecord | None:
    """The server that says it runs here and whose process is there."""
    try:
        record = msgspec.json.decode((state / SERVER_FILE_NAME).read_bytes(), type=ServerRecord)
        os.kill(record.pid, 0)
    except (OSError, msgspec.DecodeError):
        return None
    return record
