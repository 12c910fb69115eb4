"""Whom does the API ask? The ports behind it, in one value that every handler finds on its app."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from starlette.requests import Request

from changeover.api.caller import caller_of
from changeover.api.task_guard import TaskGuard
from changeover.api.unread_scores import UnreadScores
from changeover.ports.alerts import AlertDesk
from changeover.ports.clock import Clock
from changeover.ports.dice import Dice
from changeover.ports.office import Assessor, Office
from changeover.ports.prices import PriceBook
from changeover.ports.probing import Preflighter
from changeover.settings.declared import Declared


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What an app needs.

    ``declared`` reads the file anew and raises `SettingsError`; ``gateway_url`` says where applications send their
    requests, ``None`` while nothing serves. Without ``prices`` no observation has a cost, without ``preflight`` no candidate
    is tried before it starts, without ``alerts`` nobody is told. ``unread`` counts scores that nobody reads, for all listeners together.
    """

    office: Office
    assessor: Assessor
    clock: Clock
    dice: Dice
    declared: Callable[[], Declared]
    gateway_url: Callable[[], str | None]
    prices: PriceBook | None = None
    preflight: Preflighter | None = None
    alerts: AlertDesk | None = None
    unread: UnreadScores = field(default_factory=UnreadScores)


def desk_of(request: Request) -> Desk:
    desk = request.app.state.desk
    assert isinstance(desk, Desk)
    token = caller_of(request).token
    return replace(desk, office=TaskGuard(desk.office, token)) if token is not None and token.tasks else desk
