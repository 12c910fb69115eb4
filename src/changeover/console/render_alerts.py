"""How do destinations of alerts look? Pure."""

from typing import Final

from rich.console import Group, RenderableType

from changeover.api.alert_answers import AlertsAnswer, TriedAnswer
from changeover.console import words
from changeover.console.tables import cell, plain_table

_NONE = "no destinations: alerts stand in the server's log alone. Name some under alerts in the settings file"
_SINCE: Final = "delivered and given up are counted since the server's start; every alert stands in its log"


def render_alerts(answer: AlertsAnswer) -> RenderableType:
    if not answer.destinations:
        return cell(_NONE)
    table = plain_table(
        "destination", "hears of", "delivered", "waiting", "given up", "last problem", right=("delivered", "waiting", "given up")
    )
    for each in answer.destinations:
        table.add_row(
            cell(each.name, "bold"),
            cell(", ".join(each.topics)),
            cell(str(each.delivered)),
            cell(str(each.waiting), "yellow" if each.waiting else ""),
            cell(str(each.given_up), "red" if each.given_up else ""),
            cell(each.problem or words.NOTHING),
        )
    return Group(table, cell(_SINCE, "dim"))


def render_tried(answer: TriedAnswer) -> RenderableType:
    if not answer.results:
        return cell(_NONE)
    table = plain_table("destination", "result")
    for each in answer.results:
        table.add_row(cell(each.name, "bold"), cell(each.problem or "delivered", "red" if each.problem else "green"))
    return table
