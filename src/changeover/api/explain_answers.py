"""What the call that explains an assignment answers with. The command line reads it too; fields are only ever added."""

import msgspec

from changeover.exchange.observation import Outcome
from changeover.traffic.table import Side


class RouteChange(msgspec.Struct, frozen=True, kw_only=True):
    """The change that made a task's route what it was, and what it made of it. ``event`` is its tag, or that of the rollout's move.

    ``percent`` is the candidate's weight; ``rollout`` is ``None`` for a split by hand and while nothing is on trial.
    """

    revision: int
    at: float
    actor: str
    reason: str
    event: str
    attempt: int
    rollout: str | None
    stable: str
    candidate: str | None
    percent: float


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """A unit's place: it is the candidate's while ``position_percent`` is below the weight."""

    position_percent: float
    side: Side
    deployment: str


class RequestExplained(msgspec.Struct, frozen=True, kw_only=True):
    """Why one request got the version that it got, as reported by its data plane.

    ``revision`` is that of the routing table it was served from, ``weight`` the change that had set the task's route by then
    (``None``: the log does not go back so far). ``unit`` is hashed; ``unit_is`` says what it was: ``named`` by the caller (or one of
    ``sticky_by``), the ``request`` itself, that of the ``first_try`` which it repeats, or ``none`` where it was bound to a
    side. ``drawn`` is the draw done again, where the unit is known in clear, and ``agrees`` whether it comes to the same.
    """

    request_id: str
    task: str
    started_at: float
    outcome: Outcome
    status: int | None
    error: str | None
    revision: int
    attempt: int
    weight: RouteChange | None
    unit: str
    unit_is: str
    sticky_by: tuple[str, ...]
    side: Side | None
    candidate_probability: float
    forced: bool
    assigned: str | None
    served: str | None
    served_model: str | None
    attempts: int
    drawn: Drawn | None = None
    agrees: bool | None = None


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """From ``change`` on, a unit goes there."""

    change: RouteChange
    drawn: Drawn


class UnitExplained(msgspec.Struct, frozen=True, kw_only=True):
    """Where a unit goes now, and the changes that brought it from one deployment to another: the newest last.

    ``unit`` is its hash in the present attempt, as observations have it.
    """

    task: str
    unit: str
    attempt: int
    percent: float
    drawn: Drawn
    turns: tuple[Turn, ...]
