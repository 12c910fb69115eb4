"""How does the state of a server look? Tasks with what is on trial, then the data planes. Pure."""

from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table

from changeover.api.answers import CommittedAnswer, PlaneView, RolloutBrief, StatusAnswer, TasksAnswer, TaskView
from changeover.console import words
from changeover.console.tables import cell, plain_table

PLANE_CHARACTERS: Final = 12
"""A data plane's name is 32 hexadecimal digits; its beginning tells planes apart."""


def render_status(status: StatusAnswer) -> RenderableType:
    gateway = _elsewhere(status) if status.gateway is None else f"gateway {status.gateway}"
    head = cell(f"revision {status.revision}, table {status.table_revision}, {gateway}")
    drifts = [cell(f"✖ drift since {words.moment(drift.seen_at)} UTC: {drift.sentence}", "red") for drift in status.drifts]
    unread = [cell(f"note: {source.sentence}", "yellow") for source in status.unread_scores]
    return Group(head, *drifts, *unread, cell(""), task_table(status.tasks), cell(""), plane_table(status))


def _elsewhere(status: StatusAnswer) -> str:
    """Gateways that this server did not start are known by what they report."""
    live = sum(not plane.silent for plane in status.planes)
    return f"{live} live data {'plane' if live == 1 else 'planes'}" if live else "no gateway is serving"


def render_tasks(answer: TasksAnswer) -> RenderableType:
    return task_table(answer.tasks)


def render_committed(answer: CommittedAnswer) -> RenderableType:
    return task_table((answer.task,))


def task_table(tasks: tuple[TaskView, ...]) -> RenderableType:
    if not tasks:
        return cell("no tasks: declare one in changeover.yaml, then start with an empty state directory")
    table = plain_table("task", "stable", "candidate", "weight", "rollout", "step", right=("weight",))
    for task in tasks:
        brief = task.rollout
        table.add_row(
            cell(task.name, "bold"),
            cell(task.stable),
            cell(task.candidate or words.NOTHING),
            cell(_weight(task)),
            cell("never" if brief is None else words.phase_words(brief.phase), "" if brief is None else words.phase_style(brief.phase)),
            cell("" if brief is None else f"{brief.step}/{brief.steps} {brief.what}"),
        )
    return Group(table, *(cell(line, "dim") for task in tasks for line in _notes(task)))


def plane_table(status: StatusAnswer) -> RenderableType:
    if not status.planes:
        return cell("no data plane has reported yet")
    table = plain_table("data plane", "serves table", "heard", "state", "observations lost", right=("serves table", "heard"))
    for plane in status.planes:
        _plane_row(table, plane, status)
    return table


def _plane_row(table: Table, plane: PlaneView, status: StatusAnswer) -> None:
    state = "silent" if plane.silent else "behind" if plane.behind else "ok"
    lost = plane.lost + plane.dropped.stable + plane.dropped.candidate + plane.dropped.unassigned
    table.add_row(
        cell(plane.plane[:PLANE_CHARACTERS]),
        cell(str(plane.acknowledged_revision)),
        cell(words.ago(status.now - plane.seen_at)),
        cell(state, "" if state == "ok" else "yellow"),
        cell(str(lost) if not lost else f"{lost} ({plane.lost} in crashes)", "yellow" if lost else ""),
    )


def _weight(task: TaskView) -> str:
    if task.candidate is None:
        return words.NOTHING
    return words.percent(task.percent) if task.acknowledged else f"{words.percent(task.percent)} (set)"


def _notes(task: TaskView) -> list[str]:
    """What no column has room for: why it stands where it stands, whom it waits for, what is blocked."""
    notes = [] if task.rollout is None else [_rollout_note(task.rollout)]
    if task.candidate is not None and task.waiting_for:
        notes.append(f"waiting for data planes: {', '.join(plane[:PLANE_CHARACTERS] for plane in task.waiting_for)}")
    notes += [
        f"blocked: {stable} -> {candidate} (to allow it again: changeover rollout release {task.name} --to {candidate})"
        for stable, candidate in task.blocked
    ]
    return [f"{task.name}: {note}" for note in notes]


def _rollout_note(brief: RolloutBrief) -> str:
    reason = f": {brief.reason}" if brief.reason else ""
    return f"rollout {brief.id} to {brief.candidate} {brief.phase.replace('_', ' ')}{reason}"
