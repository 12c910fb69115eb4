"""``changeover import``: add to the file what has come to stand in Azure since."""

import contextlib
import os
import tempfile
from pathlib import Path

import click

from changeover.console.azure_options import EVERYTHING, AzureLook, azure_options, resource_name
from changeover.console.failure import Failure
from changeover.console.output import note
from changeover.console.setup import CONFIG_OPTION, faulty, read_config
from changeover.console.taught import Taught


@click.command("import", cls=Taught, examples=("changeover import --azure", "changeover import --azure aoai-genai-eu --dry-run"))
@CONFIG_OPTION
@click.option(
    "--azure",
    metavar="[RESOURCE]",
    is_flag=False,
    flag_value=EVERYTHING,
    required=True,
    help="Read one Azure OpenAI resource, or all that you can see.",
)
@azure_options
@click.option("--dry-run", is_flag=True, help="Print the file as it would be, and write nothing.")
def import_azure(look: AzureLook, *, config: Path, azure: str, dry_run: bool) -> None:
    """Add to the file every deployment in Azure that it does not declare yet, each with a task of its own name.

    What stands in the file stays as it is, comments and all. Deployments are known again by their account and their
    name in Azure. Nothing is written to Azure; the running server takes the file with changeover apply.
    """
    from changeover.bootstrap.prompts import prompts_beside
    from changeover.console.adopting import adopted, refuse_faulty
    from changeover.settings.adopted_file import NotInBlockFormError, added_to
    from changeover.settings.declared import SettingsError
    from changeover.settings.file import parse

    text = read_config(config)
    try:
        declared = parse(text, files=prompts_beside(config))
    except SettingsError as error:
        raise faulty(config, error) from error
    found = adopted(look, resource_name(azure), file=declared)
    if not found.deployments:
        note(f"{config} declares all of it already")
        return
    try:
        after = added_to(text, found)
    except NotInBlockFormError as error:
        raise Failure(
            f"{config}: {error}", hint="write that section one entry a line, or begin a file of its own: changeover init"
        ) from error
    refuse_faulty(after, files=prompts_beside(config))
    if dry_run:
        click.echo(after, nl=False)
        return
    _replace(config, after)
    names = ", ".join(each.deployment.name for each in found.deployments)
    click.echo(f"added to {config}: {names}")
    note(f"next: look through it, changeover check -c {config}, then changeover plan and changeover apply")


def _replace(path: Path, text: str) -> None:
    """The old file or the new one, never half of one."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
        beside = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            beside.chmod(path.stat().st_mode & 0o777)
            beside.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}", hint="nothing was changed; make its directory writable") from error
