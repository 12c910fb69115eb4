"""``changeover key``: who may call the gateway."""

from typing import Final

import click
import msgspec

from changeover.api.key_answers import KeyAnswer, KeysAnswer, MintedAnswer
from changeover.console.asking import Asking, asks_server
from changeover.console.duration_option import duration
from changeover.console.output import note, show
from changeover.console.server_link import segment
from changeover.console.taught import Taught

PATH: Final = "/api/v1/keys"


@click.group()
def key() -> None:
    """Make, list, rotate and revoke the keys that callers of the gateway need."""


@key.command(
    "create",
    cls=Taught,
    examples=(
        "changeover key create mail-service --task email-summarisation --expires 90d",
        "changeover key create batch-jobs -o json",
    ),
)
@click.argument("name")
@click.option("--task", "tasks", multiple=True, metavar="TASK", help="All it may call; may be repeated. Without it: every task.")
@click.option("--default-task", metavar="TASK", help="Answers requests whose model names no task. Of a key for one task: that one.")
@click.option("--expires", callback=duration, metavar="DURATION", help="How long it is good, such as 90d. Without it: until it is revoked.")
@click.option(
    "--not-before", "delay", callback=duration, default="0s", metavar="DURATION", help="How long from now until it begins to be good."
)
@click.option("--reason", default="", help="Why, for the log of events.")
@asks_server
def create(  # noqa: PLR0913 - one an option
    asking: Asking, name: str, tasks: tuple[str, ...], default_task: str | None, expires: float | None, delay: float, reason: str
) -> None:
    """Make a key and print its secret, once.

    Only the secret goes to standard output. The server keeps its hash, so nobody can show it again.
    """
    body: dict[str, object] = {"name": name, "tasks": list(tasks), "default_task": default_task, "delay_s": delay, "reason": reason}
    _show_minted(asking, asking.link.post(PATH, {**body, "life_s": expires}))


@key.command("ls", cls=Taught, examples=("changeover key ls",))
@asks_server
def ls(asking: Asking) -> None:
    """List keys: what each may call, until when, how it stands."""
    from changeover.console.render_keys import render_keys

    show(asking.link.get(PATH), KeysAnswer, render=render_keys, output=asking.output)


@key.command("revoke", cls=Taught, examples=('changeover key revoke k-1f0c9a52 --reason "left in a log"',))
@click.argument("key_id", metavar="ID")
@click.option("--reason", default="", help="Why, for the log of events.")
@asks_server
def revoke(asking: Asking, key_id: str, reason: str) -> None:
    """Let a key open nothing any more, at once. Requests under way finish."""
    from changeover.console.render_keys import render_key

    reply = asking.link.delete(f"{PATH}/{segment(key_id)}", reason=reason)
    note(f"done: revision {msgspec.json.decode(reply, type=KeyAnswer).revision}")
    show(reply, KeyAnswer, render=render_key, output=asking.output)


@key.command("rotate", cls=Taught, examples=("changeover key rotate k-1f0c9a52 --overlap 7d",))
@click.argument("key_id", metavar="ID")
@click.option(
    "--overlap", callback=duration, required=True, metavar="DURATION", help="How long the old secret stays good, such as 7d or 0s."
)
@click.option(
    "--expires", callback=duration, metavar="DURATION", help="How long the new one is good. Without it: as long as the old one was."
)
@click.option("--reason", default="", help="Why, for the log of events.")
@asks_server
def rotate(asking: Asking, key_id: str, overlap: float, expires: float | None, reason: str) -> None:
    """Make a new secret with the same tasks, and print it once. Both are good for the overlap."""
    _show_minted(asking, asking.link.post(f"{PATH}/{segment(key_id)}/rotate", {"overlap_s": overlap, "life_s": expires, "reason": reason}))


@key.command("require", cls=Taught, examples=("changeover key require on", "changeover key require off"))
@click.argument("wanted", metavar="on|off", type=click.Choice(["on", "off"]))
@click.option("--reason", default="", help="Why, for the log of events.")
@asks_server
def require(asking: Asking, wanted: str, reason: str) -> None:
    """Refuse callers without a key, or serve them again.

    A server that others than this machine can reach turns it on at its start, and its gateway keeps to that.
    """
    from changeover.console.render_keys import render_keys

    reply = asking.link.post(f"{PATH}/required", {"required": wanted == "on", "reason": reason})
    show(reply, KeysAnswer, render=render_keys, output=asking.output)


def _show_minted(asking: Asking, reply: bytes) -> None:
    from changeover.console.output import as_text
    from changeover.console.render_keys import minted_note

    minted = msgspec.json.decode(reply, type=MintedAnswer)
    note(minted_note(minted))
    click.echo(minted.secret if asking.output == "table" else as_text(reply, output=asking.output))
