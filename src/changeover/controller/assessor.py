"""From observations to an assessment: closes blocks in order, keeps their summaries, folds them into verdicts."""

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from changeover.evidence.betting import Centre
from changeover.evidence.blocks import BlockClock
from changeover.evidence.outcomes import OutcomeBlock, summarise_outcomes
from changeover.evidence.scores import ScoreBlock, summarise_scores
from changeover.gates.assess import Judge
from changeover.gates.criteria import QualityCriterion
from changeover.gates.verdict import Assessment
from changeover.ports.clock import Clock
from changeover.ports.office import Office
from changeover.ports.planes import PlaneState
from changeover.ports.store import EvidenceRow, Store
from changeover.rollout.state import Rollout

OUTCOMES: Final = "outcomes"
SCORES: Final = "scores"
BLOCKS_PER_LOOK: Final = 2000


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
        self.quality = _sourced(rollout.plan.criteria.quality)
        self.centre = Centre()
        self.next = {OUTCOMES: 0, SCORES: 0}
        self.served: list[int] = []
        self.hashes = {OUTCOMES: hashlib.blake2b(digest_size=16), SCORES: hashlib.blake2b(digest_size=16)}

    def recall(self, store: Store) -> None:
        """Fold the summaries that were kept: the state after a restart is the state before it."""
        for block, body in store.summaries(rollout=self.id, stream=OUTCOMES):
            self._fold_outcomes(block, body)
        for block, body in store.summaries(rollout=self.id, stream=SCORES):
            self._fold_scores(block, body)

    def close_blocks(self, store: Store, rollout: Rollout, now: float) -> None:
        """Close every block that is complete, in order. After the end of a rollout no later block is opened."""
        until = _watermark(store.planes(), now)
        if rollout.progress.finished_at is not None:
            until = min(until, self.clock.end(self.clock.index(rollout.progress.finished_at)))
        for _ in range(BLOCKS_PER_LOOK):
            if self.clock.end(self.next[OUTCOMES]) > until:
                break
            self._close_outcomes(store, rollout)
        for _ in range(BLOCKS_PER_LOOK):
            if self.quality is None or self.next[SCORES] >= self.next[OUTCOMES]:
                break
            if not self._close_scores(store, rollout, self.quality, now):
                break

    def assessment(self, rollout: Rollout) -> Assessment:
        """Dwell counts blocks with traffic that lie wholly at the acknowledged weight and are closed for every gate."""
        closed = self.next[OUTCOMES] if self.quality is None else min(self.next.values())
        since = rollout.progress.acknowledged_at
        dwelt = 0 if since is None else sum(1 for block in self.served if block < closed and self.clock.start(block) >= since)
        return self.judge.assessment(
            blocks_dwelt=dwelt,
            served_s=dwelt * rollout.plan.evidence.block_s,
            closed_until=self.clock.start(closed),
            evidence_hash=self._evidence_hash(),
        )

    def _close_outcomes(self, store: Store, rollout: Rollout) -> None:
        block = self.next[OUTCOMES]
        rows, units = self._enrolled(store, OUTCOMES, self._rows(store, rollout, block, score=None))
        body = msgspec.json.encode(summarise_outcomes(block=block, rows=[row.observation for row in rows]))
        store.save_summary(rollout=self.id, stream=OUTCOMES, block=block, body=body, units=units)
        self._fold_outcomes(block, body)

    def _close_scores(self, store: Store, rollout: Rollout, quality: QualityCriterion, now: float) -> bool:
        """Close the next block of scores, or ``False`` while an answer of it may still be scored in time."""
        block = self.next[SCORES]
        rows, units = self._enrolled(store, SCORES, self._rows(store, rollout, block, score=quality.score))
        awaited = any(row.score is None and not row.observation.is_error for row in rows)
        if awaited and now < self.clock.end(block) + rollout.plan.evidence.score_timeout_s:
            return False
        scored = [(row.observation, row.score) for row in rows]
        body = msgspec.json.encode(summarise_scores(block=block, rows=scored, criterion=quality, centre=self.centre))
        store.save_summary(rollout=self.id, stream=SCORES, block=block, body=body, units=units)
        self._fold_scores(block, body)
        return True

    def _rows(self, store: Store, rollout: Rollout, block: int, *, score: str | None) -> Sequence[EvidenceRow]:
        return store.rows(
            task=rollout.task,
            attempt=rollout.attempt,
            since=self.clock.start(block),
            until=self.clock.end(block),
            score=score,
        )

    def _enrolled(self, store: Store, stream: str, rows: Sequence[EvidenceRow]) -> tuple[list[EvidenceRow], list[str]]:
        """A sticky unit counts once per rollout: its first request (rule I14). Returns the rows and the new units."""
        sticky = {row.observation.unit for row in rows if row.observation.sticky}
        seen = store.enrolled(rollout=self.id, stream=stream, units=sorted(sticky)) if sticky else set[str]()
        kept: list[EvidenceRow] = []
        for row in rows:
            if row.observation.sticky:
                if row.observation.unit in seen:
                    continue
                seen.add(row.observation.unit)
            kept.append(row)
        return kept, [row.observation.unit for row in kept if row.observation.sticky]

    def _fold_outcomes(self, block: int, body: bytes) -> None:
        summary = msgspec.json.decode(body, type=OutcomeBlock)
        self.judge = self.judge.add_outcomes(summary)
        if summary.strata or summary.outside:
            self.served.append(block)
        self._closed(OUTCOMES, block, body)

    def _fold_scores(self, block: int, body: bytes) -> None:
        summary = msgspec.json.decode(body, type=ScoreBlock)
        self.judge = self.judge.add_scores(summary)
        self.centre = summary.centre_next
        self._closed(SCORES, block, body)

    def _closed(self, stream: str, block: int, body: bytes) -> None:
        self.next[stream] = block + 1
        self.hashes[stream].update(body)

    def _evidence_hash(self) -> str:
        """Over both streams, each in its own order, so that it does not depend on how the two interleaved in time."""
        joined = self.hashes[OUTCOMES].digest() + self.hashes[SCORES].digest()
        return hashlib.blake2b(joined, digest_size=16).hexdigest()


def _sourced(quality: QualityCriterion | None) -> QualityCriterion | None:
    """Quality without a source is no gate: there are no scores to wait for."""
    return quality if quality is not None and quality.score is not None else None


def _watermark(planes: Sequence[PlaneState], now: float) -> float:
    """Up to when every data plane that is not silent has reported all it began; minus infinity with none."""
    return min((plane.watermark_at for plane in planes if not plane.is_silent(now)), default=float("-inf"))
