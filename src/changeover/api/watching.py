"""How does a rollout look right now? Everything that moves, read in one call, so that the parts belong together."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from changeover.api.answers import EventView
from changeover.api.desk import desk_of
from changeover.api.errors import answer
from changeover.api.reading import event_view, rollout_named, world_and_planes
from changeover.api.views import event_task, status_view, step_views, unmet_reasons
from changeover.api.watch_answers import PictureAnswer, Pulse
from changeover.exchange.observation import Observation
from changeover.ports.store import Store
from changeover.rollout.state import Rollout
from changeover.rollout.world import World
from changeover.traffic.table import Side

PULSES_S: Final = (10.0, 60.0)
REPORTED_S: Final = 2.0
"""What began later may not have been reported yet."""
ROWS_ENOUGH: Final = 100
ROWS_PER_PULSE: Final = 1000
"""Requests that a pulse is taken from, at most: with more traffic a part of the time is enough."""
EVENTS_TOLD: Final = 8
EVENTS_LOOKED_AT: Final = 200
"""So far back events of the task are looked for; others' may lie in between."""


async def picture(request: Request) -> Response:
    desk = desk_of(request)
    now = desk.clock.now()
    world, planes = await desk.office.read(world_and_planes)
    found = rollout_named(world, request.path_params["rollout"])
    assessment = await desk.assessor.assess(found)
    pulse, events = await desk.office.read(lambda store: (_pulse(store, found, now), _events(store, world, found.task)))
    return answer(
        PictureAnswer(
            now=now,
            rollout=found,
            steps=step_views(found),
            unmet=unmet_reasons(found, assessment),
            table_revision=world.table_revision,
            planes=status_view(world, planes, now=now, gateway=None).planes,
            assessment=assessment,
            pulse=pulse,
            events=events,
        )
    )


def _pulse(store: Store, rollout: Rollout, now: float) -> Pulse:
    """Of the last seconds where there is traffic enough, else of the last minute."""
    until, rows, over_s = now - REPORTED_S, list[Observation](), PULSES_S[-1]
    for over_s in PULSES_S:
        found = store.first_rows(task=rollout.task, attempt=rollout.attempt, since=until - over_s, until=until, most=ROWS_PER_PULSE)
        rows = list(found)
        if len(rows) >= ROWS_ENOUGH:
            break
    if not rows:
        return Pulse(stable_per_minute=None, candidate_per_minute=None)
    seen_s = rows[-1].started_at - rows[0].started_at if len(rows) == ROWS_PER_PULSE else over_s
    per_minute = 60.0 / max(seen_s, 1e-3)
    candidate = sum(row.side is Side.CANDIDATE for row in rows)
    return Pulse(stable_per_minute=(len(rows) - candidate) * per_minute, candidate_per_minute=candidate * per_minute)


def _events(store: Store, world: World, task: str) -> tuple[EventView, ...]:
    changes = store.changes(after=max(0, world.revision - EVENTS_LOOKED_AT), limit=EVENTS_LOOKED_AT)
    found = [event_view(change, task) for change in changes if change.revision <= world.revision and event_task(world, change) == task]
    return tuple(found[-EVENTS_TOLD:])


ROUTES: Final = (Route("/api/v1/rollouts/{rollout}/picture", picture, methods=["GET"]),)
