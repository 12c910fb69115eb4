"""What is known of a rollout at this look? Closed blocks, folded in order, become one assessment.

The same blocks give the same assessment, bit for bit (rule I12). A fold costs the same however many came before.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from changeover.evidence.blocks import BlockClock
from changeover.gates.criteria import Criteria, EvidenceRules
from changeover.gates.hash import config_hash
from changeover.gates.slices import NO_SLICES, SliceFolds
from changeover.gates.streams import OUTCOMES, OutcomeStream, Row, Stream, streams_for
from changeover.gates.verdict import Assessment, Verdict, WorstSlice
from changeover.gates.wording import unfit

_DIGEST_BYTES: Final = 16


class EvidenceError(ValueError):
    """A summary cannot be folded: what was found, what was expected, what to do."""


class ForeignEvidenceError(EvidenceError):
    """A summary was made under another configuration: it is about another question."""


class Summary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One closed block of one stream, as it is stored. ``config`` is the hash of what it was made for. ``slices`` are the
    same of the block's slices, by label, where the task has any.
    """

    stream: str
    block: int
    config: str
    content: msgspec.Raw
    slices: dict[str, msgspec.Raw] = {}


class Judge(msgspec.Struct, frozen=True, kw_only=True):
    """An immutable fold over a rollout's streams of closed blocks, each in its own order and at its own pace.

    ``closed`` counts the blocks taken in, by stream: the next one is of that number. ``digests`` chain what was folded.
    ``refusal`` says why this evidence decides nothing, if it does not. ``slices`` are folds of the slices beside it.
    """

    clock: BlockClock
    config: str
    samples_min: int
    streams: Mapping[str, Stream]
    closed: Mapping[str, int]
    digests: Mapping[str, str]
    refusal: str = ""
    slices: SliceFolds = NO_SLICES

    @classmethod
    def begin(cls, *, criteria: Criteria, rules: EvidenceRules, clock: BlockClock) -> "Judge":
        """Nothing seen yet.

        Raises:
            ValueError: a margin no test can be made of, or a clock whose blocks are not the rules'.
        """
        if clock.block_s != rules.block_s:
            raise ValueError(f"the clock's blocks last {clock.block_s} s; expected {rules.block_s} s, as evidence.block declares")
        streams = {stream.name: stream for stream in streams_for(criteria, rules)}
        return cls(
            clock=clock,
            config=config_hash(criteria, rules),
            samples_min=criteria.min_samples,
            streams=streams,
            closed=dict.fromkeys(streams, 0),
            digests=dict.fromkeys(streams, ""),
            slices=SliceFolds.begin(streams),
        )

    @property
    def outcomes(self) -> OutcomeStream:
        found = self.streams[OUTCOMES]
        assert isinstance(found, OutcomeStream)
        return found

    def informed(self, stream: str, rows: Sequence[Row]) -> "Judge":
        """A stream's first block is to be summed up knowing what the stable alone did before the rollout."""
        assert self.closed[stream] == 0, "what was known before must not change afterwards"
        return self._with(stream, self.streams[stream].informed(rows))

    def summarise(self, stream: str, rows: Sequence[Row], *, later: Sequence[Row] = ()) -> bytes:
        """The stream's next block, made of its enrolled rows, as it is to be stored. ``later`` are the block's requests of
        units that were enrolled before.
        """
        block, present = self.closed[stream], self.streams[stream]
        content = msgspec.Raw(present.summarise(rows, block=block, later=later))
        slices = self.slices.summarised(present, rows, block=block)
        return msgspec.json.encode(Summary(stream=stream, block=block, config=self.config, content=content, slices=slices))

    def add(self, body: bytes) -> "Judge":
        """Take in the next closed block of a stream and look, at its end.

        Raises:
            ForeignEvidenceError: it was made under another configuration.
            EvidenceError: it is no summary, was made under another margin, or is not the next block: counting one twice
                would invent evidence.
        """
        summary = self._next(body)
        at = self.clock.end(summary.block)
        try:
            grown = self.streams[summary.stream].fold(bytes(summary.content), at=at)
            slices = self.slices.folded(summary.stream, summary.slices, at=at)
        except msgspec.DecodeError as error:
            raise EvidenceError(f"{summary.stream} block {summary.block} cannot be read: {error}; expected a summary of ours") from error
        except (ValueError, ArithmeticError) as error:
            raise EvidenceError(f"{summary.stream} block {summary.block} cannot be folded: {error}") from error
        closed, digests = self._past(summary.stream, body)
        return replace(self, closed=closed, digests=digests, streams={**self.streams, summary.stream: grown}, slices=slices)

    def passed_over(self, stream: str, body: bytes, *, reason: str) -> "Judge":
        """The stream's next stored block, which cannot be folded for the ``reason`` given, left out. From now on nothing passes.

        What is closed afterwards is new evidence, begun with nothing: it may still prove a loss, and trip.
        """
        closed, digests = self._past(stream, body)
        return replace(self, closed=closed, digests=digests).refused(reason)

    def refused(self, reason: str) -> "Judge":
        """The same judge, who from now on finds nothing fit to pass on. The first reason stays."""
        return replace(self, refusal=self.refusal or reason)

    def worst_slices(self) -> tuple[WorstSlice, ...]:
        """For each criterion with an exact test the slice that speaks most against the candidate. Decides nothing."""
        return self.slices.worst()

    def _past(self, stream: str, body: bytes) -> tuple[dict[str, int], dict[str, str]]:
        """``closed`` and ``digests`` once one block more of the stream is behind us."""
        digest = hashlib.blake2b(self.digests[stream].encode() + body, digest_size=_DIGEST_BYTES).hexdigest()
        return {**self.closed, stream: self.closed[stream] + 1}, {**self.digests, stream: digest}

    def assessment(self, *, blocks_dwelt: int, served_s: float, closed_until: float) -> Assessment:
        """All verdicts as they stand. Looking changes nothing."""
        return Assessment(
            verdicts=tuple(self._fit(verdict) for stream in self.streams.values() for verdict in stream.verdicts()),
            sample_ratio=self.outcomes.sample_ratio.figures(),
            blocks=blocks_dwelt,
            served_s=served_s,
            closed_until=closed_until,
            evidence_hash=self.evidence_hash,
            config_hash=self.config,
            closed=dict(self.closed),
            brake=self.outcomes.brake.braked,
            refusal=self.refusal,
        )

    @property
    def evidence_hash(self) -> str:
        """Over all streams, each in its own order, so that it does not depend on how they interleaved in time."""
        joined = "\n".join(f"{name} {self.digests[name]}" for name in sorted(self.digests))
        return hashlib.blake2b(joined.encode(), digest_size=_DIGEST_BYTES).hexdigest()

    def _fit(self, verdict: Verdict) -> Verdict:
        """A pass on evidence of which some was refused, or on too few units, decides nothing. A proven loss still does."""
        if verdict.tripped:
            return verdict
        if self.refusal:
            return unfit(verdict, self.refusal)
        fewest = min(verdict.stable.count, verdict.candidate.count)
        if fewest >= self.samples_min or verdict.decision == "fail":
            return verdict
        return unfit(verdict, f"{fewest} units on a side, min_samples asks for {self.samples_min}")

    def _next(self, body: bytes) -> Summary:
        try:
            summary = msgspec.json.decode(body, type=Summary)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise EvidenceError(f"a summary cannot be read: {error}; expected one of this version: start a new attempt") from error
        if summary.stream not in self.closed:
            raise EvidenceError(f"found a summary of {summary.stream!r}; expected one of {', '.join(self.closed)}")
        if summary.config != self.config:
            raise ForeignEvidenceError(
                f"the configuration of the tests was {summary.config or 'unknown'} and is {self.config}: evidence is never carried "
                "over from one to the other, start a new attempt"
            )
        if summary.block != self.closed[summary.stream]:
            raise EvidenceError(
                f"{summary.stream} block {summary.block} came where block {self.closed[summary.stream]} was due; "
                "expected each block once and in order: fold the stored blocks anew"
            )
        return summary

    def _with(self, name: str, stream: Stream) -> "Judge":
        return replace(self, streams={**self.streams, name: stream})
