"""Commands before a server runs: init writes a file to begin with, check names its faults."""

from pathlib import Path
from typing import Final

import click
import msgspec

from changeover.console.failure import ExitCode, Failure
from changeover.console.output import Format, as_text, note
from changeover.console.taught import Taught
from changeover.ports.serving import CONFIG_NAME
from changeover.settings.declared import Declared, Fault, SettingsError

EXAMPLE_ACCOUNT: Final = "my-resource"
CONFIG_OPTION: Final = click.option(
    "-c", "--config", type=click.Path(path_type=Path, dir_okay=False), default=CONFIG_NAME, show_default=True, help="The file."
)


class CheckAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What ``check -o json`` prints."""

    ok: bool
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()


@click.command(cls=Taught, examples=("changeover init --azure aoai-genai-prod",))
@CONFIG_OPTION
@click.option("--azure", metavar="RESOURCE", help="Name of your Azure OpenAI resource, written into the file.")
@click.option("--force", is_flag=True, help="Overwrite a file that is there; needs --yes as well.")
@click.option("--yes", is_flag=True, help="Yes, the file that is there may be lost.")
def init(config: Path, azure: str | None, force: bool, yes: bool) -> None:
    """Write a commented changeover.yaml to begin with."""
    from changeover.settings.example import example_text

    text = example_text() if azure is None else example_text().replace(EXAMPLE_ACCOUNT, azure)
    _refuse_unusable(text, azure)
    if force and not yes:
        raise Failure(f"--force would overwrite {config}", hint="say so: --force --yes", code=ExitCode.NOT_ALLOWED)
    _write(config, text, overwrite=force)
    click.echo(f"wrote {config}")
    note("next:")
    note(f"  1. name your deployments and tasks in {config}, then: changeover check -c {config}")
    note("  2. put the key into AZURE_OPENAI_API_KEY")
    note(f"  3. changeover serve -c {config}, and point your SDK's base_url at it")


@click.command(cls=Taught, examples=("changeover check", "changeover check -c prod/changeover.yaml -o json"))
@CONFIG_OPTION
@click.option(
    "-o", "--output", type=click.Choice(["table", "json", "yaml"]), default="table", show_default=True, help="Form of the answer."
)
def check(config: Path, output: Format) -> None:
    """Name every fault of changeover.yaml at once, each with its path.

    Exits 0 when the file can be used, else 1. Warnings do not make it fail.
    """
    from changeover.bootstrap.prompts import prompts_beside
    from changeover.settings.file import parse

    text = read_config(config)
    try:
        declared = parse(text, files=prompts_beside(config))
    except SettingsError as error:
        _show_answer(CheckAnswer(ok=False, faults=error.faults), output)
        raise faulty(config, error) from error
    _show_answer(CheckAnswer(ok=True, warnings=declared.warnings), output)
    for warning in declared.warnings:
        note(f"warning: {warning}")
    if output == "table":
        click.echo(f"{config} can be used: {_counted(declared)}")


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


def _refuse_unusable(text: str, azure: str | None) -> None:
    from changeover.settings.file import parse

    try:
        parse(text)
    except SettingsError as error:
        raise click.UsageError(f"--azure {azure!r} cannot be the name of a resource: {error.faults[0]}") from error


def _write(path: Path, text: str, *, overwrite: bool) -> None:
    try:
        with path.open("w" if overwrite else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise Failure(f"found {path} already", hint="keep it, name another with -c FILE, or overwrite it: --force --yes") from error
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}", hint="name another place with -c FILE") from error


def _show_answer(answer: CheckAnswer, output: Format) -> None:
    if output != "table":
        click.echo(as_text(msgspec.json.encode(answer), output=output))


def _counted(declared: Declared) -> str:
    parts = (("account", declared.accounts), ("deployment", declared.deployments), ("task", declared.tasks), ("rollout", declared.rollouts))
    return ", ".join(f"{len(entries)} {noun}{'' if len(entries) == 1 else 's'}" for noun, entries in parts)
