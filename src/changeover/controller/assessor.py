"""From observations to an assessment: closes blocks in order, keeps their summaries, folds them into verdicts."""

from collections.abc import Sequence
from typing import Final

import structlog

from changeover.controller.baseline import stable_before
from changeover.controller.enrolment import Enrolled, enrolled, rows_between
from changeover.evidence.blocks import BlockClock
from changeover.gates.assess import EvidenceError, Judge
from changeover.gates.streams import OUTCOMES, Row, Stream
from changeover.gates.verdict import Assessment
from changeover.ports.clock import Clock
from changeover.ports.office import Office
from changeover.ports.planes import PlaneState
from changeover.ports.store import Store
from changeover.rollout.state import Rollout

BLOCKS_PER_LOOK: Final = 2000

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

    def _assess(self, store: Store, rollout: Rollout, now: float) -> Assessment:
        file = self._files.get(rollout.id)
        if file is None:
            file = self._files[rollout.id] = _File(rollout)
            file.recall(store)
        file.close_blocks(store, rollout, now)
        return file.assessment(rollout)


class _File:
    """One rollout's evidence, as far as its blocks are closed."""

    def __init__(self, rollout: Rollout) -> None:
        self.id = rollout.id
        self.clock = BlockClock(origin_at=rollout.started_at, block_s=rollout.plan.evidence.block_s)
        self.judge = Judge.begin(criteria=rollout.plan.criteria, rules=rollout.plan.evidence, clock=self.clock)
        self.served: list[int] = []
        # Outcomes come last: they enrol the units for all prompt streams, which must not find them enrolled already.
        self.prompt = sorted((name for name, stream in self._streams() if stream.score is None), key=lambda name: name == OUTCOMES)
        self.late = [(name, stream.score) for name, stream in self._streams() if stream.score is not None]

    def recall(self, store: Store) -> None:
        """Fold the summaries that were kept: the state after a restart is the state before it. Evidence that cannot be
        folded decides nothing from then on, and says why.
        """
        for name in self.judge.closed:
            for _, body in store.summaries(rollout=self.id, stream=name):
                try:
                    self._fold(name, body)
                except EvidenceError as error:
                    log.error("stored evidence is refused", rollout=self.id, problem=str(error))
                    self.judge = self.judge.refused(str(error))
                    return

    def close_blocks(self, store: Store, rollout: Rollout, now: float) -> None:
        """Close every block that is complete, in order. After the end of a rollout no later block is opened."""
        if self.judge.refusal:
            return
        until = _watermark(store.planes(), now)
        if rollout.progress.finished_at is not None:
            until = min(until, self.clock.end(self.clock.index(rollout.progress.finished_at)))
        for _ in range(BLOCKS_PER_LOOK):
            if self.clock.end(self.judge.closed[OUTCOMES]) > until:
                break
            self._close_prompt(store, rollout)
        for name, score in self.late:
            for _ in range(BLOCKS_PER_LOOK):
                if self.judge.closed[name] >= self.judge.closed[OUTCOMES] or not self._close_late(store, rollout, name, score, now):
                    break

    def assessment(self, rollout: Rollout) -> Assessment:
        """Dwell counts blocks with traffic that lie wholly at the acknowledged weight and are closed for every gate."""
        closed = min(self.judge.closed.values())
        since = rollout.progress.acknowledged_at
        dwelt = 0 if since is None else sum(1 for block in self.served if block < closed and self.clock.start(block) >= since)
        return self.judge.assessment(
            blocks_dwelt=dwelt,
            served_s=dwelt * rollout.plan.evidence.block_s,
            closed_until=self.clock.start(closed),
        )

    def _close_prompt(self, store: Store, rollout: Rollout) -> None:
        """Close the next block of every stream whose rows hold all there is to know when their time is over."""
        block = self.judge.closed[OUTCOMES]
        found = self._enrolled(store, rollout, block, stream=OUTCOMES, score=None)
        for name in self.prompt:
            if self.judge.closed[name] == block:
                self._close(store, rollout, name, found.rows, units=found.units if name == OUTCOMES else [])

    def _close_late(self, store: Store, rollout: Rollout, name: str, score: str, now: float) -> bool:
        """Close the stream's next block, or ``False`` while an answer of it may still be scored in time."""
        block = self.judge.closed[name]
        found = self._enrolled(store, rollout, block, stream=name, score=score)
        awaited = any(value is None and not row.is_error for row, value in found.rows)
        if awaited and now < self.clock.end(block) + rollout.plan.evidence.score_timeout_s:
            return False
        self._close(store, rollout, name, found.rows, units=found.units)
        return True

    def _close(self, store: Store, rollout: Rollout, name: str, rows: list[Row], *, units: list[str]) -> None:
        stream = self.judge.streams[name]
        if stream.learns and self.judge.closed[name] == 0:
            self.judge = self.judge.informed(name, stable_before(store, rollout, score=stream.score))
        body = self.judge.summarise(name, rows)
        store.save_summary(rollout=self.id, stream=name, block=self.judge.closed[name], body=body, units=units)
        self._fold(name, body)

    def _enrolled(self, store: Store, rollout: Rollout, block: int, *, stream: str, score: str | None) -> Enrolled:
        rows = rows_between(store, rollout, since=self.clock.start(block), until=self.clock.end(block), score=score)
        return enrolled(store, rows, rollout=self.id, stream=stream)

    def _fold(self, name: str, body: bytes) -> None:
        block, units = self.judge.closed[name], self.judge.outcomes.units
        self.judge = self.judge.add(body)
        if self.judge.outcomes.units > units:
            self.served.append(block)

    def _streams(self) -> list[tuple[str, Stream]]:
        return list(self.judge.streams.items())


def _watermark(planes: Sequence[PlaneState], now: float) -> float:
    """Up to when every data plane that is not silent has reported all it began; minus infinity with none."""
    return min((plane.watermark_at for plane in planes if not plane.is_silent(now)), default=float("-inf"))
