"""The control plane's HTTP app: which call goes where, who is let in, and how every failure is answered."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ExceptionHandler

from changeover.api import (
    affected,
    alerts,
    audit,
    commanding,
    event_stream,
    evidence,
    explaining,
    forecasting,
    going_on,
    history,
    inventory,
    keys,
    metrics,
    planning,
    reading,
    rolling,
    scores,
    served,
    tokens,
    watching,
)
from changeover.api import planes as plane_calls
from changeover.api.closing import closing_of
from changeover.api.desk import Desk, desk_of
from changeover.api.entrance import Door, Entrance
from changeover.api.errors import ApiError, answer, error_answer, invalid
from changeover.api.problem import Problem
from changeover.api.unread_scores import UnreadScores
from changeover.ports.alerts import AlertDesk
from changeover.ports.clock import Clock
from changeover.ports.dice import Dice
from changeover.ports.mint import Mint
from changeover.ports.office import Assessor, Office
from changeover.ports.prices import PriceBook
from changeover.ports.probing import Preflighter
from changeover.ports.store import StoreError
from changeover.rollout.refusal import NothingToDo, Refusal
from changeover.rollout.token_ring import TokenEntry
from changeover.settings.declared import Declared, SettingsError

_STATUS_BY_REFUSAL: Final = {"not_found": 404, "conflict": 409, "invalid": 422, "stale": 409, "not_allowed": 403}


def build_app(  # noqa: PLR0913  one argument a port
    *,
    office: Office,
    assessor: Assessor,
    clock: Clock,
    dice: Dice,
    declared: Callable[[], Declared],
    gateway_url: Callable[[], str | None],
    token: str | None = None,
    planes: bool = True,
    prices: PriceBook | None = None,
    mint: Mint | None = None,
    preflight: Preflighter | None = None,
    unread: UnreadScores | None = None,
    plane_token: str | None = None,
    public: bool = False,
    read_only: bool = False,
    alert_desk: AlertDesk | None = None,
) -> Starlette:
    """The app for one listener. The ports are those of `Desk`.

    ``token`` is ``None`` for a Unix socket, whose file mode is its guard; a TCP port needs one. The data planes' calls
    are there only with ``planes``, those about keys and tokens only with a ``mint`` for their secrets. ``plane_token``,
    ``public`` and ``read_only`` are the `Door`'s.
    """
    assert token is None or len(token) >= TOKEN_CHARACTERS_MIN, "a guessable token is none"
    routes: list[BaseRoute] = [
        *_HEALTH,
        *metrics.ROUTES,
        *inventory.ROUTES,
        *reading.ROUTES,
        *served.ROUTES,
        *affected.ROUTES,
        *event_stream.ROUTES,
        *explaining.ROUTES,
        *watching.ROUTES,
        *history.ROUTES,
        *evidence.ROUTES,
        *audit.ROUTES,
        *commanding.ROUTES,
        *rolling.ROUTES,
        *going_on.ROUTES,
        *scores.ROUTES,
        *forecasting.ROUTES,
        *planning.ROUTES,
        *alerts.ROUTES,
    ]
    routes += plane_calls.ROUTES if planes else ()
    routes += () if mint is None else (*keys.routes_for(mint), *tokens.routes_for(mint))
    door = Door(
        token=token,
        plane_token=plane_token,
        public=public,
        read_only=read_only and token is not None,
        way_round=f"Use another control plane, or the machine of this one: {_READ_ONLY_WAY}",
    )
    entrance = Middleware(Entrance, door=door, tokens=partial(_tokens, office), clock=clock)
    app = Starlette(routes=routes, middleware=[entrance], exception_handlers=_HANDLERS)
    app.router.redirect_slashes = False
    app.state.desk = Desk(
        office=office,
        assessor=assessor,
        clock=clock,
        dice=dice,
        declared=declared,
        gateway_url=gateway_url,
        prices=prices,
        preflight=preflight,
        unread=unread or UnreadScores(),
        alerts=alert_desk,
    )
    return app


async def _tokens(office: Office) -> Mapping[str, TokenEntry]:
    world = await office.read(lambda store: store.world())
    return world.tokens


_READ_ONLY_WAY: Final = "there changeover without --url does everything, a rollback too"


TOKEN_CHARACTERS_MIN: Final = 16


async def healthz(_: Request) -> Response:
    """The process is there."""
    return answer({"status": "ok"})


async def readyz(request: Request) -> Response:
    """It can do its work: the store answers, and it is not about to stop."""
    if closing_of(request.app).is_set():
        return answer({"status": "stopping"}, status=503)
    world = await desk_of(request).office.read(lambda store: store.world())
    return answer({"status": "ready", "revision": world.revision})


_HEALTH: Final = (Route("/healthz", healthz, methods=["GET"]), Route("/readyz", readyz, methods=["GET"]))


async def _on_api_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error_answer(error)


async def _on_refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    code = "nothing_to_do" if isinstance(error, NothingToDo) else error.code
    return error_answer(ApiError(_STATUS_BY_REFUSAL[error.code], Problem(code=code, message=error.message, hint=error.hint)))


async def _on_left(_: Request, error: Exception) -> Response:
    """Whoever asked is gone, such as a data plane that stops in the middle of a call. Nobody reads this."""
    hint = f"send the whole body ({type(error).__name__})"
    return error_answer(ApiError(400, Problem(code="bad_request", message="the request broke off", hint=hint)))


async def _on_settings_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, SettingsError)
    return error_answer(invalid("changeover.yaml cannot be used", hint="see all of it: changeover check", faults=error.faults))


async def _on_store_error(_: Request, error: Exception) -> Response:
    """Nothing was changed: a store that fails commits nothing."""
    problem = Problem(code="store", message=f"the store failed: {error}", hint="look at the server's log and the disk, then ask again")
    return error_answer(ApiError(503, problem))


async def _on_http_error(request: Request, error: Exception) -> Response:
    """No such path, or not with this method."""
    assert isinstance(error, HTTPException)
    hint = "the calls of this server are under /api/v1"
    problem = Problem(code="not_found", message=f"found no call {request.method} {request.url.path}", hint=hint)
    return error_answer(ApiError(error.status_code, problem))


async def _on_bug(_: Request, error: Exception) -> Response:
    """Whatever was not foreseen: the log gets the trace, the caller does not."""
    hint = f"the server's log says more ({type(error).__name__})"
    return error_answer(ApiError(500, Problem(code="internal", message="the server failed on this call", hint=hint)))


_HANDLERS: Final[dict[object, ExceptionHandler]] = {
    ApiError: _on_api_error,
    Refusal: _on_refusal,
    SettingsError: _on_settings_error,
    StoreError: _on_store_error,
    HTTPException: _on_http_error,
    ClientDisconnect: _on_left,
    Exception: _on_bug,
}
