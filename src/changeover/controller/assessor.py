"""From observations to an assessment: closes blocks in order, keeps their summaries, folds them into verdicts."""

from collections.abc import Sequence
from math import inf
from typing import Final

import msgspec
import structlog

from changeover.controller.baseline import stable_before
from changeover.controller.enrolment import Enrolled, enrolled, rows_between
from changeover.controller.foreknowledge import foreknowledge
from changeover.evidence.blocks import BlockClock
from changeover.gates.assess import EvidenceError, Judge
from changeover.gates.criteria import Criteria
from changeover.gates.streams import OUTCOMES, Stream
from changeover.gates.verdict import Assessment, WorstSlice
from changeover.ports.clock import Clock
from changeover.ports.office import Foreknowledge, Office
from changeover.ports.planes import PlaneState
from changeover.ports.store import Store, StoreError
from changeover.rollout.state import Rollout
from changeover.rollout.world import TaskState

BLOCKS_PER_LOOK: Final = 2000
LATE_LOOKS: Final = 100
"""A block that waits for scores is looked at so many times within their time-out: people's take days to come."""
LATE_LOOK_S_MAX: Final = 60.0

log = structlog.get_logger("assessor")


class StoreAssessor:
    """`ports.office.Assessor` over the store. What it remembers between looks can be rebuilt from the summaries."""

    def __init__(self, office: Office, clock: Clock) -> None:
        self._office = office
        self._clock = clock
        self._files: dict[str, _File] = {}

    async def assess(self, rollout: Rollout) -> Assessment:
        now = self._clock.now()
        return await self._office.read(lambda store: self._assess(store, rollout, now))

    async def foreknow(self, task: TaskState, criteria: Criteria) -> Foreknowledge:
        """See ``Assessor``."""
        now = self._clock.now()
        return await self._office.read(lambda store: foreknowledge(store, task, criteria, now=now))

    def _assess(self, store: Store, rollout: Rollout, now: float) -> Assessment:
        """What another control plane of the same store has closed meanwhile is not what this one would close: it is recalled."""
        known = self._files.get(rollout.id)
        if known is not None:
            try:
                return _looked(known, store, rollout, now)
            except StoreError:
                del self._files[rollout.id]
        file = _File(rollout)
        file.recall(store)
        found = _looked(file, store, rollout, now)
        self._files[rollout.id] = file
        return found


def _looked(file: "_File", store: Store, rollout: Rollout, now: float) -> Assessment:
    file.close_blocks(store, rollout, now)
    return file.assessment(rollout)


class _File:
    """One rollout's evidence, as far as its blocks are closed."""

    def __init__(self, rollout: Rollout) -> None:
        self.id = rollout.id
        self.clock = BlockClock(origin_at=rollout.started_at, block_s=rollout.plan.evidence.block_s)
        self.judge = Judge.begin(criteria=rollout.plan.criteria, rules=rollout.plan.evidence, clock=self.clock)
        self.fresh: list[int] = []
        self.served: list[int] = []
        self.sliced_at: dict[str, int] = {}
        self.worst: tuple[WorstSlice, ...] = ()
        # Outcomes come last: they enrol the units for all prompt streams, which must not find them enrolled already.
        self.prompt = sorted((name for name, stream in self._streams() if stream.score is None), key=lambda name: name == OUTCOMES)
        self.late_looked_at: dict[str, float] = {}
        self.late = [(name, stream.score, stream.source) for name, stream in self._streams() if stream.score is not None]

    def recall(self, store: Store) -> None:
        """Fold the summaries that were kept: the state after a restart is the state before it. Evidence that cannot be
        folded is passed over: nothing passes from then on, and every verdict says why. What is closed later can still trip.
        """
        for name in self.judge.closed:
            for _, body in store.summaries(rollout=self.id, stream=name):
                try:
                    self._fold(name, body)
                except EvidenceError as error:
                    if not self.judge.refusal:
                        log.error("stored evidence is refused", rollout=self.id, problem=str(error))
                    self.judge = self.judge.passed_over(name, body, reason=str(error))

    def close_blocks(self, store: Store, rollout: Rollout, now: float) -> None:
        """Close every block that is complete, in order. After the end of a rollout no later block is opened."""
        until = _watermark(store.planes(), now)
        if rollout.progress.finished_at is not None:
            until = min(until, self.clock.end(self.clock.index(rollout.progress.finished_at)))
        for _ in range(BLOCKS_PER_LOOK):
            if self.clock.end(self.judge.closed[OUTCOMES]) > until:
                break
            self._close_prompt(store, rollout)
        for name, score, source in self.late:
            timeout_s = rollout.plan.evidence.timeout_s(source)
            if 0 <= now - self.late_looked_at.get(name, -inf) < min(LATE_LOOK_S_MAX, timeout_s / LATE_LOOKS):
                continue
            for _ in range(min(BLOCKS_PER_LOOK, self.judge.closed[OUTCOMES] - self.judge.closed[name])):
                if not self._close_late(store, rollout, name, score=score, overdue_at=now - timeout_s):
                    self.late_looked_at[name] = now
                    break

    def assessment(self, rollout: Rollout) -> Assessment:
        """Dwell counts blocks in which the candidate was asked that lie wholly at the acknowledged weight and are closed for
        every gate. Evidence of this weight is in those alone that had new units (rule I14).
        """
        closed = min(self.judge.closed.values())
        since = rollout.progress.acknowledged_at
        found = self.judge.assessment(
            blocks_dwelt=self._since(self.fresh, since, closed),
            served_s=self._since(self.served, since, closed) * rollout.plan.evidence.block_s,
            closed_until=self.clock.start(closed),
        )
        return msgspec.structs.replace(found, slices=self._worst_slices())

    def _since(self, blocks: Sequence[int], since: float | None, closed: int) -> int:
        """How many of ``blocks`` are closed and began ``since``."""
        return 0 if since is None else sum(1 for block in blocks if block < closed and self.clock.start(block) >= since)

    def _worst_slices(self) -> tuple[WorstSlice, ...]:
        """They change with a block alone, and nothing waits for them."""
        if self.sliced_at != self.judge.closed:
            self.sliced_at, self.worst = dict(self.judge.closed), self.judge.worst_slices()
        return self.worst

    def _close_prompt(self, store: Store, rollout: Rollout) -> None:
        """Close the next block of every stream whose rows hold all there is to know when their time is over."""
        block = self.judge.closed[OUTCOMES]
        found = self._enrolled(store, rollout, block, stream=OUTCOMES, score=None)
        for name in self.prompt:
            if self.judge.closed[name] == block:
                self._close(store, rollout, name, found if name == OUTCOMES else found._replace(units=[]))

    def _close_late(self, store: Store, rollout: Rollout, name: str, *, score: str, overdue_at: float) -> bool:
        """Close the stream's next block, or ``False`` while an answer of it may still be scored in time: what ended after
        ``overdue_at`` is not overdue.
        """
        block = self.judge.closed[name]
        found = self._enrolled(store, rollout, block, stream=name, score=score)
        awaited = any(value is None and not row.is_error for row, value in found.rows)
        if awaited and overdue_at < self.clock.end(block):
            return False
        self._close(store, rollout, name, found)
        return True

    def _close(self, store: Store, rollout: Rollout, name: str, found: Enrolled) -> None:
        stream = self.judge.streams[name]
        if stream.learns and self.judge.closed[name] == 0:
            self.judge = self.judge.informed(name, stable_before(store, rollout, score=stream.score))
        body = self.judge.summarise(name, found.rows, later=found.later)
        store.save_summary(rollout=self.id, stream=name, block=self.judge.closed[name], body=body, units=found.units)
        self._fold(name, body)

    def _enrolled(self, store: Store, rollout: Rollout, block: int, *, stream: str, score: str | None) -> Enrolled:
        rows = rows_between(store, rollout, since=self.clock.start(block), until=self.clock.end(block), score=score)
        return enrolled(store, rows, rollout=self.id, stream=stream)

    def _fold(self, name: str, body: bytes) -> None:
        block, before = self.judge.closed[name], self.judge.outcomes
        self.judge = self.judge.add(body)
        if self.judge.outcomes.units > before.units:
            self.fresh.append(block)
        if self.judge.outcomes.requests > before.requests:
            self.served.append(block)

    def _streams(self) -> list[tuple[str, Stream]]:
        return list(self.judge.streams.items())


def _watermark(planes: Sequence[PlaneState], now: float) -> float:
    """Up to when every data plane that is not silent has reported all it began; minus infinity with none. Never later than
    now: a plane whose clock is ahead would close blocks whose requests are still to come.
    """
    return min(now, min((plane.watermark_at for plane in planes if not plane.is_silent(now)), default=float("-inf")))
