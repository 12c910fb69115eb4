"""Commands that look: status, compare, events."""

from threading import Event
from typing import Final, cast

import click
import msgspec

from changeover.api.answers import CompareAnswer, EventsAnswer, StatusAnswer
from changeover.api.served_answers import ServedAnswer
from changeover.console.asking import Asking, asks_server, takes_where
from changeover.console.output import Format, show
from changeover.console.server_link import Where, open_link, segment
from changeover.console.taught import Taught
from changeover.console.time_span import TimeSpan, time_span

WATCH_EVERY_S: Final = 2.0
EVENTS_PAGE: Final = 1000
COMPARE_FORMATS: Final = ("table", "json", "yaml", "markdown", "html")


@click.command(
    cls=Taught,
    examples=(
        "changeover status",
        "changeover status -o json | jq .tasks",
    ),
)
@asks_server
def status(asking: Asking) -> None:
    """Show tasks, weights, rollouts and data planes."""
    from changeover.console.render_status import render_status

    show(asking.link.get("/api/v1/status"), StatusAnswer, render=render_status, output=asking.output)


@click.command(
    cls=Taught,
    examples=(
        "changeover compare email-summarisation",
        "changeover compare email-summarisation --watch",
        "changeover compare email-summarisation -o html | tee compare.html",
        "changeover compare email-summarisation --by served-model --over 14d",
    ),
)
@click.argument("task")
@click.option("--by", type=click.Choice(["served-model"]), help="The stable alone, before and after its provider changed the version.")
@click.option("--over", callback=time_span, metavar="SPAN", help="With --by: how far back (7d is usual), or FROM..TO as dates of UTC.")
@click.option("-w", "--watch", is_flag=True, help="Show it again every two seconds until the rollout is over.")
@click.option("-o", "--output", type=click.Choice(COMPARE_FORMATS), default="table", show_default=True, help="Form of the answer.")
@takes_where
def compare(where: Where, task: str, by: str | None, over: TimeSpan | None, watch: bool, output: str) -> None:
    """Compare stable and candidate of TASK's active or latest rollout.

    Every criterion shows both sides, the difference with its interval, the margin that was accepted, the
    verdict, and how far the evidence has come: log E over the threshold at which it decides.

    With --by served-model: what each version did that answered for TASK's stable, for when the provider changed it. That
    is not randomised: before and after.
    """
    if by is not None and watch:
        raise click.UsageError("--watch follows a rollout, and --by looks at the stable alone; expected one of them")
    if by is None and over is not None:
        raise click.UsageError("--over says how far back --by looks; expected --by served-model with it")
    pause = Event()
    with open_link(where) as link:
        if by is not None:
            _show_served(link.get(f"/api/v1/tasks/{segment(task)}/served", **({} if over is None else over.asked)), output)
            return
        while True:
            reply = link.get(f"/api/v1/tasks/{segment(task)}/compare")
            if watch and output == "table":
                click.clear()
            _show_comparison(reply, output)
            if not watch or not msgspec.json.decode(reply, type=CompareAnswer).active:
                return
            pause.wait(WATCH_EVERY_S)


def _show_comparison(reply: bytes, output: str) -> None:
    match output:
        case "markdown":
            from changeover.console.render_compare_markdown import markdown_of

            click.echo(markdown_of(msgspec.json.decode(reply, type=CompareAnswer)))
        case "html":
            from changeover.console.render_compare_html import html_of

            click.echo(html_of(msgspec.json.decode(reply, type=CompareAnswer)))
        case _:
            from changeover.console.render_compare import render_compare

            show(reply, CompareAnswer, render=render_compare, output=cast("Format", output))


def _show_served(reply: bytes, output: str) -> None:
    from changeover.console.render_served import render_served, served_html, served_markdown

    match output:
        case "markdown":
            click.echo(served_markdown(msgspec.json.decode(reply, type=ServedAnswer)))
        case "html":
            click.echo(served_html(msgspec.json.decode(reply, type=ServedAnswer)))
        case _:
            show(reply, ServedAnswer, render=render_served, output=cast("Format", output))


@click.command(
    cls=Taught,
    examples=(
        "changeover events --task email-summarisation",
        "changeover events --after 12 -o json",
    ),
)
@click.option("--task", help="Only events of this task (and those about all tasks).")
@click.option("--after", type=click.IntRange(min=0), default=0, help="Only events after this revision.")
@asks_server
def events(asking: Asking, task: str | None, after: int) -> None:
    """Read the log: what changed, when, by whom, why."""
    from changeover.console.render_events import render_events

    found = _all_events(asking, task, after)
    show(msgspec.json.encode(found), EventsAnswer, render=render_events, output=asking.output)


def _all_events(asking: Asking, task: str | None, after: int) -> EventsAnswer:
    """Every page of the log, as one."""
    about = {} if task is None else {"task": task}
    found = EventsAnswer(events=(), next=after)
    while True:
        page = msgspec.json.decode(asking.link.get("/api/v1/events", after=found.next, limit=EVENTS_PAGE, **about), type=EventsAnswer)
        found = EventsAnswer(events=(*found.events, *page.events), next=page.next)
        if len(page.events) < EVENTS_PAGE:
            return found
