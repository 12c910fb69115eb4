"""``changeover doctor``: is everything here that is needed? A line a thing, with what to do where it is not well."""

import sys
from pathlib import Path

import click
import msgspec

from changeover.console.asking import OUTPUT_OPTION
from changeover.console.failure import ExitCode
from changeover.console.output import Format, as_text
from changeover.console.running import PORT, STATE_OPTION
from changeover.console.server_link import state_directory
from changeover.console.setup import CONFIG_OPTION
from changeover.console.taught import Taught
from changeover.ports.examination import Finding, Health

_STYLES = {Health.OK: "green", Health.WARN: "yellow", Health.FAIL: "red"}


class DoctorAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What ``doctor -o json`` prints. ``ok`` with warnings, too."""

    ok: bool
    findings: tuple[Finding, ...]


@click.command(cls=Taught, examples=("changeover doctor", "changeover doctor -c prod/changeover.yaml --offline -o json"))
@CONFIG_OPTION
@STATE_OPTION
@click.option("--host", default="127.0.0.1", show_default=True, help="Address the gateway is to listen on.")
@click.option("--port", type=PORT, default=8400, show_default=True, help="Its port.")
@click.option("--control-port", type=PORT, default=8401, show_default=True, help="Port of the control plane.")
@click.option("--offline", is_flag=True, help="Call no endpoint.")
@OUTPUT_OPTION
def doctor(  # noqa: PLR0913 - one an option
    *, config: Path, state: Path | None, host: str, port: int, control_port: int, offline: bool, output: Format
) -> None:
    """Check the environment, the settings, the accounts and the server; change nothing.

    Each line is ok, warn or fail, with the remedy. Endpoints are connected to, with a TLS handshake and without any
    credential; whether a key is the right one shows with the first request. Exits 1 when something failed.
    """
    from changeover.bootstrap.examination import Examined, examine

    what = Examined(config=config, state=state or state_directory(config), host=host, port=port, control_port=control_port, offline=offline)
    findings = tuple(examine(what))
    answer = DoctorAnswer(ok=all(finding.health is not Health.FAIL for finding in findings), findings=findings)
    if output == "table":
        _print(findings)
    else:
        click.echo(as_text(msgspec.json.encode(answer), output=output))
    if not answer.ok:
        sys.exit(int(ExitCode.ERROR))


def _print(findings: tuple[Finding, ...]) -> None:
    from changeover.console.output import print_table
    from changeover.console.tables import cell, plain_table

    table = plain_table("", "what", "found, and what to do", whole=("what",))
    for finding in findings:
        remedy = f"\n-> {finding.remedy}" if finding.remedy else ""
        table.add_row(cell(finding.health.value, _STYLES[finding.health]), cell(finding.about), cell(f"{finding.found}{remedy}"))
    print_table(table)
