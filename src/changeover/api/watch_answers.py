"""What the call for a picture of a rollout answers with: all that somebody who watches wants to see, of one moment."""

import msgspec

from changeover.api.answers import EventView, PlaneView, StepView
from changeover.gates.verdict import Assessment
from changeover.rollout.state import Rollout


class Pulse(msgspec.Struct, frozen=True, kw_only=True):
    """Requests a minute by assigned side, over ten seconds, or a minute where there is little traffic; ``None``: none was reported."""

    stable_per_minute: float | None
    candidate_per_minute: float | None


class PictureAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``now`` is Unix seconds. ``unmet`` says why it holds, each reason with value, comparator and limit. ``events`` are the last
    ones of the task, oldest first. A plane that is ``behind`` serves another weight than the one that is set.
    """

    now: float
    rollout: Rollout
    steps: tuple[StepView, ...]
    unmet: tuple[str, ...]
    table_revision: int
    planes: tuple[PlaneView, ...]
    assessment: Assessment
    pulse: Pulse
    events: tuple[EventView, ...]
