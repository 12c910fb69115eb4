"""Does the candidate's deployment answer as reliably as accepted? Blocks of outcomes become one verdict."""

from typing import Final

import msgspec
from msgspec.structs import replace

from changeover.evidence.outcomes import OutcomeBlock, OutcomeTally
from changeover.evidence.units import is_comparable
from changeover.gates.criteria import ErrorsCriterion
from changeover.gates.levels import ALPHA_TRIP_ERRORS, Evidence, Proven
from changeover.gates.outage import is_outage, outage_words
from changeover.gates.rare import NO_EVENT, NOTHING_SEEN, RareFold, RareQuestion, RareStratum, RareTally, rare_verdict
from changeover.gates.verdict import Verdict

NAME: Final = "errors"
NO_ERROR: Final = NO_EVENT


class ErrorsGate(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of all closed outcome blocks. ``outage`` says that the stable was down in the last one."""

    criterion: ErrorsCriterion
    fold: RareFold = NOTHING_SEEN
    outage: str = ""

    def __post_init__(self) -> None:
        if not self.fold.strata:
            self.question()

    def question(self) -> RareQuestion:
        """What is asked.

        Raises:
            ValueError: a margin no test can be made of.
        """
        return RareQuestion(
            name=NAME,
            event="errors",
            max_ratio=self.criterion.max_ratio,
            margin_points=self.criterion.margin_points,
            trip=self.criterion.trip,
            alpha_trip=ALPHA_TRIP_ERRORS,
        )

    @property
    def proven(self) -> Proven:
        return self.fold.proven

    def add(self, block: OutcomeBlock, *, at: float) -> "ErrorsGate":
        """Take in the next block and look, at its end ``at``. Unfit data may trip but not pass."""
        question = self.question()
        seen = [RareStratum(here.p, _tally(here.stable), _tally(here.candidate)) for here in block.strata if is_comparable(here.p)]
        outage = _outage(seen)
        grown = self.fold.grown(seen, question, is_sound=not outage)
        may_pass = not outage and not grown.empty_sides()
        return replace(self, outage=outage, fold=grown.looked(question, at=at, may_pass=may_pass))

    def evidence(self) -> Evidence:
        return self.fold.evidence(self.question())

    def problems(self) -> tuple[str, ...]:
        """Why the data is not fit to pass on; empty if it is."""
        return self.fold.empty_sides() or ((self.outage,) if self.outage else ())

    def verdict(self) -> Verdict:
        return rare_verdict(self.fold, self.question(), problems=self.problems())

    def power(self) -> float:
        """The chance that the trip in force would by now have caught three times the margin, the wider of the two."""
        return self.fold.power(self.question())


def _outage(strata: list[RareStratum]) -> str:
    """What to say when the stable was down in these strata of a block; empty when it was not."""
    errors, units = sum(here.stable.events for here in strata), sum(here.stable.units for here in strata)
    return outage_words(unanswered=errors, units=units) if is_outage(unanswered=errors, units=units) else ""


def _tally(tally: OutcomeTally) -> RareTally:
    return RareTally(tally.assigned, tally.errors)
