"""What does a rollout that is decided still wait for? Data planes that must know, and the time that an old version is kept."""

from collections.abc import Sequence

from changeover.ports.planes import PlaneState
from changeover.rollout.state import Acknowledged, Event, Phase, RetentionPassed, Rollout


def acknowledged(planes: Sequence[PlaneState], revision: int, now: float) -> bool:
    """Whether every data plane that is not silent serves from ``revision`` or a later table; never with none."""
    live = [plane for plane in planes if not plane.is_silent(now)]
    return bool(live) and all(plane.acknowledged_revision >= revision for plane in live)


def acknowledgement(planes: Sequence[PlaneState], revision: int, now: float) -> Acknowledged | None:
    """``None`` while a live data plane serves from an older table, or there is none. Silent ones that may do so are named."""
    if not acknowledged(planes, revision, now):
        return None
    return Acknowledged(silent=tuple(plane.plane for plane in planes if plane.is_silent(now) and plane.acknowledged_revision < revision))


def next_event(rollout: Rollout, planes: Sequence[PlaneState], *, revision: int, now: float) -> Event | None:
    """What a rollout that is over may be told at ``now``, with the table at ``revision``; ``None`` where it waits for nothing."""
    match rollout.progress.phase:
        case Phase.ROLLING_BACK | Phase.RETIRING:
            return acknowledgement(planes, revision, now)
        case Phase.COMPLETED:
            retain_s = rollout.plan.retain_s
            kept_s = now - (rollout.progress.finished_at or now)
            return None if retain_s is None or kept_s < retain_s else RetentionPassed()
        case _:
            return None
