"""``changeover apply``: move the store to the file, after a look at what that changes."""

from pathlib import Path
from threading import Event
from typing import Final

import click
import msgspec

from changeover.api.answers import StatusAnswer
from changeover.api.plan_answers import AppliedAnswer, PlanAnswer
from changeover.console.asking import OUTPUT_OPTION, takes_where
from changeover.console.failure import ExitCode, Failure
from changeover.console.output import Format, is_interactive, note, show
from changeover.console.plan import show_plan
from changeover.console.plan_file import (
    ALLOW_REMOVE_OPTION,
    FILE_OPTION,
    STABLE_OPTION,
    PlannedOrder,
    file_order,
    order_body,
    read_saved,
    where_with,
)
from changeover.console.server_link import ServerLink, Where, open_link
from changeover.console.taught import Taught

PATH: Final = "/api/v1/apply"
WAIT_TRIES: Final = 60
WAIT_EVERY_S: Final = 0.5


@click.command(
    cls=Taught,
    examples=(
        "changeover apply",
        'changeover apply -f new.yaml --yes --reason "gpt-5.1 for contracts"',
        "changeover apply --plan changes.plan",
        "changeover apply --stable email-summarisation",
    ),
)
@FILE_OPTION
@click.option(
    "--plan",
    "saved",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PLAN",
    help="A plan that was saved and looked at. Asks nothing; exits with 6 when the store has moved on since.",
)
@STABLE_OPTION
@ALLOW_REMOVE_OPTION
@click.option("--yes", is_flag=True, help="Apply without asking.")
@click.option("--reason", default="", help="Why, for the log of events.")
@OUTPUT_OPTION
@takes_where
def apply(  # noqa: PLR0913 - one an option
    where: Where,
    file: Path | None,
    saved: Path | None,
    stables: tuple[str, ...],
    allow_remove: bool,
    yes: bool,
    reason: str,
    output: Format,
) -> None:
    """Move the store to the file, in one revision, and wait until every data plane serves it.

    Shows the plan and asks first. A promotion or a rollback is never undone by a file alone: --stable TASK
    says so. Tasks go only with --allow-remove. What a rollout under way rests on is refused until it is over;
    the rest is applied, and the exit code is then 1. Nobody's traffic is sent to a candidate by this: changeover
    rollout start does that.
    """
    if saved is not None and (file is not None or stables or allow_remove):
        raise click.UsageError("--plan holds the file and what was allowed; expected neither -f nor --stable nor --allow-remove with it")
    if saved is not None:
        plan = read_saved(saved)
        order, revision = plan.order, plan.revision
    else:
        order, revision = file_order(where, file, stables=stables, allow_remove=allow_remove), None
    with open_link(where_with(where, file)) as link:
        seen = show_plan(link, order, output="table" if output == "table" else None, revision=revision)
        if _is_agreed(seen, asks=not yes and saved is None):
            _apply(link, order, seen, reason=reason, output=output)
    _fail_if_refused(seen)


def _is_agreed(seen: PlanAnswer, *, asks: bool) -> bool:
    """Whether there is something to apply, and somebody wants it."""
    if seen.faults:
        raise Failure("the store would not hold together", details=seen.faults, hint="settle first what is kept or refused, see the plan")
    if not seen.has_changes:
        note("nothing to apply")
        return False
    if not asks:
        return True
    if not is_interactive():
        raise Failure("nobody is there to agree to the plan", hint="say so: changeover apply --yes", code=ExitCode.NOT_ALLOWED)
    if not click.confirm("apply this?", err=True):
        raise Failure("not applied", hint="nothing was changed")
    return True


def _apply(link: ServerLink, order: PlannedOrder, seen: PlanAnswer, *, reason: str, output: Format) -> None:
    """Commit what was looked at, and no other."""
    from changeover.console.render_plan import render_applied

    reply = link.post(PATH, order_body(order, revision=seen.revision, reason=reason))
    applied = msgspec.json.decode(reply, type=AppliedAnswer)
    note(f"applied: revision {applied.revision}")
    behind = _waited_for(link, applied.table_revision)
    show(reply, AppliedAnswer, render=render_applied, output=output)
    if behind:
        message = f"{', '.join(behind)} did not take up table {applied.table_revision} within {WAIT_TRIES * WAIT_EVERY_S:g} s"
        raise Failure(message, hint="it is applied all the same; look again: changeover status", code=ExitCode.UNDECIDED)


def _waited_for(link: ServerLink, table_revision: int) -> tuple[str, ...]:
    """Live data planes that do not serve the table yet, after waiting for them."""
    pause, behind = Event(), ()
    for _ in range(WAIT_TRIES):
        status = msgspec.json.decode(link.get("/api/v1/status"), type=StatusAnswer)
        behind = tuple(each.plane for each in status.planes if not each.silent and each.acknowledged_revision < table_revision)
        if not behind:
            live = sum(not each.silent for each in status.planes)
            note(f"served by {live} data plane{'' if live == 1 else 's'}" if live else "no data plane is there to serve it yet")
            return ()
        pause.wait(WAIT_EVERY_S)
    return behind


def _fail_if_refused(seen: PlanAnswer) -> None:
    refused = [each for each in seen.amendments if each.effect == "refused"]
    if refused:
        count = f"{len(refused)} place{'' if len(refused) == 1 else 's'} of the file"
        details = [f"{each.path}: {each.note}" for each in refused]
        raise Failure(f"{count} could not be applied as things stand", details=details, hint="the rest stands; see changeover plan")
