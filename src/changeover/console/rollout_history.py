"""``changeover rollout history``: every attempt, how it ended, by whose word and why."""

import click

from changeover.console.asking import Asking, asks_server
from changeover.console.output import show
from changeover.console.taught import Taught


@click.command(
    cls=Taught,
    examples=(
        "changeover rollout history",
        "changeover rollout history email-summarisation",
        "changeover rollout history email-summarisation -o json | jq '.attempts[].outcome'",
    ),
)
@click.argument("task", required=False)
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="No more than so many, the newest.")
@asks_server
def history(asking: Asking, task: str | None, limit: int) -> None:
    """List the attempts to move TASK, or all tasks; those under way first.

    Each with its pair and plan, when it began and ended, how and why, by whose word, how much the candidate had at most, and of one
    task how many units were drawn for each side.
    """
    from changeover.api.history_answers import HistoryAnswer
    from changeover.console.render_history import render_history

    asked = {} if task is None else {"task": task}
    show(asking.link.get("/api/v1/history", limit=limit, **asked), HistoryAnswer, render=render_history, output=asking.output)
