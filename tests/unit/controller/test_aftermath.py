"""What a rollout that is decided still waits for."""

from collections.abc import Sequence

import msgspec

from changeover.controller.aftermath import acknowledgement, next_event
from changeover.ports.planes import PLANE_SILENT_S, PlaneState
from changeover.rollout.machine import advance
from changeover.rollout.state import Acknowledged, Phase, RetentionPassed, RollBack, Rollout
from tests.unit.rollout.builders import T0, baking, passing, walked

NOW = T0 + 1e6


def plane(name: str, revision: int, *, heard_s: float = 0.0) -> PlaneState:
    return PlaneState(plane=name, boot="b", acknowledged_revision=revision, seen_at=NOW - heard_s, watermark_at=NOW)


def event(rollout: Rollout, planes: Sequence[PlaneState], now: float = NOW) -> object:
    return next_event(rollout, planes, revision=7, now=now)


def test_a_rollback_waits_for_every_live_data_plane() -> None:
    going = advance(walked(2), RollBack(reason="x"), T0)[0]
    assert event(going, []) is None
    assert event(going, [plane("a", 7), plane("b", 6)]) is None
    assert event(going, [plane("a", 7), plane("b", 8)]) == Acknowledged()


def test_silent_ones_that_may_serve_an_older_table_are_named() -> None:
    silent = plane("gone", 6, heard_s=PLANE_SILENT_S + 1)
    knew = plane("told", 7, heard_s=PLANE_SILENT_S + 1)
    assert acknowledgement([plane("a", 7), silent, knew], 7, NOW) == Acknowledged(silent=("gone",))
    assert acknowledgement([silent], 7, NOW) is None


def test_what_is_promoted_waits_for_its_time_if_it_has_one() -> None:
    present = baking()
    promoted = advance(present, passing(present), NOW)[0]
    assert promoted.progress.phase is Phase.COMPLETED
    assert event(promoted, [], NOW + 3599.0) is None
    assert event(promoted, [], NOW + 3600.0) == RetentionPassed()
    assert event(walked(99), [], NOW * 2) is None


def test_what_runs_or_is_over_for_good_waits_for_nothing_here() -> None:
    over = walked(2)
    for phase in (Phase.ROLLED_BACK, Phase.RETIRED, Phase.SUPERSEDED, Phase.RUNNING):
        ended = msgspec.structs.replace(over, progress=msgspec.structs.replace(over.progress, phase=phase))
        assert event(ended, [plane("a", 7)]) is None
