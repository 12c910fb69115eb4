"""Is the candidate as safe as accepted? Content-filter triggers, and harmful answers where somebody scores them."""

from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from changeover.evidence.filters import NO_UNITS, FlagBlock, FlagStratum, FlagTally, merge_flag_strata
from changeover.gates.criteria import SafetyCriterion
from changeover.gates.levels import ALPHA_TRIP_FILTER, ALPHA_TRIP_HARMFUL, MISSING_MAX
from changeover.gates.rare import NOTHING_SEEN, RareFold, RareQuestion, RareStratum, RareTally, rare_verdict
from changeover.gates.verdict import Verdict

FILTER: Final = "filter"
HARMFUL: Final = "harmful"


class Concern(NamedTuple):
    """One of the criterion's two questions. ``reports`` is what tells of the event, ``cure`` what makes it fit."""

    name: str
    event: str
    alpha_trip: float
    reports: str
    cure: str


FILTER_CONCERN: Final = Concern(
    name=FILTER,
    event="filtered requests",
    alpha_trip=ALPHA_TRIP_FILTER,
    reports="filter reports",
    cure="use deployments that report their filter",
)
HARMFUL_CONCERN: Final = Concern(
    name=HARMFUL,
    event="harmful answers",
    alpha_trip=ALPHA_TRIP_HARMFUL,
    reports="scores of harm",
    cure="score 0 or 1",
)


class SafetyGate(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of all closed blocks of one concern. ``strata`` are the counts as they came, the missing among them."""

    criterion: SafetyCriterion
    concern: Concern
    strata: tuple[FlagStratum, ...] = ()
    fold: RareFold = NOTHING_SEEN

    def __post_init__(self) -> None:
        if not self.strata:
            self.question()

    def question(self) -> RareQuestion:
        """What is asked.

        Raises:
            ValueError: a margin no test can be made of.
        """
        return RareQuestion(
            name=self.concern.name,
            event=self.concern.event,
            max_ratio=self.criterion.max_ratio,
            margin_points=self.criterion.margin_points,
            trip=self.criterion.trip,
            alpha_trip=self.concern.alpha_trip,
        )

    def add(self, block: FlagBlock, *, at: float) -> "SafetyGate":
        """Take in the next block and look, at its end ``at``. A side without units may trip but not pass; where too much
        is missing nothing is proven at all, for what is missing may be all on one side.
        """
        question = self.question()
        known = (RareStratum(here.p, _known(here.stable), _known(here.candidate)) for here in block.strata)
        grown = replace(self, strata=merge_flag_strata(self.strata, block.strata), fold=self.fold.grown(known, question))
        if grown.missing_problems():
            return grown
        return replace(grown, fold=grown.fold.looked(question, at=at, may_pass=not grown.fold.empty_sides()))

    def problems(self) -> tuple[str, ...]:
        """Why the data is not fit to pass on; empty if it is."""
        return (*self.missing_problems(), *self.fold.empty_sides())

    def missing_problems(self) -> tuple[str, ...]:
        problems: list[str] = []
        sides = self._sides()
        for name, tally in zip(("stable", "candidate"), sides, strict=True):
            units = tally.known + tally.missing
            if tally.missing > MISSING_MAX * units:
                problems.append(f"{tally.missing} of {units} {self.concern.reports} of the {name} are missing, over {MISSING_MAX:.0%}")
        if unusable := sides[0].unusable + sides[1].unusable:
            problems.append(f"{self.concern.reports} that are neither yes nor no: {unusable} ({self.concern.cure} and start again)")
        return tuple(problems)

    def verdict(self) -> Verdict:
        stable, candidate = self._sides()
        return rare_verdict(self.fold, self.question(), problems=self.problems(), missing=(stable.missing, candidate.missing))

    def _sides(self) -> tuple[FlagTally, FlagTally]:
        stable, candidate = NO_UNITS, NO_UNITS
        for stratum in self.strata:
            stable, candidate = stable.plus(stratum.stable), candidate.plus(stratum.candidate)
        return stable, candidate


def filter_gate(criterion: SafetyCriterion) -> SafetyGate:
    """Content-filter triggers: blocks of ``summarise_filters``."""
    return SafetyGate(criterion=criterion, concern=FILTER_CONCERN)


def harmful_gate(criterion: SafetyCriterion) -> SafetyGate | None:
    """Harmful answers: blocks of ``summarise_harmful``. ``None`` without a source of such scores: no gate."""
    return None if criterion.harmful is None else SafetyGate(criterion=criterion, concern=HARMFUL_CONCERN)


def gate_names(criterion: SafetyCriterion) -> tuple[str, ...]:
    """The verdicts that a step needs."""
    return (FILTER,) if criterion.harmful is None else (FILTER, HARMFUL)


def _known(tally: FlagTally) -> RareTally:
    return RareTally(tally.known, tally.flagged)
