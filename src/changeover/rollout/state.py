"""The state of one rollout, and the events and commands of its machine."""

from enum import StrEnum
from typing import Literal

import msgspec

from changeover.gates.verdict import Assessment
from changeover.rollout.plan import Plan
from changeover.rollout.record import Approval, Finishing, Hold, Override


class Phase(StrEnum):
    """Where a rollout is; docs/reference/rollout-states.md says what leads out of each.

    DRAFT (nothing done), PROVISIONING, VERIFYING (no traffic yet), RUNNING, PAUSED, BAKING (the last weight, not yet trusted),
    ROLLING_BACK (no traffic any more, not yet known everywhere), ROLLED_BACK; COMPLETED (promoted, the old one is kept),
    RETIRING (kept no longer, not yet known everywhere), RETIRED; SUPERSEDED (another attempt took its place), EXPIRED.
    """

    DRAFT = "draft"
    PROVISIONING = "provisioning"
    VERIFYING = "verifying"
    RUNNING = "running"
    PAUSED = "paused"
    BAKING = "baking"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    COMPLETED = "completed"
    RETIRING = "retiring"
    RETIRED = "retired"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"

    @property
    def is_over(self) -> bool:
        """The attempt is decided: the task is free, and nothing gives this rollout's candidate a share again."""
        return self.is_final or self is Phase.ROLLING_BACK

    @property
    def is_final(self) -> bool:
        """It is decided, and every live data plane knows so where that matters."""
        return self.absorbs or self.is_promoted

    @property
    def is_promoted(self) -> bool:
        """The candidate is trusted, and the old version is still the way back."""
        return self in (Phase.COMPLETED, Phase.RETIRING)

    @property
    def absorbs(self) -> bool:
        """No event changes it any more."""
        return self in (Phase.ROLLED_BACK, Phase.RETIRED, Phase.SUPERSEDED, Phase.EXPIRED)


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a rollout that moves.

    ``step`` indexes the plan's steps (-1 before the first is taken). ``permille`` is the candidate's
    weight as committed, ``weight_set_at`` when it was, and ``acknowledged_at`` when every live data plane had taken it
    up, ``None`` until then. ``step_entered_at`` starts the clock of a step, and of the bake. ``passed`` names the criteria whose
    pass is latched, ``verified`` those that evaluation has proven. ``finished_at`` is when the attempt was decided.

    A paused one says why in ``hold`` and where it goes on in ``paused_from``. ``cleared``: what the present step itself waits
    for (an approval, a word to go on) has come. ``finishing``: somebody asked to finish now. ``deadline_told``: the date from
    outside has passed, and people know. A rollback after promotion is told from others by ``was_promoted``.
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
    hold: Hold | None = None
    paused_from: Phase = Phase.RUNNING
    cleared: bool = False
    approvals: tuple[Approval, ...] = ()
    overrides: tuple[Override, ...] = ()
    finishing: Finishing | None = None
    verified: tuple[str, ...] = ()
    deadline_told: bool = False
    was_promoted: bool = False


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to move one task from its stable to a candidate, by steps. Pools: see ``traffic.table.Route``.

    ``started_by`` is empty for those that older versions started; ``retry_of`` names the attempt that this one repeats.
    """

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
    started_by: str = ""
    retry_of: str = ""


# Events: what may happen to a rollout.


class Started(msgspec.Struct, frozen=True, tag="started"):
    """The first event: take the first step."""


class Provisioned(msgspec.Struct, frozen=True, tag="provisioned"):
    """The candidate's deployments are there and answer."""


class ProvisionFailed(msgspec.Struct, frozen=True, tag="provision_failed"):
    """They could not be made."""

    reason: str


class Verified(msgspec.Struct, frozen=True, tag="verified"):
    """An evaluation on data sets has come to its verdicts."""

    assessment: Assessment


class Shadowed(msgspec.Struct, frozen=True, tag="shadowed"):
    """So many copies of requests have been answered by the candidate so far, and cost so much."""

    samples: int
    cost_usd: float


class Acknowledged(msgspec.Struct, frozen=True, tag="acknowledged"):
    """Every live data plane serves from the present table. ``silent`` names those that have not been heard of, and may not."""

    silent: tuple[str, ...] = ()


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


class Approved(msgspec.Struct, frozen=True, tag="approve"):
    """Somebody who may approves the step it stands on."""

    actor: str
    role: str
    reason: str = ""


class Overridden(msgspec.Struct, frozen=True, tag="override"):
    """Somebody answers for going on at the present step without what these gates ask."""

    gates: tuple[str, ...]
    actor: str
    reason: str


class Promote(msgspec.Struct, frozen=True, tag="promote"):
    """Somebody wants it finished now. ``gates`` are those that need no pass, on that person's word."""

    actor: str
    reason: str
    gates: tuple[str, ...] = ()


class Supersede(msgspec.Struct, frozen=True, tag="supersede"):
    """Another attempt takes its place."""

    by: str


class RetentionPassed(msgspec.Struct, frozen=True, tag="retention_passed"):
    """Time to see whether the old version has been kept long enough."""


Event = (
    Started
    | Provisioned
    | ProvisionFailed
    | Verified
    | Shadowed
    | Acknowledged
    | Assessed
    | RollBack
    | Pause
    | Resume
    | Approved
    | Overridden
    | Promote
    | Supersede
    | RetentionPassed
)


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A side effect the outer rooms owe: publish the new table, tell people.

    ``subject`` is the task. ``topic`` is what an alert is about: started, step, approval, paused, undecided, baking, rolled_back,
    completed, undone, retired, expired, drift or retirement.
    """

    kind: Literal["publish_table", "alert"]
    subject: str
    text: str = ""
    topic: str = ""
