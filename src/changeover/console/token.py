"""``changeover token``: who may do what on the control plane."""

from typing import Final

import click
import msgspec

from changeover.api.token_answers import NewTokenAnswer, TokenAnswer, TokensAnswer
from changeover.console.asking import Asking, asks_server
from changeover.console.duration_option import duration
from changeover.console.output import note, show
from changeover.console.server_link import segment
from changeover.console.taught import Taught

PATH: Final = "/api/v1/tokens"
ROLES: Final = ("viewer", "operator", "owner")


@click.group()
def token() -> None:
    """Make, list and revoke the tokens of people and scripts that use the control plane.

    A viewer looks. An operator starts, pauses, resumes, splits, scores and rolls back. An owner does everything else too:
    overrides, promotions, what the file declares, keys and tokens.
    """


@token.command(
    "create",
    cls=Taught,
    examples=(
        "changeover token create alice --role operator --expires 90d",
        "changeover token create ci-mail --role operator --tasks email-summarisation",
    ),
)
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What it may do.")
@click.option("--expires", callback=duration, metavar="DURATION", help="How long it is good, such as 90d. Without it: until it is revoked.")
@click.option("--tasks", default="", metavar="TASK,...", help="All it may change. Without it: every task. It may look at everything.")
@click.option("--reason", default="", help="Why, for the log of events.")
@asks_server
def create(asking: Asking, name: str, role: str, expires: float | None, tasks: str, reason: str) -> None:
    """Make a token and print its secret, once.

    Only the secret goes to standard output. NAME stands in the log of events for all that is done with it, so no two
    tokens in use share one. Its holder sets CHANGEOVER_TOKEN, and CHANGEOVER_URL to the control plane's address.
    """
    from changeover.console.output import as_text
    from changeover.console.render_tokens import made_note

    named = [task.strip() for task in tasks.split(",") if task.strip()]
    reply = asking.link.post(PATH, {"name": name, "role": role, "tasks": named, "life_s": expires, "reason": reason})
    made = msgspec.json.decode(reply, type=NewTokenAnswer)
    note(made_note(made))
    click.echo(made.secret if asking.output == "table" else as_text(reply, output=asking.output))


@token.command("ls", cls=Taught, examples=("changeover token ls",))
@asks_server
def ls(asking: Asking) -> None:
    """List tokens: who holds them, what each may do, until when, how it stands."""
    from changeover.console.render_tokens import render_tokens

    show(asking.link.get(PATH), TokensAnswer, render=render_tokens, output=asking.output)


@token.command("revoke", cls=Taught, examples=('changeover token revoke alice --reason "left the team"',))
@click.argument("token_id", metavar="ID|NAME")
@click.option("--reason", default="", help="Why, for the log of events.")
@asks_server
def revoke(asking: Asking, token_id: str, reason: str) -> None:
    """Let a token open nothing any more, at once."""
    from changeover.console.render_tokens import render_token

    reply = asking.link.delete(f"{PATH}/{segment(token_id)}", reason=reason)
    note(f"done: revision {msgspec.json.decode(reply, type=TokenAnswer).revision}")
    show(reply, TokenAnswer, render=render_token, output=asking.output)
