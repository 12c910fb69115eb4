"""``changeover drift``: what is declared, against what Azure says and what answers have said."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from changeover.console.adopting import asked_of_azure
from changeover.console.asking import OUTPUT_OPTION, takes_where
from changeover.console.azure_options import AzureLook, azure_access
from changeover.console.failure import Failure
from changeover.console.output import Format, as_text, note, print_table
from changeover.console.provisioning import placed, read_declared
from changeover.console.server_link import Where, open_link
from changeover.console.taught import Taught
from changeover.ports.serving import CONFIG_NAME
from changeover.provision.drift import CloudDrift
from changeover.rollout.sighting import Drift

if TYPE_CHECKING:
    from rich.console import RenderableType

DRIFTED = 2


class DriftAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What ``drift -o json`` prints. ``answers`` is ``None`` where no server could be asked."""

    azure: tuple[CloudDrift, ...]
    answers: tuple[Drift, ...] | None = None


@click.command(cls=Taught, examples=("changeover drift", "changeover drift -c prod/changeover.yaml --detailed-exitcode -o json"))
@azure_access
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when anything has drifted.")
@OUTPUT_OPTION
@takes_where
def drift(where: Where, look: AzureLook, *, detailed_exitcode: bool, output: Format) -> None:
    """Say where Azure is not as the file declares, and where answers were not what was pinned. Changes nothing.

    The role Reader is enough. What answers said is known by the server; without one that part is left out, and told.
    Deployments in Azure that no file speaks of are listed and count for nothing.
    """
    from changeover.bootstrap.provisioning import read_azure
    from changeover.provision.drift import cloud_drifts

    declared = placed(read_declared(where.config or Path(CONFIG_NAME)))
    known = asked_of_azure(lambda way: read_azure(way, declared), look)
    found = DriftAnswer(azure=cloud_drifts(declared.deployments, known), answers=_seen(where))
    if output == "table":
        print_table(_render(found))
    else:
        click.echo(as_text(msgspec.json.encode(found), output=output))
    if detailed_exitcode and (found.answers or any(each.kind != "undeclared" for each in found.azure)):
        click.get_current_context().exit(DRIFTED)


def _seen(where: Where) -> tuple[Drift, ...] | None:
    from changeover.api.answers import StatusAnswer

    try:
        with open_link(where) as link:
            return msgspec.json.decode(link.get("/api/v1/status"), type=StatusAnswer).drifts
    except Failure as failure:
        note(f"what answers said is not known: {failure.message}")
        return None


def _render(found: DriftAnswer) -> "RenderableType":
    from rich.console import Group
    from rich.text import Text

    lines = [Text(f"{each.kind:<11}{each}", style="cyan" if each.kind == "undeclared" else "red") for each in found.azure]
    lines += [Text(f"{'answered':<11}{each.sentence}", style="red") for each in found.answers or ()]
    return Group(*lines) if lines else Text("no drift: Azure is as declared")
