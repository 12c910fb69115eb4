"""The state of one rollout, and the events and commands of its machine."""

from enum import StrEnum
from typing import Literal

import msgspec

from changeover.gates.verdict import Assessment
from changeover.rollout.plan import Plan


class Phase(StrEnum):
    """Where a rollout is. ROLLED_BACK and COMPLETED absorb."""

    RUNNING = "running"
    PAUSED = "paused"
    ROLLED_BACK = "rolled_back"
    COMPLETED = "completed"

    @property
    def is_final(self) -> bool:
        return self in (Phase.ROLLED_BACK, Phase.COMPLETED)


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a rollout that moves.

    ``step`` indexes the plan's steps (-1 before the first is taken, never committed). ``permille`` is the candidate's
    weight as committed, ``weight_set_at`` when it was, and ``acknowledged_at`` when every live data plane had taken it
    up, ``None`` until then. ``step_entered_at`` starts the clock of an analysis. ``passed`` names the criteria whose pass
    is latched.
    """

    phase: Phase
    step: int
    permille: int
    weight_set_at: float
    step_entered_at: float
    acknowledged_at: float | None = None
    passed: tuple[str, ...] = ()
    reason: str = ""
    finished_at: float | None = None


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to move one task from its stable to a candidate, by steps. Pools: see ``traffic.table.Route``."""

    id: str
    task: str
    attempt: int
    salt: str
    stable: str
    candidate: str
    candidate_pool: tuple[str, ...] = ()
    stable_pool: tuple[str, ...] = ()
    plan: Plan
    started_at: float
    progress: Progress


# Events: what may happen to a rollout.


class Started(msgspec.Struct, frozen=True, tag="started"):
    """The first event: take the first step."""


class Acknowledged(msgspec.Struct, frozen=True, tag="acknowledged"):
    """Every live data plane serves from a table with the present weight."""


class Assessed(msgspec.Struct, frozen=True, tag="assessed"):
    """The evidence was looked at."""

    assessment: Assessment


class RollBack(msgspec.Struct, frozen=True, tag="roll_back"):
    """Somebody or something wants all traffic on the stable, now."""

    reason: str


class Pause(msgspec.Struct, frozen=True, tag="pause"):
    reason: str


class Resume(msgspec.Struct, frozen=True, tag="resume"):
    """Go on from where it was paused; nothing already seen is forgotten."""


Event = Started | Acknowledged | Assessed | RollBack | Pause | Resume


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A side effect the outer rooms owe: publish the new table, tell people.

    ``subject`` is the task. ``topic`` is what an alert is about: started, paused, rolled_back, completed, undone, drift or
    retirement.
    """

    kind: Literal["publish_table", "alert"]
    subject: str
    text: str = ""
    topic: str = ""
