"""What the operators' calls answer with. The command line decodes the same shapes; fields are only ever added."""

from typing import Literal

import msgspec

from changeover.gates.verdict import Assessment
from changeover.ports.planes import Dropped
from changeover.rollout.preflight import Preflight
from changeover.rollout.sighting import Drift
from changeover.rollout.state import Phase, Rollout
from changeover.rollout.world import ChangeBody

StepState = Literal["done", "current", "to_come"]


class PlaneView(msgspec.Struct, frozen=True, kw_only=True):
    """A data plane as the control plane last heard of it. ``behind``: it serves from an older table than the present."""

    plane: str
    acknowledged_revision: int
    behind: bool
    silent: bool
    seen_at: float
    dropped: Dropped
    lost: int


class RolloutBrief(msgspec.Struct, frozen=True, kw_only=True):
    """A rollout in one line. ``step`` counts from 1; ``what`` says what that step does."""

    id: str
    candidate: str
    phase: Phase
    step: int
    steps: int
    what: str
    percent: float
    acknowledged: bool
    reason: str


class TaskView(msgspec.Struct, frozen=True, kw_only=True):
    """How one task is served.

    ``percent`` is the candidate's weight as committed; ``acknowledged`` whether every live data plane serves it, and
    ``waiting_for`` names those that do not yet. ``rollout`` is the active one, else the latest.
    """

    name: str
    stable: str
    candidate: str | None
    percent: float
    acknowledged: bool
    waiting_for: tuple[str, ...]
    failover: tuple[str, ...]
    sticky_by: tuple[str, ...]
    blocked: tuple[tuple[str, str], ...]
    rollout: RolloutBrief | None


class UnreadSource(msgspec.Struct, frozen=True, kw_only=True):
    """Scores that no criterion reads: ``count`` of them were sent by ``scorer`` under ``name`` since the server's start.
    ``task`` is ``None`` where their requests had not been seen yet.
    """

    task: str | None
    name: str
    scorer: str
    count: int

    @property
    def sentence(self) -> str:
        about = f"task {self.task}" if self.task else "requests not seen yet"
        return f"{self.count} scores named {self.name!r} by {self.scorer} for {about} are read by no criterion"


class StatusAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of it. Times are Unix seconds. ``drifts`` are those that contradict the pins as they are now."""

    revision: int
    table_revision: int
    now: float
    gateway: str | None
    tasks: tuple[TaskView, ...]
    planes: tuple[PlaneView, ...]
    drifts: tuple[Drift, ...] = ()
    unread_scores: tuple[UnreadSource, ...] = ()


class TasksAnswer(msgspec.Struct, frozen=True, kw_only=True):
    tasks: tuple[TaskView, ...]


class CommittedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A command was carried out: it made ``revision``. ``task`` is as it stands now. ``said`` tells what a word that moves no
    weight by itself did, and what the rollout waits for still.
    """

    revision: int
    table_revision: int
    task: TaskView
    said: str = ""


class StartedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A rollout was started. ``left_out`` says, by criterion, why it is not asked; ``preflight`` how its candidate was tried.

    ``warnings`` say in what the two sides differ that may decide criteria in the version's place.
    """

    revision: int
    rollout: Rollout
    left_out: dict[str, str]
    preflight: Preflight | None = None
    warnings: tuple[str, ...] = ()


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a plan; ``number`` counts from 1."""

    number: int
    what: str
    state: StepState


class RolloutsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Those under way first, then newest first."""

    rollouts: tuple[Rollout, ...]


class RolloutAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One rollout with its steps and what its evidence says now (or said last, when it is over).

    ``unmet`` says why the present analysis holds: each reason with value, comparator and limit.
    """

    rollout: Rollout
    steps: tuple[StepView, ...]
    unmet: tuple[str, ...]
    waiting_for: tuple[str, ...]
    assessment: Assessment


class CompareAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A task's active or latest rollout and its evidence. The models are the versions behind the two deployments.

    ``warnings`` say in what the two sides differ besides their versions: a comparison compares that too.
    """

    rollout: Rollout
    active: bool
    stable_model: str | None
    candidate_model: str | None
    assessment: Assessment
    warnings: tuple[str, ...] = ()


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the log. ``task`` is ``None`` for an event that is about all of them."""

    revision: int
    at: float
    actor: str
    reason: str
    task: str | None
    change: ChangeBody


class EventsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Events, oldest first. Ask again with ``after=next`` for what follows."""

    events: tuple[EventView, ...]
    next: int


class ScoresAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``taken`` scores were valid; ``new`` of them had not been seen before. ``unread`` of them are read by no criterion, which
    ``warnings`` say by name: a misspelt one would be missed by nobody.
    """

    taken: int
    new: int
    unread: int = 0
    warnings: tuple[str, ...] = ()


class TakenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a batch or an acknowledgement was stored now (false: the batch had been before)."""

    taken: bool
