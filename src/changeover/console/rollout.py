"""``changeover rollout`` and ``changeover rollback``."""

from pathlib import Path

import click
import msgspec

from changeover.api.answers import RolloutAnswer, RolloutsAnswer, StartedAnswer, StatusAnswer
from changeover.console.affected import affected
from changeover.console.asking import Asking, asks_server
from changeover.console.committed import show_committed
from changeover.console.failure import Failure
from changeover.console.forecast import Wanted, accepts_undecided, forecast, show_forecast_first, wants_plan
from changeover.console.going_on import approve, override, promote, retry
from changeover.console.output import is_interactive, note, show
from changeover.console.preflight import post_start, preflight_options, preflight_order
from changeover.console.rollout_history import history
from changeover.console.rollout_status import status
from changeover.console.server_link import ServerRefusal, segment
from changeover.console.taught import Taught
from changeover.console.watch import watch
from changeover.settings.strategies import STRATEGIES


@click.group()
def rollout() -> None:
    """Move a task to a candidate by steps, each of which needs its evidence."""


@rollout.command(
    "start",
    cls=Taught,
    examples=(
        "changeover rollout start email-summarisation --to gpt4omini-prod-v0718",
        "changeover rollout start email-summarisation --to gpt4omini-prod-v0718 --without quality,accuracy",
    ),
)
@click.argument("task")
@click.option("--to", "candidate", required=True, metavar="DEPLOYMENT", help="The candidate.")
@click.option("--without", default="", metavar="CRITERIA", help="Go on without these criteria, which have no source; comma-separated.")
@click.option("--reason", default="", help="Why, for the log of events.")
@click.option("--strategy", type=click.Choice(STRATEGIES), help="Take this strategy's own steps in place of the declared ones.")
@click.option("--dry-run", is_flag=True, help="Show steps, forecast, way back, capacity and cost; try and start nothing.")
@preflight_options
@accepts_undecided
@asks_server
@wants_plan
def start(  # noqa: PLR0913 - one an option
    asking: Asking,
    wanted: Wanted,
    task: str,
    candidate: str,
    without: str,
    reason: str,
    strategy: str | None,
    dry_run: bool,
    requests: Path | None,
    skip_preflight: bool,
) -> None:
    """Start a rollout of TASK to a candidate.

    Steps and criteria come from changeover.yaml. A criterion without a source is no gate: it must be
    accepted by name, here or when asked. First the candidate is tried with what the task's requests look
    like: a parameter that it refuses stops the start, and the request setting that mends it is printed. Before
    all that comes the forecast: a plan that cannot be expected to decide in time is refused with the ways out
    (exit code 5).
    """
    trial = preflight_order(requests, skip=skip_preflight, reason=reason)
    if not dry_run:
        show_forecast_first(asking, wanted, task=task, candidate=candidate)
    accepted = [name.strip() for name in without.split(",") if name.strip()]
    body: dict[str, object] = {"task": task, "candidate": candidate, "without": accepted, "reason": reason}
    body |= {"strategy": strategy, "dry_run": dry_run}
    body |= wanted.body()
    body |= trial
    try:
        reply = post_start(asking.link, body)
    except ServerRefusal as refusal:
        if not refusal.problem.criteria:
            raise
        reply = post_start(asking.link, {**body, "without": [*accepted, *_accepted(refusal, task, candidate)]})
    if dry_run:
        _show_preview(asking, reply)
    else:
        _show_started(asking, reply)


def _accepted(refusal: ServerRefusal, task: str, candidate: str) -> tuple[str, ...]:
    """Ask whether to go on without the criteria named; a script is told the command instead."""
    criteria = refusal.problem.criteria
    if not is_interactive():
        hint = f"accept it: changeover rollout start {task} --to {candidate} --without {','.join(criteria)}"
        raise Failure(refusal.problem.message, hint=hint)
    note(refusal.problem.message)
    if not click.confirm(f"start without {', '.join(criteria)}?", err=True):
        raise Failure("not started", hint="declare a source for each, or start with --without")
    return criteria


def _show_preview(asking: Asking, reply: bytes) -> None:
    from changeover.api.previewing import PreviewAnswer
    from changeover.console.preview import render_preview

    show(reply, PreviewAnswer, render=render_preview, output=asking.output)


def _show_started(asking: Asking, reply: bytes) -> None:
    from changeover.console.render_rollout import render_started

    started = msgspec.json.decode(reply, type=StartedAnswer)
    show(reply, StartedAnswer, render=render_started, output=asking.output)
    note(f"watch it: changeover rollout watch {started.rollout.task}; go back: changeover rollback {started.rollout.task}")


rollout.add_command(forecast)
for word in (approve, override, promote, retry):
    rollout.add_command(word)
rollout.add_command(affected)
rollout.add_command(status)
rollout.add_command(watch)
rollout.add_command(history)


@rollout.command("ls", cls=Taught, examples=("changeover rollout ls",))
@asks_server
def ls(asking: Asking) -> None:
    """List all rollouts, those under way first, then newest first."""
    from changeover.console.render_rollout import render_rollouts

    show(asking.link.get("/api/v1/rollouts"), RolloutsAnswer, render=render_rollouts, output=asking.output)


@rollout.command("show", cls=Taught, examples=("changeover rollout show email-summarisation",))
@click.argument("name", metavar="ID|TASK")
@asks_server
def show_one(asking: Asking, name: str) -> None:
    """Show one rollout: its steps, its weight as set and as served, its gates.

    A task's name stands for its active or latest rollout.
    """
    from changeover.console.render_rollout import render_rollout

    show(asking.link.get(f"/api/v1/rollouts/{segment(name)}"), RolloutAnswer, render=render_rollout, output=asking.output)


@rollout.command("pause", cls=Taught, examples=('changeover rollout pause email-summarisation --reason "release freeze"',))
@click.argument("name", metavar="ID|TASK")
@click.option("--reason", default="", help="Why, for the log of events.")
@asks_server
def pause(asking: Asking, name: str, reason: str) -> None:
    """Keep the weight and let nothing advance. Guardrails go on watching."""
    show_committed(asking, asking.link.post(f"/api/v1/rollouts/{segment(name)}/pause", {"reason": reason}))


@rollout.command("resume", cls=Taught, examples=("changeover rollout resume email-summarisation",))
@click.argument("name", metavar="ID|TASK")
@click.option("--reason", default="", help="Why, for the log of events.")
@asks_server
def resume(asking: Asking, name: str, reason: str) -> None:
    """Go on from where it was paused; nothing already seen is forgotten."""
    show_committed(asking, asking.link.post(f"/api/v1/rollouts/{segment(name)}/resume", {"reason": reason}))


@rollout.command(
    "release",
    cls=Taught,
    examples=('changeover rollout release email-summarisation --to gpt4omini-prod-v0718 --reason "prompt corrected"',),
)
@click.argument("task")
@click.option("--to", "candidate", metavar="DEPLOYMENT", help="The candidate that was rolled back; not needed where one alone is blocked.")
@click.option("--reason", default="", help="Why, for the log of events.")
@asks_server
def release(asking: Asking, task: str, candidate: str | None, reason: str) -> None:
    """Let a candidate that was rolled back be tried again."""
    candidate = candidate or _blocked_one(asking, task)
    show_committed(asking, asking.link.post(f"/api/v1/tasks/{segment(task)}/release", {"candidate": candidate, "reason": reason}))


def _blocked_one(asking: Asking, task: str) -> str:
    """The only candidate of the task that is blocked.

    Raises:
        Failure: there is none, or more than one.
    """
    status = msgspec.json.decode(asking.link.get("/api/v1/status"), type=StatusAnswer)
    found = [view for view in status.tasks if view.name == task]
    if not found:
        known = ", ".join(view.name for view in status.tasks) or "none"
        raise Failure(f"found no task {task!r}", hint=f"tasks of this server: {known}")
    blocked = list(dict.fromkeys(candidate for _, candidate in found[0].blocked))
    if not blocked:
        raise Failure(f"no candidate of {task} is blocked", hint="there is nothing to release")
    if len(blocked) > 1:
        raise Failure(f"{len(blocked)} candidates of {task} are blocked", hint=f"name one: --to {' or --to '.join(blocked)}")
    return blocked[0]


@click.command(cls=Taught, examples=('changeover rollback email-summarisation --reason "customers complain"',))
@click.argument("task")
@click.option("--reason", default="", help="Why, for the log of events.")
@click.option("--further", is_flag=True, help="Undo the promotion from before what was taken back last, too.")
@asks_server
def rollback(asking: Asking, task: str, reason: str, further: bool) -> None:
    """Send all traffic of TASK to its stable, now, from whatever state.

    Asks nothing and needs no id. The pair is blocked afterwards until it is released. Pressed again it changes
    nothing: what was promoted before goes back with --further alone.
    """
    body: dict[str, object] = {"reason": reason, "further": True} if further else {"reason": reason}
    try:
        reply = asking.link.post(f"/api/v1/tasks/{segment(task)}/rollback", body)
    except ServerRefusal as refusal:
        if refusal.problem.code != "nothing_to_do":
            raise
        note(refusal.problem.message)
        if refusal.problem.hint:
            note(refusal.problem.hint)
        return
    show_committed(asking, reply)
