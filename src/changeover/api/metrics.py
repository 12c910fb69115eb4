"""What does the control plane tell Prometheus? Rollouts, weights, verdicts and how far behind the evidence is."""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from changeover import __version__
from changeover.api.desk import Desk, desk_of
from changeover.api.views import task_views
from changeover.gates.verdict import Assessment, Decision, Level, Verdict
from changeover.ports.exposition import MEDIA_TYPE, Family, Sample, gauge, labels, render
from changeover.ports.planes import PlaneState
from changeover.ports.store import Store
from changeover.rollout.drift import standing_drifts
from changeover.rollout.state import Phase
from changeover.rollout.world import World

OWED_MAX: Final = 1_000
"""Owed side effects are counted up to here: beyond, more is no more news."""
PLANES_MAX: Final = 200
"""Data planes that are told one by one, those heard last; a fleet of containers leaves many behind."""


class Seen(NamedTuple):
    """What the store says at one moment."""

    world: World
    planes: Sequence[PlaneState]
    owed: int


async def metrics(request: Request) -> Response:
    """Every number is of this moment. Only names of the world are labels, so there are as many series as there is world."""
    desk = desk_of(request)
    seen = await desk.office.read(_seen)
    now = desk.clock.now()
    assessed = await _assessed(desk, seen.world)
    families = [*_server(seen), *_tasks(seen, now), *_verdicts(assessed), *_planes(seen.planes, seen.world.table_revision, now)]
    return Response(render(families), media_type=MEDIA_TYPE)


def _seen(store: Store) -> Seen:
    return Seen(store.world(), store.planes(), len(store.owed(OWED_MAX)))


async def _assessed(desk: Desk, world: World) -> dict[str, Assessment]:
    """By task, of the rollouts that are not over."""
    active = {task.name: world.rollouts[task.rollout] for task in world.tasks.values() if task.rollout is not None}
    return {name: await desk.assessor.assess(rollout) for name, rollout in sorted(active.items())}


def _server(seen: Seen) -> list[Family]:
    world = seen.world
    phases = Counter(rollout.progress.phase for rollout in world.rollouts.values())
    return [
        gauge("changeover_build_info", "1; the version that runs.", 1, labels(version=__version__)),
        gauge("changeover_revision", "Changes ever committed.", world.revision),
        gauge("changeover_table_revision", "Revision of the newest routing table.", world.table_revision),
        _gauges("changeover_rollouts", "Rollouts by phase.", [Sample(labels(phase=phase.value), phases[phase]) for phase in Phase]),
        gauge("changeover_outbox_owed", f"Side effects owed and not yet done, counted up to {OWED_MAX}.", seen.owed),
        gauge("changeover_drifts", "Deployments that are not what was pinned.", len(standing_drifts(world))),
    ]


def _tasks(seen: Seen, now: float) -> list[Family]:
    views = task_views(seen.world, seen.planes, now=now)
    set_to = [Sample(labels(task=view.name), view.percent) for view in views]
    actual = [Sample(labels(task=view.name), view.percent) for view in views if view.acknowledged]
    behind = [Sample(labels(task=view.name), len(view.waiting_for)) for view in views]
    return [
        _gauges("changeover_task_weight_set_percent", "The candidate's weight as committed.", set_to),
        _gauges("changeover_task_weight_actual_percent", "The same once every live data plane serves it; absent until then.", actual),
        _gauges("changeover_task_planes_behind", "Live data planes that do not serve the newest table yet.", behind),
    ]


def _verdicts(assessed: dict[str, Assessment]) -> list[Family]:
    """Of rollouts that are not over."""
    each = [(task, verdict) for task, assessment in assessed.items() for verdict in assessment.verdicts]
    decided = [sample for task, verdict in each for sample in _decided(task, verdict)]
    log_e, threshold = _levels(assessed, each)
    served = [Sample(labels(task=task), assessment.served_s) for task, assessment in assessed.items()]
    return [
        _gauges("changeover_verdict", "1 for the decision on a criterion, 0 for the others.", decided),
        _gauges("changeover_log_evidence", "Log of the evidence for passing, for harm, or for a wrong split.", log_e),
        _gauges("changeover_log_evidence_threshold", "What the log of the evidence must reach to decide.", threshold),
        _gauges("changeover_rollout_served_seconds", "Seconds served and ingested at the present, acknowledged weight.", served),
    ]


def _decided(task: str, verdict: Verdict) -> list[Sample]:
    return [
        Sample(labels(task=task, criterion=verdict.criterion, decision=decision.value), int(verdict.decision is decision))
        for decision in Decision
    ]


def _levels(assessed: dict[str, Assessment], each: list[tuple[str, Verdict]]) -> tuple[list[Sample], list[Sample]]:
    levels: list[tuple[str, str, str, Level]] = []
    for task, verdict in each:
        levels += [(task, verdict.criterion, "pass", verdict.to_pass), (task, verdict.criterion, "harm", verdict.to_trip)]
    levels += [(task, "sample_ratio", "alarm", assessment.sample_ratio.level) for task, assessment in assessed.items()]
    named = [(labels(task=task, criterion=criterion, test=test), level) for task, criterion, test, level in levels]
    return [Sample(at, level.log_e) for at, level in named], [Sample(at, level.threshold) for at, level in named]


def _planes(planes: Sequence[PlaneState], table_revision: int, now: float) -> list[Family]:
    live = [plane for plane in planes if not plane.is_silent(now)]
    behind = sum(plane.acknowledged_revision < table_revision for plane in live)
    states = (("ok", len(live) - behind), ("behind", behind), ("silent", len(planes) - len(live)))
    told = sorted(planes, key=lambda plane: plane.seen_at, reverse=True)[:PLANES_MAX]
    silent = [Sample(labels(plane=plane.plane), int(plane.is_silent(now))) for plane in told]
    heard = [Sample(labels(plane=plane.plane), max(0.0, now - plane.seen_at)) for plane in told]
    families = [
        _gauges("changeover_planes", "Data planes by state.", [Sample(labels(state=state), count) for state, count in states]),
        _gauges("changeover_plane_silent", "1 when nothing was heard of it for 60 s.", silent),
        _gauges("changeover_plane_heard_seconds", "Since it was last heard of.", heard),
    ]
    if live:
        lag_s = max(0.0, now - min(plane.watermark_at for plane in live))
        families.append(gauge("changeover_evidence_lag_seconds", "How far evidence is behind now, at the slowest live data plane.", lag_s))
    return families


def _gauges(name: str, text: str, samples: Sequence[Sample]) -> Family:
    return Family(name=name, kind="gauge", help=text, samples=tuple(samples))


ROUTES: Final = (Route("/metrics", metrics, methods=["GET"]),)
