"""The control plane's memory. Only the control plane opens it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import msgspec

from changeover.evidence.score import Score
from changeover.exchange.observation import Observation
from changeover.ports.alerts import Delivery, Letter
from changeover.ports.lease import LeaseShelf
from changeover.ports.planes import Acknowledgement, Issuer, ObservationBatch, PlaneState, TaskShape
from changeover.rollout.audit_chain import Head, Link
from changeover.rollout.state import Command
from changeover.rollout.world import Change, Proposal, World
from changeover.wire.sent_shape import SentShape

ISSUERS_MAX: Final = 500_000
"""Responses of which it is kept who made them; of more, those reported first are forgotten."""
ISSUER_AGE_S: Final = 30 * 86_400.0
"""How long it is kept: so long providers keep a response, unless they are told otherwise."""
SHAPES_PER_TASK_MAX: Final = 40
"""Request shapes kept of one task, the newest."""


class StoreError(Exception):
    """The store cannot do what was asked: what was found, what was expected, what to do. Nothing was written by half."""


class UnsoundError(StoreError):
    """What is there is damaged, or was changed by something else, or is no store of ours."""


class LeaseLostError(StoreError):
    """Somebody else acts now: what was to be committed under an older epoch was not (rule I7)."""


class Mark(NamedTuple):
    """A place in the order of an attempt's requests, by when they began (Unix seconds) and then by id."""

    started_at: float
    request_id: str


def mark_of(observation: Observation) -> Mark:
    """Where a request stands."""
    return Mark(observation.started_at, observation.request_id)


class EvidenceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One assigned request of an attempt, with the value of the score asked for, if it has come."""

    observation: Observation
    score: float | None = None


class Ledger(Protocol):
    """Events and state, in one."""

    def world(self) -> World:
        """The present world; revision 0 when the store is empty."""
        ...

    def commit(self, decide: Callable[[World], Proposal], *, at: float, epoch: int | None = None) -> Change:
        """Ask ``decide`` for a change of the present world and commit it, with the world and the table it makes and the
        commands it owes, in one transaction that nothing can come between. It is on disk when this returns. What
        ``decide`` raises passes through and nothing is written. It touches nothing but what is named here: evidence that
        cannot be read stops no rollback.

        ``epoch`` is that of the controller's lease, for commits that need it; people's need none.

        Raises:
            LeaseLostError: ``epoch`` is not the present one.
        """
        ...

    def changes(self, *, after: int = 0, limit: int = 1000) -> Sequence[Change]:
        """The log, oldest first."""
        ...

    def links(self, *, after: int = 0, limit: int = 1000) -> Sequence[Link]:
        """The log as it is stored, oldest first, each change with its hash; nothing is decoded."""
        ...

    def head(self) -> Head:
        """Where the log ends, as the state says."""
        ...

    def verify(self) -> Sequence[str]:
        """Check the chain of hashes, replay all changes (rule I5), and name everything stored that disagrees with them; empty
        when all is well.
        """
        ...


class Outbox(Protocol):
    """Side effects that committed changes owe (rule I13). They are owed until done, so one may be tried twice."""

    def owed(self, limit: int) -> Sequence[tuple[int, Command]]:
        """The oldest ``limit`` commands not yet done, each with its identity, which is never used again."""
        ...

    def done(self, identity: int) -> None:
        """Settle a command. Settling one twice, or one that was never owed, does nothing."""
        ...

    def letters(self, limit: int) -> Sequence[Letter]:
        """The alerts among the oldest ``limit`` commands not yet done, each with the change that owes it and how far it came."""
        ...

    def note_deliveries(self, identity: int, deliveries: Mapping[str, Delivery]) -> None:
        """Keep, on disk, how far an alert has come on its way to those destinations. One that is done stays done."""
        ...


class ObservationLog(Protocol):
    """Observations, scores and the data planes that send them."""

    def take(self, batch: ObservationBatch, *, at: float) -> bool:
        """Store a batch and the plane's state; ``False`` when it was taken before (nothing is written twice).

        A sequence at or below the last one taken of that boot was taken before. A request that is known already keeps
        its first observation.
        """
        ...

    def acknowledge(self, acknowledgement: Acknowledgement, *, at: float) -> None: ...

    def planes(self) -> Sequence[PlaneState]:
        """Every data plane by name, as the boot last heard of; its watermark never falls, also across boots."""
        ...

    def add_scores(self, scores: Sequence[Score]) -> int:
        """Store scores; the first value by (request, name, scorer) stays. Returns how many were new. A score may come
        before its observation.
        """
        ...

    def tasks_of(self, request_ids: Sequence[str]) -> dict[str, str]:
        """The tasks of those requests that were observed, by request id. What is not known, or has no task, is not there."""
        ...

    def rows(self, *, task: str, attempt: int, since: float, until: float, score: str | None) -> Sequence[EvidenceRow]:
        """Assigned, unforced requests of the attempt with ``since <= started_at < until``, by ``started_at`` and then
        request id. ``score`` asks for the score of that name that came first, whoever gave it.
        """
        ...

    def first_rows(self, *, task: str, attempt: int, since: float, until: float, most: int) -> Sequence[Observation]:
        """The first ``most`` of those, without scores: a look that costs the same however many there are."""
        ...

    def rows_after(self, *, task: str, attempt: int, after: Mark, most: int) -> Sequence[Observation]:
        """The next ``most`` requests of the attempt that come after the mark, by ``started_at`` and then request id: forced ones
        and those that were never assigned too. A page costs the same wherever it begins.
        """
        ...

    def observation(self, request_id: str) -> Observation | None:
        """What was reported of this request, ``None`` when that is not known, or not yet."""
        ...

    def first_seen(self, *, task: str, attempts: Sequence[int], since: float, until: float, most: int) -> Sequence[float] | None:
        """When each unit of those attempts' assigned, unforced requests was first seen between ``since`` and ``until``, in
        order; a request without a sticky unit is one of its own, and one that an SDK repeats is none. ``None`` where the
        attempts have more than ``most`` requests in that time: ask about less of it.
        """
        ...


class SummaryShelf(Protocol):
    """Closed blocks' summaries: what verdicts are recomputed from (rule I12)."""

    def save_summary(self, *, rollout: str, stream: str, block: int, body: bytes, units: Sequence[str]) -> None:
        """Store a closed block's summary and enrol its ``units`` for this stream, in one transaction.

        A block is written once: the same again does nothing.

        Raises:
            StoreError: the block holds another summary, or one of ``units`` is enrolled already or listed twice.
        """
        ...

    def enrolled(self, *, rollout: str, stream: str, units: Sequence[str]) -> set[str]:
        """Which of ``units`` were enrolled by earlier blocks of this stream."""
        ...

    def summaries(self, *, rollout: str, stream: str, after: int = -1) -> Sequence[tuple[int, bytes]]:
        """Closed blocks after ``after``, in order."""
        ...


class ShapeShelf(Protocol):
    """What requests look like, by task: what a candidate is tried with before it gets any."""

    def keep_shapes(self, shapes: Sequence[TaskShape], *, at: float) -> None:
        """Note that these were seen at ``at``. A shape that is known keeps its values beside the new ones; of each task the
        newest ``SHAPES_PER_TASK_MAX`` stay.
        """
        ...

    def shapes(self, task: str) -> Sequence[SentShape]:
        """The shapes of ``task``, the last seen first."""
        ...


class IssuerShelf(Protocol):
    """Who made which response. Written by ``ObservationLog.take``, bounded by ``ISSUERS_MAX`` and ``ISSUER_AGE_S``."""

    def issuer(self, response: str) -> Issuer | None:
        """Who made the response with this hash, as reported first; ``None`` when that is not known, or not any more."""
        ...


class Store(Ledger, Outbox, ObservationLog, IssuerShelf, SummaryShelf, ShapeShelf, LeaseShelf, Protocol):
    """Everything the control plane keeps, in one place and under one transaction. Every verb may raise ``StoreError``."""

    def close(self) -> None: ...


class CommitBell(Protocol):
    """Rings when a change was committed, by whichever control plane of this store. One thread waits."""

    def wait(self, longest_s: float) -> None:
        """Return when it rings, or after ``longest_s``: a bell may be missed, so whoever waits looks each time. Never raises."""
        ...

    def close(self) -> None: ...
