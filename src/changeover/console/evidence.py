"""``changeover evidence``: everything behind a rollout's verdicts in one file, and the proof that they follow from it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from changeover.console.asking import OUTPUT_OPTION, takes_where
from changeover.console.failure import ExitCode, Failure
from changeover.console.output import Format, as_text, note
from changeover.console.server_link import Where, open_link, segment
from changeover.console.taught import Taught

if TYPE_CHECKING:
    from changeover.rollout.replay import Replay

STANDARD: Final = "-"
"""Standard input or output, written as a file's name."""

INDENT: Final = 1


@click.group()
def evidence() -> None:
    """Export what verdicts rest on, and verify that they follow from it."""


@evidence.command(
    "export",
    cls=Taught,
    examples=(
        "changeover evidence export email-summarisation-1 -o evidence.json",
        "changeover evidence export email-summarisation -o - | jq .rollout.plan",
    ),
)
@click.argument("name", metavar="ROLLOUT")
@click.option("-o", "--output", "target", metavar="FILE", default=STANDARD, show_default=True, help="The file to write; - is stdout.")
@takes_where
def export(where: Where, name: str, target: str) -> None:
    """Write everything behind the verdicts of ROLLOUT into one file.

    Plan and criteria, the summaries of all closed blocks, and every move with the verdicts it rested on.
    A task's name stands for its active or latest rollout. The file holds no text of any request.
    """
    import msgspec

    with open_link(where) as link:
        body = msgspec.json.format(link.get(f"/api/v1/rollouts/{segment(name)}/evidence"), indent=INDENT) + b"\n"
    if target == STANDARD:
        click.echo(body, nl=False)
        return
    try:
        Path(target).write_bytes(body)
    except OSError as error:
        raise Failure(f"cannot write {target}: {error.strerror}", hint="name another place with -o FILE") from error
    click.echo(f"wrote {target}")
    note(f"check it, on any machine: changeover evidence verify {target}")


@evidence.command(
    "verify",
    cls=Taught,
    examples=("changeover evidence verify evidence.json", "changeover evidence verify email-summarisation-1"),
)
@click.argument("name", metavar="FILE|ROLLOUT")
@OUTPUT_OPTION
@takes_where
def verify(where: Where, name: str, output: Format) -> None:
    """Recompute every recorded verdict from the evidence and compare.

    A file is checked here, without a server; for a rollout the server's evidence is fetched. Exits 3 on any
    difference and names each.
    """
    import msgspec

    from changeover.rollout.evidence_file import EvidenceFile
    from changeover.rollout.replay import replayed

    body = _content(where, name)
    try:
        file = msgspec.json.decode(body, type=EvidenceFile)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = "export it anew: changeover evidence export ROLLOUT -o FILE"
        raise Failure(f"{name} is no evidence file of this version: {error}", hint=hint) from error
    found = replayed(file)
    _show(found, output)
    if found.differences:
        raise Failure(
            f"{len(found.differences)} differences between the recorded verdicts and the evidence of rollout {found.rollout}",
            hint="the log or the summaries were changed after the fact, or by another version of changeover",
            code=ExitCode.ROLLED_BACK,
        )


def _content(where: Where, name: str) -> bytes:
    """What the file holds, if there is one of that name, else what the server answers."""
    if name == STANDARD:
        return sys.stdin.buffer.read()
    path = Path(name)
    if not path.is_file():
        with open_link(where) as link:
            return link.get(f"/api/v1/rollouts/{segment(name)}/evidence")
    try:
        return path.read_bytes()
    except OSError as error:
        raise Failure(f"cannot read {name}: {error.strerror}", hint="name a file that can be read") from error


def _show(found: "Replay", output: Format) -> None:
    import msgspec

    if output != "table":
        click.echo(as_text(msgspec.json.encode(found), output=output))
        return
    for difference in found.differences:
        click.echo(f"✖ {difference}")
    if not found.differences:
        click.echo(f"✔ {found.rollout}: all verdicts of {found.moves} moves follow from {found.blocks} summaries")
