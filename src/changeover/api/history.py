"""Which attempts were made, how did each end, by whose word and why? The log, read for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from msgspec import structs
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from changeover.api.bodies import whole_number
from changeover.api.desk import Desk, desk_of
from changeover.api.errors import answer
from changeover.api.history_answers import AttemptView, HistoryAnswer, Outcome
from changeover.api.reading import task_named
from changeover.api.views import step_views
from changeover.ports.store import Store
from changeover.rollout.state import Rollout
from changeover.rollout.world import Change, PromotionUndone, RolloutMoved, RolloutStarted

PAGE: Final = 500
ATTEMPTS_DEFAULT: Final = 50
ATTEMPTS_MAX: Final = 500
ATTEMPTS_COUNTED: Final = 20
"""Of so many attempts, the newest, units are counted: their evidence is read for that."""


@dataclass(slots=True, kw_only=True)
class _Told:
    """What the log says of one rollout."""

    started: Change | None = None
    decided: Change | None = None
    undone: Change | None = None
    permille_max: int = 0
    moves: int = 0


async def history(request: Request) -> Response:
    """``?task=`` asks for one task's attempts, with their units; ``?limit=`` for no more than so many."""
    desk, task = desk_of(request), request.query_params.get("task")
    limit = max(1, whole_number(request, "limit", default=ATTEMPTS_DEFAULT, most=ATTEMPTS_MAX))
    world = await desk.office.read(lambda store: store.world())
    if task is not None:
        task_named(world, task)
    asked = [rollout for rollout in world.rollouts.values() if task in (None, rollout.task)]
    asked.sort(key=lambda rollout: (not rollout.progress.phase.is_over, rollout.started_at, rollout.attempt), reverse=True)
    told = await _read_log(desk, world.revision)
    now = desk.clock.now()
    views = [_view(rollout, told.get(rollout.id, _Told()), now=now) for rollout in asked[:limit]]
    if task is not None:
        views = [await _counted(desk, rollout, view, number) for number, (rollout, view) in enumerate(zip(asked, views, strict=False))]
    return answer(HistoryAnswer(attempts=tuple(views), cut=len(asked) > limit))


async def _read_log(desk: Desk, until: int) -> dict[str, _Told]:
    """Page by page, so that others get their turn in between."""
    told, after = dict[str, _Told](), 0
    while after < until:
        page = await desk.office.read(lambda store, after=after: _page(store, after))
        if not page:
            break
        for change in page:
            _take(told, change)
        after = page[-1].revision
    return told


def _page(store: Store, after: int) -> Sequence[Change]:
    return store.changes(after=after, limit=PAGE)


def _take(told: dict[str, _Told], change: Change) -> None:
    match change.body:
        case RolloutStarted(rollout=rollout):
            told[rollout.id] = _Told(started=change, permille_max=rollout.progress.permille)
        case RolloutMoved(rollout=identity, progress=progress):
            found = told.setdefault(identity, _Told())
            found.permille_max = max(found.permille_max, progress.permille)
            found.moves += 1
            if progress.finished_at is not None and (found.decided is None or progress.phase.value == "rolling_back"):
                found.decided = change  # a promoted one that is rolled back is decided anew
        case PromotionUndone(rollout=identity):
            told.setdefault(identity, _Told()).undone = change
        case _:
            return


def _view(rollout: Rollout, told: _Told, *, now: float) -> AttemptView:
    progress, start, end = rollout.progress, told.started, told.undone or told.decided
    finished_at = progress.finished_at if end is None else end.at
    return AttemptView(
        id=rollout.id,
        task=rollout.task,
        attempt=rollout.attempt,
        stable=rollout.stable,
        candidate=rollout.candidate,
        plan=tuple(step.what for step in step_views(rollout)),
        strategy=rollout.plan.strategy,
        phase=progress.phase,
        outcome=_outcome(rollout, undone=told.undone is not None),
        started_at=rollout.started_at,
        started_by=rollout.started_by or ("" if start is None else start.actor),
        start_reason="" if start is None else start.reason,
        finished_at=finished_at,
        duration_s=(now if finished_at is None else finished_at) - rollout.started_at,
        decided_by="" if end is None else end.actor,
        why=progress.reason if end is None else end.reason,
        percent_max=max(told.permille_max, progress.permille) / 10,
        moves=told.moves,
        retry_of=rollout.retry_of,
    )


def _outcome(rollout: Rollout, *, undone: bool) -> Outcome:
    phase = rollout.progress.phase
    if phase.value in ("rolling_back", "rolled_back"):
        return "promotion undone" if rollout.progress.was_promoted else "rolled back"
    if phase.is_promoted or phase.value == "retired":
        return "promotion undone" if undone else "promoted"
    return "given up" if phase.is_over else "under way"


async def _counted(desk: Desk, rollout: Rollout, view: AttemptView, number: int) -> AttemptView:
    if number >= ATTEMPTS_COUNTED:
        return view
    found = (await desk.assessor.assess(rollout)).sample_ratio
    return structs.replace(view, units_stable=found.stable, units_candidate=found.candidate)


ROUTES: Final = (Route("/api/v1/history", history, methods=["GET"]),)
