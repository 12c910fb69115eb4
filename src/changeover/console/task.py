"""``changeover task``: list tasks, show one, split one by hand."""

import click

from changeover.api.answers import TasksAnswer
from changeover.console.asking import Asking, asks_server
from changeover.console.committed import show_committed
from changeover.console.explain import explain
from changeover.console.output import show
from changeover.console.server_link import segment
from changeover.console.taught import Taught
from changeover.console.weights import parse_weights


@click.group()
def task() -> None:
    """List tasks, show one, explain who serves what, and split one by hand."""


task.add_command(explain)


@task.command("ls", cls=Taught, examples=("changeover task ls",))
@asks_server
def ls(asking: Asking) -> None:
    """List tasks with their split."""
    from changeover.console.render_status import render_tasks

    show(asking.link.get("/api/v1/tasks"), TasksAnswer, render=render_tasks, output=asking.output)


@task.command("show", cls=Taught, examples=("changeover task show email-summarisation", "changeover task show email-summarisation -o yaml"))
@click.argument("name", metavar="TASK")
@asks_server
def show_one(asking: Asking, name: str) -> None:
    """Show TASK: its split, its rollout, and every deployment it names."""
    from changeover.api.inventory import TaskAnswer
    from changeover.console.render_inventory import render_task

    show(asking.link.get(f"/api/v1/tasks/{segment(name)}"), TaskAnswer, render=render_task, output=asking.output)


@task.command("split", cls=Taught, examples=("changeover task split email-summarisation gpt4o-prod-v1120=90 gpt4omini-prod-v0718=10",))
@click.argument("name", metavar="TASK")
@click.argument("weights", nargs=-1, metavar="[DEPLOYMENT=PERCENT]...")
@click.option("--weight", "more", multiple=True, metavar="DEPLOYMENT=PERCENT", help="The same as an argument; may be repeated.")
@click.option("--reason", default="", help="Why, for the log of events.")
@asks_server
def split(asking: Asking, name: str, weights: tuple[str, ...], more: tuple[str, ...], reason: str) -> None:
    """Split TASK by hand between its stable and one other deployment.

    Weights are in percent with at most one decimal and sum to 100; all for the stable removes the split.
    Refused while a rollout of the task is active.
    """
    body = {"weights": parse_weights((*weights, *more)), "reason": reason}
    show_committed(asking, asking.link.post(f"/api/v1/tasks/{segment(name)}/split", body))
