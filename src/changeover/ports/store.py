"""The control plane's memory. Only the control plane opens it."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from changeover.evidence.score import Score
from changeover.exchange.observation import Observation
from changeover.ports.planes import Acknowledgement, Issuer, ObservationBatch, PlaneState, TaskShape
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


class EvidenceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One assigned request of an attempt, with the value of the score asked for, if it has come."""

    observation: Observation
    score: float | None = None


class Ledger(Protocol):
    """Events and state, in one."""

    def world(self) -> World:
        """The present world; revision 0 when the store is empty."""
        ...

    def commit(self, decide: Callable[[World], Proposal], *, at: float) -> Change:
        """Ask ``decide`` for a change of the present world and commit it, with the world and the table it makes and the
        commands it owes, in one transaction that nothing can come between. It is on disk when this returns. What
        ``decide`` raises passes through and nothing is written.
        """
        ...

    def changes(self, *, after: int = 0, limit: int = 1000) -> Sequence[Change]:
        """The log, oldest first."""
        ...

    def verify(self) -> Sequence[str]:
        """Replay all changes (rule I5) and name everything stored that disagrees with them; empty when all is well."""
        ...


class Outbox(Protocol):
    """Side effects that committed changes owe (rule I13). They are owed until done, so one may be tried twice."""

    def owed(self, limit: int) -> Sequence[tuple[int, Command]]:
        """The oldest ``limit`` commands not yet done, each with its identity, which is never used again."""
        ...

    def done(self, identity: int) -> None:
        """Settle a command. Settling one twice, or one that was never owed, does nothing."""
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


class Store(Ledger, Outbox, ObservationLog, IssuerShelf, SummaryShelf, ShapeShelf, Protocol):
    """Everything the control plane keeps, in one place and under one transaction. Every verb may raise ``StoreError``."""

    def close(self) -> None: ...
