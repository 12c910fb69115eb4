"""``changeover rollout status``: wait until a rollout is decided, and end with the code that a pipeline needs."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from changeover.console.asking import takes_where
from changeover.console.failure import ExitCode, Failure
from changeover.console.output import note
from changeover.console.server_link import Where, open_link
from changeover.console.taught import Taught

if TYPE_CHECKING:
    from changeover.console.followed import Followed

FOR_EVER: Final = float("inf")
INTERRUPTED: Final = 130
"""What a shell makes of a program that Ctrl-C ended."""


@click.command(
    cls=Taught,
    examples=(
        "changeover rollout status email-summarisation",
        "changeover rollout status email-summarisation --timeout 2h",
        "changeover rollout status email-summarisation --no-wait",
    ),
)
@click.argument("name", metavar="TASK|ID")
@click.option("--timeout", metavar="DURATION", help="Give up waiting after so long, such as 30m or 2h (exit code 5).")
@click.option("--no-wait", is_flag=True, help="Say how it stands now, and end with the code for that.")
@click.option("--through-pauses", is_flag=True, help="Wait on while it is paused, for somebody to resume it.")
@takes_where
def status(where: Where, name: str, timeout: str | None, no_wait: bool, through_pauses: bool) -> None:
    """Wait until the active or latest rollout of TASK is decided; every move is a line on standard output.

    \b
    Exit codes:
      0  promoted: the candidate is the stable
      3  rolled back, by a gate, a guardrail or a person
      5  undecided: paused and waiting for a person, expired, or the timeout passed
      4  not allowed; 1  anything else, such as a task that never had a rollout

    A server that goes away is waited for. Ctrl-C ends the waiting and leaves the rollout as it is (exit code 130).
    """  # noqa: D301  click reads the backspace
    limit_s = 0.0 if no_wait else FOR_EVER if timeout is None else _duration(timeout)
    with left_alone():
        followed = follow(where, name, until=time.monotonic() + limit_s, through_pauses=through_pauses)
    conclude(followed, waited="" if no_wait or timeout is None else f" within {timeout}")


def _duration(text: str) -> float:
    from changeover.settings.durations import seconds

    try:
        return seconds(text)
    except ValueError as error:
        raise click.UsageError(f"--timeout: found {text!r}, expected a duration such as 90s, 30m, 2h or 1d") from error


@contextmanager
def left_alone() -> Generator[None]:
    """Ctrl-C ends the waiting with a word about the rollout, not as a command that went wrong."""
    try:
        yield
    except KeyboardInterrupt:
        note("stopped waiting; the rollout goes on")
        raise click.exceptions.Exit(INTERRUPTED) from None


def follow(where: Where, name: str, *, until: float, through_pauses: bool, quiet: bool = False) -> "Followed":
    """The rollout as it stands when it is decided, or when the time has come. Every move is a line, unless ``quiet``."""
    from changeover.console.event_feed import EventFeed
    from changeover.console.followed import look
    from changeover.console.render_transition import standing

    with open_link(where) as link:
        followed = look(link, name)
    rollout = followed.rollout
    if not quiet:
        click.echo(f"{rollout.id}: {rollout.stable} -> {rollout.candidate}, {standing(rollout, rollout.progress)}")
    feed = EventFeed(where, task=rollout.task, after=followed.revision, tell=note)
    if _is_decided(followed, through_pauses=through_pauses):
        return followed
    for event in feed.events(until=until):
        line = None if event is None else followed.take(event)
        if line is not None:
            click.echo(line)
        if _is_decided(followed, through_pauses=through_pauses):
            break
    return followed


def _is_decided(followed: "Followed", *, through_pauses: bool) -> bool:
    from changeover.console.rollout_outcome import PAUSED

    if through_pauses and followed.rollout.progress.phase.value in PAUSED:
        return False
    return followed.outcome is not None


def conclude(followed: "Followed", *, waited: str) -> None:
    """The last line. Anything but a promotion is a failure with its own code.

    Raises:
        Failure: it was rolled back, or is undecided.
    """
    from changeover.console.render_watch_rows import with_hold

    rollout, progress = followed.rollout, followed.rollout.progress
    match followed.outcome:
        case ExitCode.OK:
            click.echo(f"promoted: {rollout.candidate} is the stable of {rollout.task}")
        case ExitCode.ROLLED_BACK:
            why = "its promotion was undone" if followed.undone else progress.reason or "no reason given"
            hint = f"what it had answered: changeover rollout affected {rollout.id} -o jsonl"
            raise Failure(f"rollout {rollout.id} was rolled back: {why}", hint=hint, code=ExitCode.ROLLED_BACK)
        case ExitCode.UNDECIDED:
            phase = progress.phase.replace("_", " ")
            hint = f"see why: changeover rollout show {rollout.id}; go on: changeover rollout resume {rollout.task}"
            raise Failure(f"rollout {rollout.id} is {phase}: {with_hold(progress)}", hint=hint, code=ExitCode.UNDECIDED)
        case _:
            hint = f"it goes on; watch it: changeover rollout watch {rollout.task}"
            raise Failure(f"rollout {rollout.id} is not decided{waited}", hint=hint, code=ExitCode.UNDECIDED)
