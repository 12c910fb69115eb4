"""Safety, from filter reports and scores of harm to verdicts."""

from collections.abc import Iterable
from math import inf, isfinite, nan
from random import Random

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from changeover.evidence.filters import FlagBlock, FlagStratum, FlagTally, summarise_harmful
from changeover.gates.criteria import ErrorsCriterion, SafetyCriterion
from changeover.gates.errors import ErrorsGate
from changeover.gates.safety import SafetyGate, filter_gate, gate_names, harmful_gate
from changeover.gates.verdict import Decision, Verdict
from changeover.traffic.table import Side
from tests.unit.evidence.rows import row
from tests.unit.evidence.test_tempering import binomial
from tests.unit.gates.streams import outcomes

SAFETY = SafetyCriterion(harmful="toxicity")


def flags(number: int, *, p: float, stable: tuple[int, int], candidate: tuple[int, int], missing: tuple[int, int] = (0, 0)) -> FlagBlock:
    """Each side is (known, flagged)."""
    sides = [
        FlagTally(known=known, flagged=flagged, missing=gone) for (known, flagged), gone in zip((stable, candidate), missing, strict=True)
    ]
    return FlagBlock(block=number, strata=(FlagStratum(p=p, stable=sides[0], candidate=sides[1]),))


def folded(blocks: Iterable[FlagBlock], *, criterion: SafetyCriterion = SAFETY) -> SafetyGate:
    gate = filter_gate(criterion)
    for block in blocks:
        gate = gate.add(block, at=float(block.block + 1))
    return gate


def judged(*blocks: FlagBlock, criterion: SafetyCriterion = SAFETY) -> Verdict:
    return folded(blocks, criterion=criterion).verdict()


@pytest.mark.parametrize(("p", "stable", "candidate"), [(0.5, 2967, 2968), (0.1, 26719, 2969)])
def test_no_trigger_at_all_passes_after_the_foretold_number_of_requests(p, stable, candidate):
    """5,935 at 50:50 and about 29,700 at 10 %, with a margin of 0.2 points."""
    short = judged(flags(0, p=p, stable=(stable - 1, 0), candidate=(candidate, 0)))
    enough = judged(flags(0, p=p, stable=(stable, 0), candidate=(candidate, 0)))
    assert (short.decision, enough.decision) == (Decision.UNDECIDED, Decision.PASS)
    assert enough.sentence == (
        "accepted: up to 1.5 times the stable's share of filtered requests or 0.2 points more, the wider; "
        f"shown so far: 0 of {candidate} against 0 of {stable}; pass"
    )


def test_the_rule_is_that_of_errors():
    """The same counts and margins bring the same evidence."""
    counts = [((100, 2), (100, 5)), ((300, 1), (280, 9)), ((50, 0), (60, 0))]
    gate = ErrorsGate(criterion=ErrorsCriterion(max_ratio=1.5, margin_points=0.2))
    for number, (stable, candidate) in enumerate(counts):
        gate = gate.add(outcomes(number, p=0.5, stable=stable, candidate=candidate), at=float(number + 1))
    safety = folded(flags(number, p=0.5, stable=stable, candidate=candidate) for number, (stable, candidate) in enumerate(counts))
    assert safety.fold.evidence(safety.question()) == gate.evidence()


def test_any_proven_harm_trips_at_the_level_of_its_own():
    harm = [flags(number, p=0.5, stable=(500, 5), candidate=(500, 15)) for number in range(6)]
    verdict = judged(*harm)
    assert (verdict.criterion, verdict.tripped) == ("filter", True)
    assert verdict.to_trip.threshold == pytest.approx(4.8283, abs=5e-5)
    assert not judged(harm[0]).tripped


def test_reports_that_are_missing_on_one_side_in_twenty_decide_nothing():
    few = judged(flags(0, p=0.5, stable=(4000, 0), candidate=(3800, 0), missing=(0, 200)))
    many = judged(flags(0, p=0.5, stable=(4000, 0), candidate=(3800, 0), missing=(0, 201)))
    assert (few.decision, few.candidate.missing) == (Decision.PASS, 200)
    assert (many.decision, many.to_pass.reached_at, many.able_to_trip) == (Decision.UNDECIDED, None, False)
    assert many.problems == ("201 of 4001 filter reports of the candidate are missing, over 5%",)


def test_too_much_missing_does_not_trip_either():
    """What the stable did not report may be what is missing."""
    assert not judged(flags(0, p=0.5, stable=(500, 0), candidate=(900, 90), missing=(500, 0))).tripped


def test_a_deployment_that_never_reports_its_filter_decides_nothing():
    verdict = judged(flags(0, p=0.5, stable=(0, 0), candidate=(0, 0), missing=(5000, 5000)))
    assert verdict.decision is Decision.UNDECIDED
    assert "5000 of 5000 filter reports of the stable are missing, over 5%" in verdict.problems


@pytest.mark.parametrize(("stable", "candidate", "named"), [((9000, 0), (0, 0), "candidate"), ((0, 0), (9000, 0), "stable")])
def test_one_side_alone_never_passes(stable, candidate, named):
    verdict = judged(flags(0, p=0.5, stable=stable, candidate=candidate))
    assert (verdict.decision, verdict.to_pass.reached_at, verdict.able_to_trip) == (Decision.UNDECIDED, None, False)
    assert f"no observations of the {named} at a weight of 5 to 95 %" in verdict.problems


def test_harmful_answers_have_a_verdict_only_where_somebody_scores_them():
    assert harmful_gate(SafetyCriterion()) is None
    assert gate_names(SafetyCriterion()) == ("filter",)
    gate = harmful_gate(SAFETY)
    assert gate is not None
    verdict = gate.verdict()
    assert (verdict.criterion, verdict.to_trip.threshold) == ("harmful", pytest.approx(5.2983, abs=5e-5))
    assert "stable's share of harmful answers" in verdict.margin
    assert gate_names(SAFETY) == ("filter", "harmful")


def test_a_score_of_harm_that_is_neither_yes_nor_no_decides_nothing():
    rows = [(row(number, list(Side)[number % 2], 0.5), 0.0) for number in range(9000)]
    gate = harmful_gate(SAFETY)
    assert gate is not None
    assert gate.add(summarise_harmful(block=0, rows=rows), at=1.0).verdict().decision is Decision.PASS
    rows[17] = (rows[17][0], 0.5)
    verdict = gate.add(summarise_harmful(block=0, rows=rows), at=1.0).verdict()
    assert verdict.decision is Decision.UNDECIDED
    assert verdict.problems == ("scores of harm that are neither yes nor no: 1 (score 0 or 1 and start again)",)


@pytest.mark.parametrize(
    "criterion", [SafetyCriterion(max_ratio=0.0), SafetyCriterion(max_ratio=nan), SafetyCriterion(margin_points=101.0)]
)
def test_a_margin_no_test_can_be_made_of_is_refused(criterion):
    with pytest.raises(ValueError, match="filter: "):
        filter_gate(criterion)


TALLIES = st.builds(
    lambda known, share, missing: FlagTally(known=known, flagged=int(known * share), missing=missing),
    st.sampled_from([0, 1, 40, 3000]),
    st.floats(0, 1),
    st.sampled_from([0, 0, 1, 50]),
)
BLOCKS = st.lists(st.tuples(st.sampled_from([0.05, 0.5, 0.95]), TALLIES, TALLIES), max_size=6)


@given(BLOCKS)
@settings(max_examples=60, deadline=None)
def test_whatever_comes_in_never_crashes_and_passes_only_with_both_sides(blocks):
    gate = filter_gate(SAFETY)
    for number, (p, stable, candidate) in enumerate(blocks):
        gate = gate.add(FlagBlock(block=number, strata=(FlagStratum(p=p, stable=stable, candidate=candidate),)), at=float(number))
        verdict = gate.verdict()
        event(f"decision: {verdict.decision}, tripped: {verdict.tripped}")
        assert isfinite(verdict.to_pass.log_e)
        assert isfinite(verdict.to_trip.log_e)
        assert not (verdict.problems and (verdict.decision is not Decision.UNDECIDED or verdict.able_to_trip))
        if verdict.decision is Decision.PASS:
            assert min(verdict.stable.count, verdict.candidate.count) > 0


@given(st.sampled_from([None, nan, inf, -1.0, 0.5]), st.integers(1, 800))
@settings(max_examples=30, deadline=None)
def test_scores_that_say_nothing_never_pass(score, count):
    gate = harmful_gate(SAFETY)
    assert gate is not None
    rows = [(row(number, list(Side)[number % 2], 0.5), score) for number in range(count)]
    assert gate.add(summarise_harmful(block=0, rows=rows), at=1.0).verdict().decision is Decision.UNDECIDED


def run(dice: Random, *, p: float, rates: tuple[float, float], blocks: int, units: int, criterion: SafetyCriterion = SAFETY) -> SafetyGate:
    counts = (round(units * (1 - p)), round(units * p))
    return folded(
        (
            flags(
                number,
                p=p,
                stable=(counts[0], binomial(dice, counts[0], rates[0])),
                candidate=(counts[1], binomial(dice, counts[1], rates[1])),
            )
            for number in range(blocks)
        ),
        criterion=criterion,
    )


def test_wrong_passes_at_the_wider_margin_stay_below_their_level():
    """Stable 1 %, candidate 3 %: two points more, which is wider than 1.5 times."""
    dice, criterion = Random(41), SafetyCriterion(margin_points=2.0)
    passes = sum(
        run(dice, p=0.5, rates=(0.01, 0.03), blocks=20, units=100, criterion=criterion).fold.proven.passed_at is not None for _ in range(60)
    )
    assert passes <= 8


@pytest.mark.parametrize("p", [0.5, 0.1])
def test_false_trips_of_an_equal_candidate_stay_below_their_level(p):
    dice = Random(42)
    trips = sum(run(dice, p=p, rates=(0.02, 0.02), blocks=20, units=200).fold.proven.tripped_at is not None for _ in range(60))
    assert trips <= 3


def test_the_same_simulation_does_trip_where_it_should():
    dice = Random(43)
    trips = sum(run(dice, p=0.5, rates=(0.02, 0.06), blocks=20, units=200).fold.proven.tripped_at is not None for _ in range(10))
    assert trips >= 9
