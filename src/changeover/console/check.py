"""``changeover check``: is the file usable, and is what it declares wise? For people, and for a pipeline."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
import msgspec

from changeover.console.azure_options import AzureLook, azure_access
from changeover.console.failure import ExitCode
from changeover.console.output import as_text, note, print_table
from changeover.console.setup import CONFIG_OPTION, faulty, read_config
from changeover.console.taught import Taught

if TYPE_CHECKING:
    from changeover.console.check_answer import CheckAnswer, FailOn
    from changeover.settings.declared import Declared
    from changeover.settings.rules.facts import Facts

Form = Literal["table", "json", "yaml", "junit", "sarif", "markdown"]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be known besides the file."""

    look: AzureLook
    azure: bool
    peaks_tpm: dict[str, int]
    now: float


def _day(_context: click.Context, _parameter: click.Parameter, text: str | None) -> float | None:
    from changeover.settings.dates import DATE_EXPECTED, day_at

    found = None if text is None else day_at(text)
    if text is not None and found is None:
        raise click.BadParameter(f"found {text!r}, expected {DATE_EXPECTED}")
    return found


def _peaks(_context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    for text in texts:
        task, _, tokens = text.rpartition("=")
        if not task or not (tokens.isascii() and tokens.isdigit()):
            raise click.BadParameter(f"found {text!r}, expected TASK=TOKENS_A_MINUTE, such as email-summarisation=25000")
        found[task] = int(tokens)
    return found


@click.command(
    cls=Taught,
    examples=(
        "changeover check",
        "changeover check -c prod/changeover.yaml --azure",
        "changeover check --format sarif",
        "changeover check --format junit --fail-on warning --today 2026-12-01",
    ),
)
@CONFIG_OPTION
@click.option(
    "-o",
    "--output",
    "--format",
    "output",
    type=click.Choice(["table", "json", "yaml", "junit", "sarif", "markdown"]),
    default="table",
    show_default=True,
    help="Form of the answer.",
)
@click.option(
    "--fail-on", type=click.Choice(["error", "warning"]), default="error", show_default=True, help="The least finding that exits with 1."
)
@click.option("--today", metavar="DATE", callback=_day, help="The day to take for today, such as 2026-12-01.")
@click.option("--peak", "peaks", metavar="TASK=TPM", multiple=True, callback=_peaks, help="A task's peak in tokens a minute.")
@click.option("--azure", is_flag=True, help="Read from Azure whether what is declared as pinned is.")
@azure_access
@click.option("--list-rules", is_flag=True, help="List every rule with its levels, and look at no file.")
def check(  # noqa: PLR0913 - one an option
    look: AzureLook,
    *,
    config: Path,
    output: Form,
    fail_on: "FailOn",
    today: float | None,
    peaks: dict[str, int],
    azure: bool,
    list_rules: bool,
) -> None:
    """Name every fault of changeover.yaml at once, and what in it is unwise.

    Faults come first: with one the file cannot be used. Then come findings by rule, each with its line and what to do.
    What a rule would need to know and nobody told is listed as not asked. Levels and silences are set under check: in
    the file. Exits 0 when nothing fails, 1 when something does, 2 when it was called wrongly.
    """
    if list_rules:
        from changeover.console.render_check import rule_lines

        for line in rule_lines():
            click.echo(line)
        return
    from changeover.bootstrap.check_facts import today_at

    answer = _checked(config, Asked(look=look, azure=azure, peaks_tpm=peaks, now=today_at() if today is None else today), fail_on, output)
    if not answer.ok:
        click.get_current_context().exit(int(ExitCode.ERROR))


def _checked(config: Path, asked: Asked, fail_on: "FailOn", output: Form) -> "CheckAnswer":
    """The answer, shown. Raises ``Failure`` for a file that cannot be used, with the answer shown to programs all the same."""
    from changeover.bootstrap.check_facts import shipped_list
    from changeover.bootstrap.prompts import prompts_beside
    from changeover.console.check_answer import CheckAnswer, answer_of
    from changeover.settings.dates import date_text
    from changeover.settings.declared import SettingsError
    from changeover.settings.file import parse
    from changeover.settings.rules.checking import check_declared, check_faults

    text = read_config(config)
    listed = shipped_list()
    about = CheckAnswer(ok=True, file=str(config), today=date_text(asked.now), dates_as_of=listed.as_of, fail_on=fail_on)
    try:
        declared = parse(text, files=prompts_beside(config))
    except SettingsError as error:
        answer = answer_of(check_faults(error.faults), text, about=msgspec.structs.replace(about, faults=error.faults))
        _show(answer, output)
        raise faulty(config, error) from error
    refuse_unknown(asked.peaks_tpm, declared)
    report = check_declared(declared, _facts(asked, declared), now=asked.now)
    answer = answer_of(report, text, about=msgspec.structs.replace(about, warnings=declared.warnings))
    _show(answer, output)
    if output == "table":
        _sum_up(answer, declared)
    return answer


def refuse_unknown(peaks_tpm: Mapping[str, int], declared: "Declared") -> None:
    """A peak of a task that is not there would be asked of nothing, and nobody would notice.

    Raises:
        UsageError: the file has no such task.
    """
    for task in peaks_tpm:
        if task not in declared.tasks:
            raise click.UsageError(f"--peak {task}: found no such task; expected one of {', '.join(sorted(declared.tasks))}")


def _facts(asked: Asked, declared: "Declared") -> "Facts":
    from changeover.bootstrap.check_facts import ask_azure, shipped_list
    from changeover.console.adopting import asked_of_azure
    from changeover.settings.rules.facts import Facts

    read = asked_of_azure(lambda way: ask_azure(way, declared, now=asked.now), asked.look) if asked.azure else None
    return Facts(listed=shipped_list(), azure=read, peaks_tpm=asked.peaks_tpm)


def _show(answer: "CheckAnswer", output: Form) -> None:
    """Nothing as a table where the file has faults: they are told of as an error."""
    match output:
        case "table":
            if not answer.faults:
                from changeover.console.render_check import render_check

                print_table(render_check(answer))
        case "json" | "yaml":
            click.echo(as_text(msgspec.json.encode(answer), output=output))
        case "junit":
            from changeover.console.render_check_junit import junit_of

            click.echo(junit_of(answer))
        case "sarif":
            from changeover.console.render_check_sarif import sarif_of, uri_of

            click.echo(msgspec.json.format(msgspec.json.encode(sarif_of(answer, uri=uri_of(_from_here(answer.file)))), indent=2).decode())
        case "markdown":
            from changeover.console.render_check_markdown import markdown_of

            click.echo(markdown_of(answer))


def _from_here(file: str) -> str:
    """A pipeline stands at the top of its repository: what is below is named from there."""
    path = Path(file)
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_absolute() and path.is_relative_to(here) else path.as_posix()


def _sum_up(answer: "CheckAnswer", declared: "Declared") -> None:
    from changeover.console.render_check import not_asked_lines, summary

    click.echo(f"{answer.file} can be used: {_counted(declared)}; {summary(answer)}")
    for line in not_asked_lines(answer.not_asked):
        click.echo(line)
    warnings = answer.count("warn")
    if warnings and answer.fail_on == "error":
        note(f"warning: {warnings} warning{' does' if warnings == 1 else 's do'} not fail the check; --fail-on warning makes them")


def _counted(declared: "Declared") -> str:
    parts = (("account", declared.accounts), ("deployment", declared.deployments), ("task", declared.tasks), ("rollout", declared.rollouts))
    return ", ".join(f"{len(entries)} {noun}{'' if len(entries) == 1 else 's'}" for noun, entries in parts)
