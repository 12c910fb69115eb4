"""Who is told of what, and does it arrive?"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from changeover.api.alert_answers import AlertsAnswer, TriedAnswer
from changeover.api.bodies import actor_of, read_json
from changeover.api.commanding import PlainOrder
from changeover.api.desk import desk_of
from changeover.api.errors import answer


async def listing(request: Request) -> Response:
    """Every destination: what it hears of, and how it does. No address, no secret."""
    desk = desk_of(request)
    return answer(AlertsAnswer(destinations=() if desk.alerts is None else tuple(await desk.alerts.standing())))


async def test(request: Request) -> Response:
    """Send each destination a message that says it is a test, once, and tell what came of it."""
    await read_json(request, PlainOrder)
    desk = desk_of(request)
    tried = () if desk.alerts is None else tuple(await desk.alerts.test(actor=actor_of(request)))
    return answer(TriedAnswer(results=tried))


ROUTES: Final = (
    Route("/api/v1/alerts", listing, methods=["GET"]),
    Route("/api/v1/alerts/test", test, methods=["POST"]),
)
