"""Is a candidate as accurate on a set of items as accepted? By the sequential test, or on exactly these items when they are few.

A set that is smaller than what the sequential test is expected to need can hardly be decided by it. Then the question is
asked about this dataset alone: both versions answered all of it, so the plain comparison after the last item is the answer,
without chance and without an interval. It says nothing about items that are not in it, and is labelled so.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from changeover.evidence.paired import PairedCounts, PairedSums
from changeover.evidence.planner import MOST, Need, PairedShares, differences_needed, items_needed
from changeover.gates.criteria import TripRule
from changeover.gates.levels import ALPHA_PASS, NOTHING_PROVEN, Proven, level, threshold
from changeover.gates.verdict import Decision, Level
from changeover.gates.wording import number, plain

ALPHA_TRIP: Final = 0.005
"""Accuracy's share of what all trips have together."""

DISAGREEMENT_ASSUMED: Final = 0.08
"""The share of items that exactly one of two versions gets right, before anything is known of it."""

DEVIATION_ASSUMED: Final = 0.2375
"""Of an item's two scores on 0 to 1, before anything is known of it."""

POINTS: Final = 100


class Scope(StrEnum):
    """What a verdict speaks of."""

    POPULATION = "population"
    """Whatever the items stand for: the sequential test."""
    THIS_DATASET = "this dataset"
    """Exactly these items, after the last of them: no test."""


class DatasetVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The answer about a dataset. ``items`` of ``size`` have been answered by both; ``loss`` is the stable's mean less the
    candidate's, on 0 to 1. ``needed`` items are what four fifths of sequential tests would take, ``None`` for never.
    ``to_pass`` and ``to_trip`` are ``None`` where no test was made.
    """

    scope: Scope
    decision: Decision
    tripped: bool
    worse_inside: bool
    size: int
    items: int
    needed: float | None
    loss: float | None
    to_pass: Level | None
    to_trip: Level | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetQuestion:
    """What is asked of a declared set of ``size`` items: a loss of at most ``delta`` (0 to 1) of ``what``.

    ``disagreement`` is the share of items that exactly one version is expected to get right, ``deviation`` that of the
    differences between an item's two scores. Both are fixed before the first item: which judgement applies must not depend
    on the answers.

    Raises:
        ValueError: a size or margin no comparison can be made of.
    """

    size: int
    delta: float
    what: str = "accuracy"
    trip: TripRule = TripRule.MARGIN
    disagreement: float = DISAGREEMENT_ASSUMED
    deviation: float = DEVIATION_ASSUMED

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"{self.what}: a dataset of {self.size} items; expected 1 or more: declare its items")
        if not 0 <= self.delta < 1:
            raise ValueError(f"{self.what}: a margin of {plain(POINTS * self.delta)} points; expected 0 up to 100: set the margin")

    @property
    def margin(self) -> str:
        return f"up to {plain(POINTS * self.delta)} points of {self.what} lost"

    def needed_for_accuracy(self) -> Need:
        """Items until the sequential test passes an equal candidate, right or wrong being all there is to an item."""
        half = self.disagreement / 2
        return items_needed(PairedShares(half, half), delta=self.delta, log_threshold=threshold(ALPHA_PASS), passing=True)

    def needed_for_scores(self) -> Need:
        """The same for scores."""
        return differences_needed(self.deviation, delta=self.delta, log_threshold=threshold(ALPHA_PASS))

    def scope(self, needed: Need) -> Scope:
        """Which judgement applies: decided by the declared size alone."""
        return Scope.THIS_DATASET if self.size < needed.n80 else Scope.POPULATION


def accuracy_verdict(question: DatasetQuestion, counts: PairedCounts, *, proven: Proven = NOTHING_PROVEN) -> DatasetVerdict:
    """Of items judged right or wrong. ``proven`` is what earlier looks have proven, which is never taken back."""
    tests = _Tests(
        passing=counts.log_e_pass(delta=question.delta), failing=counts.log_e_fail(delta=question.delta), harming=counts.log_e_harm()
    )
    return _verdict(question, question.needed_for_accuracy(), _Seen(items=counts.items, loss=counts.loss), tests, proven)


def scores_verdict(question: DatasetQuestion, sums: PairedSums, *, proven: Proven = NOTHING_PROVEN) -> DatasetVerdict:
    """Of items with a score from each version; ``proven`` as above.

    Raises:
        ValueError: the sums were made at another margin.
    """
    if sums.delta != question.delta:
        raise ValueError(f"found sums at a margin of {sums.delta:g}; expected {question.delta:g}: bet anew")
    tests = _Tests(passing=sums.log_e_pass, failing=sums.log_e_fail, harming=sums.log_e_harm)
    return _verdict(question, question.needed_for_scores(), _Seen(items=sums.items, loss=sums.loss, unusable=sums.unusable), tests, proven)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    items: int
    loss: float | None
    unusable: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tests:
    passing: float
    failing: float
    harming: float


def _verdict(question: DatasetQuestion, needed: Need, seen: _Seen, tests: _Tests, proven: Proven) -> DatasetVerdict:
    if seen.items > question.size:
        raise ValueError(f"found {seen.items} answered items of a dataset of {question.size}; expected each item once: count anew")
    scope = question.scope(needed)
    if scope is Scope.THIS_DATASET and seen.items == question.size:
        return _plain_verdict(question, needed, seen)
    return _tested_verdict(question, needed, seen, tests, proven)


def _plain_verdict(question: DatasetQuestion, needed: Need, seen: _Seen) -> DatasetVerdict:
    """Every item is answered, and they are all there is. A difference that cannot be read may hide a loss: undecided."""
    assert seen.loss is not None
    within = Decision.PASS if seen.loss <= question.delta + _ROUNDING else Decision.FAIL
    decision = Decision.UNDECIDED if seen.unusable else within
    words = f"on this dataset of {question.size} items, and on nothing else ({_reason(question, needed)})"
    return DatasetVerdict(
        scope=Scope.THIS_DATASET,
        decision=decision,
        tripped=decision is Decision.FAIL or (question.trip is TripRule.ANY and seen.loss > _ROUNDING and not seen.unusable),
        worse_inside=decision is Decision.PASS and seen.loss > _ROUNDING,
        size=question.size,
        items=seen.items,
        needed=_known(needed),
        loss=seen.loss,
        to_pass=None,
        to_trip=None,
        sentence=f"accepted: {question.margin}; {_shown(question, seen)}; {decision} {words}{_unusable(seen)}",
    )


def _tested_verdict(question: DatasetQuestion, needed: Need, seen: _Seen, tests: _Tests, proven: Proven) -> DatasetVerdict:
    on_any = question.trip is TripRule.ANY and proven.passed_at is None
    against = tests.harming if on_any else tests.failing
    failed = proven.failed_at is not None or tests.failing >= threshold(ALPHA_TRIP)
    passed = proven.passed_at is not None or tests.passing >= threshold(ALPHA_PASS)
    harmed = proven.harmed_at is not None or tests.harming >= threshold(ALPHA_TRIP)
    tripped = not seen.unusable and (proven.tripped_at is not None or against >= threshold(ALPHA_TRIP))
    found = Decision.FAIL if failed else Decision.PASS if passed else Decision.UNDECIDED
    decision = Decision.UNDECIDED if seen.unusable else found
    scope = question.scope(needed)
    awaited = "" if scope is Scope.POPULATION else f"; judged as this dataset after the last of {question.size} items"
    return DatasetVerdict(
        scope=Scope.POPULATION,
        decision=decision,
        tripped=tripped,
        worse_inside=decision is Decision.PASS and harmed,
        size=question.size,
        items=seen.items,
        needed=_known(needed),
        loss=seen.loss,
        to_pass=level(tests.passing, alpha=ALPHA_PASS, reached_at=proven.passed_at),
        to_trip=level(against, alpha=ALPHA_TRIP, reached_at=proven.tripped_at),
        sentence=f"accepted: {question.margin}; {_shown(question, seen)}; {decision}{awaited}{_unusable(seen)}",
    )


_ROUNDING: Final = 1e-12
"""A loss of exactly the margin is accepted, whatever binary fractions make of it."""


def _shown(question: DatasetQuestion, seen: _Seen) -> str:
    if seen.loss is None:
        return "shown so far: nothing"
    word = "lost" if seen.loss >= 0 else "gained"
    return f"shown on {seen.items} of {question.size} items: {number(POINTS * abs(seen.loss), decimals=2)} points {word}"


def _reason(question: DatasetQuestion, needed: Need) -> str:
    known = _known(needed)
    least = "no number of items" if known is None else f"about {known:,.0f} items"
    return f"a proof about more than these {question.size} would take {least}, at {MOST:.0%} chance"


def _unusable(seen: _Seen) -> str:
    return f": {seen.unusable} items have no usable pair of scores" if seen.unusable else ""


def _known(needed: Need) -> float | None:
    return needed.n80 if needed.n80 < float("inf") else None
