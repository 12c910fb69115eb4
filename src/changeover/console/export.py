"""``changeover export``: the file that says what is in force."""

from pathlib import Path

import click
import msgspec

from changeover.api.plan_answers import ExportAnswer
from changeover.console.asking import takes_where
from changeover.console.failure import Failure
from changeover.console.output import note
from changeover.console.server_link import Where, open_link
from changeover.console.taught import Taught


@click.command(cls=Taught, examples=("changeover export", "changeover export -o changeover.yaml --force"))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it here. Without it: to standard output."
)
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@takes_where
def export(where: Where, out: Path | None, force: bool) -> None:
    """Write what is in force as a changeover.yaml: applying it would change nothing.

    After a promotion this is how the file learns of the new stable. Comments of the file that it came from are lost,
    presets are written out in numbers, and prompts stand in it as text. Keys are never in it, only where they are found.
    """
    with open_link(where) as link:
        found = msgspec.json.decode(link.get("/api/v1/export"), type=ExportAnswer)
    if out is None:
        click.echo(found.text, nl=False)
        return
    try:
        with out.open("w" if force else "x", encoding="utf-8") as file:
            file.write(found.text)
    except FileExistsError as error:
        raise Failure(f"found {out} already", hint="its comments would be lost; name another, or overwrite it: --force") from error
    except OSError as error:
        raise Failure(f"cannot write {out}: {error.strerror}", hint="name another place with -o FILE") from error
    note(f"wrote {out} as of revision {found.revision}; comments of the file that it came from are not in it")
