"""``changeover rollout approve | override | promote | retry``: what people say so that a rollout goes on, or begins anew."""

from typing import Final

import click
import msgspec

from changeover.api.answers import RolloutAnswer, StatusAnswer
from changeover.console.asking import Asking, asks_server
from changeover.console.committed import show_committed
from changeover.console.failure import ExitCode, Failure
from changeover.console.output import is_interactive, note
from changeover.console.server_link import ServerLink, ServerRefusal, segment
from changeover.console.taught import Taught

LOOKS_MAX: Final = 5
"""A server that moves on between the look and the word is looked at again so often, while what was decided on stands."""

REASON_OPTION = click.option("--reason", default="", help="Why, for the log of events.")
REVISION_OPTION = click.option(
    "--revision", type=int, metavar="N", help="Only if the state is still at this revision; a later one ends with exit code 6."
)
YES_OPTION = click.option("--yes", is_flag=True, help="Do it without asking.")


@click.command("approve", cls=Taught, examples=('changeover rollout approve email-summarisation --reason "figures read"',))
@click.argument("name", metavar="ID|TASK")
@REASON_OPTION
@REVISION_OPTION
@asks_server
def approve(asking: Asking, name: str, reason: str, revision: int | None) -> None:
    """Approve the step that the rollout waits at.

    The step names the roles that may; who may not is told so (exit code 4). What was proven at this weight must hold still.
    """
    _say(asking, name, "approve", {"reason": reason}, revision=revision)


@click.command(
    "override",
    cls=Taught,
    examples=('changeover rollout override email-summarisation --gates latency --reason "slow spell of ours, ticket 4711"',),
)
@click.argument("name", metavar="ID|TASK")
@click.option("--gates", required=True, metavar="GATES", help="Which gates, comma-separated; dwell for what is left of the time.")
@click.option("--reason", required=True, help="Why; it stands in the log with your name.")
@REVISION_OPTION
@YES_OPTION
@asks_server
def override(asking: Asking, name: str, gates: str, reason: str, revision: int | None, yes: bool) -> None:
    """Answer for going on at this step without what some gates ask.

    It holds for this step alone. A guardrail that trips still rolls back, and a sample-ratio alarm still pauses: those nobody
    overrides. While a rollout retires its old version, the word data-planes stops waiting for those that are silent.
    """
    named = _names(gates)
    seen = _agree(asking.link, name, f"go on without {', '.join(named)}", yes=yes)
    _say(asking, name, "override", {"gates": named, "reason": reason}, revision=revision, seen=seen)


@click.command(
    "promote",
    cls=Taught,
    examples=(
        'changeover rollout promote email-summarisation --yes --reason "seen enough"',
        'changeover rollout promote email-summarisation --without cost --yes --reason "the price is agreed"',
    ),
)
@click.argument("name", metavar="ID|TASK")
@click.option("--without", default="", metavar="GATES", help="Gates that need no pass, comma-separated; wants a reason.")
@REASON_OPTION
@REVISION_OPTION
@YES_OPTION
@asks_server
def promote(asking: Asking, name: str, without: str, reason: str, revision: int | None, yes: bool) -> None:
    """Finish the rollout now, without what is left of dwells, pauses and bake.

    It still goes a step at a time, each weight is served everywhere first, approvals are asked for, and every gate needs its
    pass, but for those named. What was rolled back is not promoted by anything.
    """
    named = _names(without)
    seen = _agree(asking.link, name, f"finish now{' without ' + ', '.join(named) if named else ''}", yes=yes)
    _say(asking, name, "promote", {"without": named, "reason": reason}, revision=revision, seen=seen)


@click.command("retry", cls=Taught, examples=('changeover rollout retry email-summarisation --reason "new release of the tests"',))
@click.argument("name", metavar="ID|TASK")
@REASON_OPTION
@REVISION_OPTION
@asks_server
def retry(asking: Asking, name: str, reason: str, revision: int | None) -> None:
    """Begin the same plan anew: another attempt with no evidence, drawn anew.

    For a rollout that is paused, or was rolled back and released.
    """
    _say(asking, name, "retry", {"reason": reason}, revision=revision)


def _say(asking: Asking, name: str, verb: str, body: dict[str, object], *, revision: int | None, seen: RolloutAnswer | None = None) -> None:
    """Send the word with the revision that it was decided on: the one named, else that of what was shown."""
    link, path = asking.link, f"/api/v1/rollouts/{segment(name)}/{verb}"
    if revision is not None:
        show_committed(asking, link.post(path, {**body, "expected_revision": revision}))
        return
    for look in range(LOOKS_MAX):
        at, found = _look(link, name)
        if seen is not None and not _still(seen, found):
            message = f"rollout {found.rollout.id} has moved on since it was shown: {found.rollout.progress.reason}"
            raise Failure(message, hint=f"look again: changeover rollout show {name}", code=ExitCode.STALE)
        try:
            show_committed(asking, link.post(path, {**body, "expected_revision": at}))
        except ServerRefusal as refusal:
            if refusal.problem.code != "stale" or look == LOOKS_MAX - 1:
                raise
            seen = seen or found
        else:
            return


def _look(link: ServerLink, name: str) -> tuple[int, RolloutAnswer]:
    """The revision first: what is read after it is at least as new."""
    status = msgspec.json.decode(link.get("/api/v1/status"), type=StatusAnswer)
    return status.revision, msgspec.json.decode(link.get(f"/api/v1/rollouts/{segment(name)}"), type=RolloutAnswer)


def _still(seen: RolloutAnswer, found: RolloutAnswer) -> bool:
    """Whether it stands where it stood: what else happens on the server, or is passed meanwhile, is not what was decided on."""
    before, now = seen.rollout, found.rollout
    return (before.id, before.progress.phase, before.progress.step) == (now.id, now.progress.phase, now.progress.step)


def _agree(link: ServerLink, name: str, what: str, *, yes: bool) -> RolloutAnswer:
    """Show what is decided on, and ask. A script says ``--yes``."""
    _, found = _look(link, name)
    if yes:
        return found
    if not is_interactive():
        raise Failure("nobody is there to agree", hint="say so: --yes", code=ExitCode.NOT_ALLOWED)
    note(f"rollout {found.rollout.id}, {found.rollout.progress.phase}: {found.rollout.progress.reason}")
    for reason in found.unmet:
        note(f"  holds: {reason}")
    if not click.confirm(f"{what}?", err=True):
        raise Failure("nothing was changed", hint="", code=ExitCode.NOT_ALLOWED)
    return found


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
