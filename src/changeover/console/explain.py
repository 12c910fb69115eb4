"""``changeover task explain``: why a request got its version, and where a unit goes."""

import click

from changeover.console.asking import Asking, asks_server
from changeover.console.output import show
from changeover.console.server_link import segment
from changeover.console.taught import Taught


@click.command(
    cls=Taught,
    examples=(
        "changeover task explain email-summarisation --request 9f2c4e7a81d34b5c8e6f0a1b2c3d4e5f",
        "changeover task explain email-summarisation --unit conversation-4711",
        "changeover task explain email-summarisation --unit conversation-4711 --request 9f2c4e7a81d34b5c8e6f0a1b2c3d4e5f",
    ),
)
@click.argument("name", metavar="TASK")
@click.option("--request", "request_id", metavar="ID", help="Why this request got its version; its id came in x-changeover-request-id.")
@click.option("--unit", metavar="UNIT", help="Where this conversation, user or document goes, as the application names it.")
@asks_server
def explain(asking: Asking, name: str, request_id: str | None, unit: str | None) -> None:
    """Say why a request of TASK was served as it was, or where a unit is served.

    A request: the table it was served from, who set the weight and why, the unit and its place against the weight, the side
    drawn, and why another than the assigned deployment answered, if one did. The draw is done once more from
    the same numbers, and said to agree or not. A unit's id is stored hashed alone; with --unit beside --request the draw
    of a named unit can be repeated too.
    """
    if not request_id and not unit:
        raise click.UsageError("found neither --request nor --unit, expected at least one of them")
    path = f"/api/v1/tasks/{segment(name)}/explain"
    if request_id:
        from changeover.api.explain_answers import RequestExplained
        from changeover.console.render_explain import render_request

        reply = asking.link.get(path, request=request_id, **({"unit": unit} if unit else {}))
        show(reply, RequestExplained, render=render_request, output=asking.output)
    else:
        from changeover.api.explain_answers import UnitExplained
        from changeover.console.render_explain import render_unit

        show(asking.link.get(path, unit=str(unit)), UnitExplained, render=render_unit, output=asking.output)
