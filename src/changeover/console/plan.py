"""``changeover plan``: what would change if the file were applied?"""

from pathlib import Path
from typing import Final

import click
import msgspec

from changeover.api.plan_answers import PlanAnswer
from changeover.console.asking import OUTPUT_OPTION, takes_where
from changeover.console.failure import Failure
from changeover.console.output import Format, note, show
from changeover.console.plan_file import (
    ALLOW_REMOVE_OPTION,
    FILE_OPTION,
    STABLE_OPTION,
    PlannedOrder,
    SavedPlan,
    file_order,
    order_body,
    where_with,
)
from changeover.console.server_link import ServerLink, Where, open_link
from changeover.console.taught import Taught

PATH: Final = "/api/v1/plan"
CHANGES_PENDING: Final = 2


@click.command(
    cls=Taught,
    examples=(
        "changeover plan",
        "changeover plan -f new.yaml --detailed-exitcode",
        "changeover plan --out changes.plan",
    ),
)
@FILE_OPTION
@STABLE_OPTION
@ALLOW_REMOVE_OPTION
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="PLAN", help="Save the plan here, for changeover apply.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there is something to change.")
@OUTPUT_OPTION
@takes_where
def plan(  # noqa: PLR0913 - one an option
    where: Where, file: Path | None, stables: tuple[str, ...], allow_remove: bool, out: Path | None, detailed_exitcode: bool, output: Format
) -> None:
    """Show what applying the file would change, and change nothing.

    A line begins with + for what is new, ~ for what is changed, - for what is removed. A line with = is kept
    as the store has it: a file alone does not undo a promotion or a rollback, nor take out a task; the line says what
    would. A line with ! is refused as things stand, because a rollout rests on it; the rest can be applied.

    Without -f it is the file the server was started with (-c), or changeover.yaml. Exits 0; with
    --detailed-exitcode 2 when there is something to change, 0 when there is not.
    """
    body = file_order(where, file, stables=stables, allow_remove=allow_remove)
    with open_link(where_with(where, file)) as link:
        found = show_plan(link, body, output=output)
    if out is not None:
        _save(out, SavedPlan(revision=found.revision, order=body))
    if detailed_exitcode and found.has_changes:
        click.get_current_context().exit(CHANGES_PENDING)


def show_plan(link: ServerLink, order: PlannedOrder, *, output: Format | None, revision: int | None = None) -> PlanAnswer:
    """Ask for the plan, print it if a form is wanted, and give it back."""
    from changeover.console.render_plan import render_plan

    reply = link.post(PATH, order_body(order, revision=revision))
    found = msgspec.json.decode(reply, type=PlanAnswer)
    if output is not None:
        show(reply, PlanAnswer, render=render_plan, output=output)
    for warning in found.warnings:
        note(f"warning: {warning}")
    return found


def _save(path: Path, saved: SavedPlan) -> None:
    try:
        path.write_bytes(msgspec.json.encode(saved))
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}", hint="name another place with --out") from error
    note(f"saved: changeover apply --plan {path}; it holds as long as the store is at revision {saved.revision}")
