"""``changeover alerts``: who is told, and does it arrive?"""

import sys
from typing import Final

import click
import msgspec

from changeover.api.alert_answers import AlertsAnswer, TriedAnswer
from changeover.console.asking import Asking, asks_server
from changeover.console.failure import ExitCode
from changeover.console.output import show
from changeover.console.taught import Taught

PATH: Final = "/api/v1/alerts"


@click.group()
def alerts() -> None:
    """Look at the destinations of alerts, and try them."""


@alerts.command("ls", cls=Taught, examples=("changeover alerts ls",))
@asks_server
def ls(asking: Asking) -> None:
    """List destinations: what each hears of, how many alerts wait for it, and why.

    Destinations stand in the settings file under alerts; an edit counts at once.
    """
    from changeover.console.render_alerts import render_alerts

    show(asking.link.get(PATH), AlertsAnswer, render=render_alerts, output=asking.output)


@alerts.command("test", cls=Taught, examples=("changeover alerts test",))
@asks_server
def test(asking: Asking) -> None:
    """Send every destination a message that says it is a test.

    Exits 1 when one did not take it.
    """
    from changeover.console.render_alerts import render_tried

    reply = asking.link.post(f"{PATH}/test", {})
    show(reply, TriedAnswer, render=render_tried, output=asking.output)
    if any(result.problem for result in msgspec.json.decode(reply, type=TriedAnswer).results):
        sys.exit(int(ExitCode.ERROR))
