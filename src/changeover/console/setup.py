"""Before a server runs: init writes a file to begin with; and how every command reads the file."""

from pathlib import Path
from typing import Final

import click

from changeover.console.azure_options import EVERYTHING, AzureLook, azure_options, resource_name
from changeover.console.failure import ExitCode, Failure
from changeover.console.output import note
from changeover.console.taught import Taught
from changeover.ports.serving import CONFIG_NAME
from changeover.settings.declared import SettingsError

EXAMPLE_ACCOUNT: Final = "my-resource"
CONFIG_OPTION: Final = click.option(
    "-c", "--config", type=click.Path(path_type=Path, dir_okay=False), default=CONFIG_NAME, show_default=True, help="The file."
)


@click.command(
    cls=Taught,
    examples=(
        "changeover init --azure",
        "changeover init --azure aoai-genai-prod",
        "changeover init --azure aoai-genai-prod --offline",
        "changeover init -c prod/changeover.yaml",
    ),
)
@CONFIG_OPTION
@click.option(
    "--azure",
    metavar="[RESOURCE]",
    is_flag=False,
    flag_value=EVERYTHING,
    help="Read Azure and declare what is there: one Azure OpenAI resource, or all that you can see.",
)
@click.option("--offline", is_flag=True, help="With --azure RESOURCE: only write its name into the example.")
@azure_options
@click.option("--force", is_flag=True, help="Overwrite a file that is there; needs --yes as well.")
@click.option("--yes", is_flag=True, help="Yes, the file that is there may be lost.")
def init(look: AzureLook, *, config: Path, azure: str | None, offline: bool, force: bool, yes: bool) -> None:
    """Write a changeover.yaml to begin with.

    With --azure it reads your Azure OpenAI resources (the role Reader is enough; nothing is written to Azure), shows
    which deployments are not pinned, upgrade themselves, retire or are misnamed, and declares each under its own
    name, with a task of that name: applications change their endpoint and nothing else. Without --azure it is a
    commented example.
    """
    resource = "" if azure is None else resource_name(azure)
    if offline and not resource:
        raise click.UsageError("--offline writes a name into the example; expected --azure RESOURCE with it")
    if force and not yes:
        raise Failure(f"--force would overwrite {config}", hint="say so: --force --yes", code=ExitCode.NOT_ALLOWED)
    if not force and config.exists():
        raise _found_already(config)
    if azure is not None and not offline:
        from changeover.console.adopting import adopted_text

        _write(config, adopted_text(look, resource), overwrite=force)
    else:
        _write(config, _example(resource), overwrite=force)
    click.echo(f"wrote {config}")
    note("next:")
    if azure is None or offline:
        note(f"  1. name your deployments and tasks in {config}, then: changeover check -c {config}")
    else:
        note(f"  1. look through {config}, then: changeover check -c {config}")
    note("  2. put the key into AZURE_OPENAI_API_KEY, or let an identity of Entra ID call")
    note(f"  3. changeover serve -c {config}, and point your SDK's base_url at it")
    if azure is not None and not offline:
        note(f"  4. changeover deployment plan -c {config} shows what would be pinned, changeover deployment apply does it")


def _example(resource: str) -> str:
    from changeover.settings.example import example_text

    return example_text().replace(EXAMPLE_ACCOUNT, resource or EXAMPLE_ACCOUNT)


def read_config(path: Path) -> str:
    """The file's text.

    Raises:
        Failure: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}", hint="write one with: changeover init, or name it: -c FILE") from error
    except UnicodeDecodeError as error:
        raise Failure(f"cannot read {path}: byte {error.start} is not UTF-8", hint="save the file as UTF-8") from error


def faulty(config: Path, error: SettingsError) -> Failure:
    noun = "fault" if len(error.faults) == 1 else "faults"
    hint = f"correct them, then: changeover check -c {config}"
    return Failure(f"{config} has {len(error.faults)} {noun}", details=[str(fault) for fault in error.faults], hint=hint)


def _found_already(path: Path) -> Failure:
    hint = "keep it, name another with -c FILE, or overwrite it: --force --yes; changeover import adds to it"
    return Failure(f"found {path} already", hint=hint)


def _write(path: Path, text: str, *, overwrite: bool) -> None:
    try:
        with path.open("w" if overwrite else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise _found_already(path) from error
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}", hint="name another place with -c FILE") from error
