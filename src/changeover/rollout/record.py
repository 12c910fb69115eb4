"""What do people and the machine put on record of a rollout? Why it holds, who approved, who answers for an exception."""

from typing import Literal

import msgspec

HoldKind = Literal["manual", "step", "undecided", "sample_ratio", "configuration", "plan", "deadline", "verification", "provisioning"]


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Why a rollout is paused, as something that can be compared: ``value`` ``comparator`` ``limit``, each as people read it.

    ``kind``: manual (somebody paused), step (the plan says so), undecided (an analysis at its deadline), sample_ratio,
    configuration (the tests are not those of the evidence any more), plan (it may not promote), deadline (a date from outside),
    verification, provisioning.
    """

    kind: HoldKind
    value: str
    comparator: str
    limit: str

    @property
    def sentence(self) -> str:
        return f"{self.value} {self.comparator} {self.limit}"


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with ``role`` let the rollout go on past ``step`` (an index of the plan)."""

    step: int
    actor: str
    role: str
    reason: str
    at: float


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """``actor`` answers for going on at ``step`` without what ``gates`` ask: criteria of the plan, or a word of
    ``rollout.overriding``. It never covers a trip, the outage brake or a sample-ratio alarm.
    """

    step: int
    gates: tuple[str, ...]
    actor: str
    reason: str
    at: float


class Finishing(msgspec.Struct, frozen=True, kw_only=True):
    """``actor`` wants the rollout finished now: without what is left of dwells, pauses and bake. Every gate still needs its
    pass on evidence with a block of each weight in it, except those named here (``dwell``: without that block too).
    """

    gates: tuple[str, ...] = ()
    actor: str
    reason: str
    at: float
