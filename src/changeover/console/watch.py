"""``changeover rollout watch``: a live picture of a rollout in the terminal."""

import os
import sys
import time
from typing import TYPE_CHECKING, Final

import click

from changeover.console.asking import takes_where
from changeover.console.failure import Failure
from changeover.console.output import note
from changeover.console.rollout_status import FOR_EVER, conclude, follow
from changeover.console.server_link import ServerRefusal, Where, open_link, segment
from changeover.console.taught import Taught

if TYPE_CHECKING:
    from rich.console import Console

    from changeover.api.watch_answers import PictureAnswer

EVERY_S: Final = 1.0
LEFT: Final = "left the picture; the rollout goes on"
_KEYS: Final = "q leaves, the rollout goes on"
_SERVER_FAULT: Final = 500


@click.command(
    cls=Taught,
    examples=(
        "changeover rollout watch email-summarisation",
        "changeover rollout watch email-summarisation --once",
    ),
)
@click.argument("name", metavar="TASK|ID")
@click.option("--once", is_flag=True, help="Print one picture and end.")
@click.option("--lines", is_flag=True, help="A line for every move in place of the picture; so it is without a terminal.")
@takes_where
def watch(where: Where, name: str, once: bool, lines: bool) -> None:
    """Watch the active or latest rollout of TASK in a live picture, drawn anew every second.

    It shows the steps, the weight as set and as the data planes serve it, requests a minute on each side, every gate with
    its numbers against the limit, how far the evidence has come and about how long it still takes at this pace, what
    is left of the dwell and the deadline, and the last events. q or Ctrl-C leaves; the rollout goes on.

    It ends by itself when the rollout is decided, with the exit code of rollout status.
    """
    if once:
        _print_once(where, name)
        return
    if lines or not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        _watch_lines(where, name)
        return
    try:
        decided = _watch_live(where, name)
    except KeyboardInterrupt:
        decided = False
    if not decided:
        note(LEFT)
        return
    conclude(follow(where, name, until=time.monotonic(), through_pauses=True, quiet=True), waited="")


def _print_once(where: Where, name: str) -> None:
    from changeover.console.output import PIPE_COLUMNS, print_table
    from changeover.console.render_watch import render_watch

    width = _console().width if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE_COLUMNS
    print_table(render_watch(picture_of(where, name), width=width))


def _watch_lines(where: Where, name: str) -> None:
    try:
        followed = follow(where, name, until=FOR_EVER, through_pauses=True)
    except KeyboardInterrupt:
        note(LEFT)
        return
    conclude(followed, waited="")


def _watch_live(where: Where, name: str) -> bool:
    """Whether it was decided; ``False`` when somebody left. The last picture stays in the terminal."""
    from rich.live import Live

    from changeover.console.render_watch import render_watch
    from changeover.console.watch_keys import leave_keys

    console, picture, trouble, left = _console(), picture_of(where, name), "", False
    name = picture.rollout.id  # a later attempt is another picture
    with Live(console=console, screen=True, auto_refresh=False) as live, leave_keys() as leaves:
        while not (left or picture.rollout.progress.phase.is_final):
            size = console.size
            live.update(render_watch(picture, width=size.width, height=size.height, aside=trouble or _KEYS), refresh=True)
            left = leaves(EVERY_S)
            try:
                picture, trouble = picture_of(where, name), ""
            except Failure as failure:
                if isinstance(failure, ServerRefusal) and failure.status < _SERVER_FAULT:
                    raise
                trouble = f"not as of now: {failure.message}; trying again; {_KEYS}"
    console.print(render_watch(picture, width=console.width))
    return not left


def picture_of(where: Where, name: str) -> "PictureAnswer":
    """The rollout as it is now."""
    import msgspec

    from changeover.api.watch_answers import PictureAnswer

    with open_link(where) as link:
        return msgspec.json.decode(link.get(f"/api/v1/rollouts/{segment(name)}/picture"), type=PictureAnswer)


def _console() -> "Console":
    from rich.console import Console

    return Console(highlight=False)
