"""Which of two judgements a declared dataset gets, and what each says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changeover.evidence.paired import PairedCounts, paired_sums
from changeover.gates.criteria import TripRule
from changeover.gates.dataset import DatasetQuestion, Scope, accuracy_verdict, scores_verdict
from changeover.gates.levels import Proven, threshold
from changeover.gates.verdict import Decision

MARGIN = 0.02


def question(size: int, *, trip: TripRule = TripRule.MARGIN, delta: float = MARGIN) -> DatasetQuestion:
    return DatasetQuestion(size=size, delta=delta, trip=trip)


def test_the_declared_size_against_the_forecast_decides_which_judgement_it_is() -> None:
    needed = question(1).needed_for_accuracy()
    below, above = int(needed.n80) - 1, int(needed.n80) + 1
    assert 2000 < needed.n80 < 2800
    assert question(below).scope(needed) is Scope.THIS_DATASET
    assert question(above).scope(needed) is Scope.POPULATION


@pytest.mark.parametrize(
    ("minus", "decision", "worse_inside"),
    [(10, Decision.PASS, False), (13, Decision.PASS, True), (14, Decision.PASS, True), (15, Decision.FAIL, False)],
)
def test_a_small_dataset_is_judged_as_itself_after_its_last_item(minus: int, decision: Decision, worse_inside: bool) -> None:
    """4 of 200 items are exactly the 2 points that are accepted."""
    found = accuracy_verdict(question(200), PairedCounts(items=200, plus=10, minus=minus))
    assert (found.scope, found.decision, found.worse_inside) == (Scope.THIS_DATASET, decision, worse_inside)
    assert found.tripped is (decision is Decision.FAIL)
    assert (found.to_pass, found.to_trip) == (None, None)
    assert "on this dataset of 200 items, and on nothing else" in found.sentence
    assert "up to 2 points of accuracy lost" in found.sentence


def test_before_its_last_item_a_small_dataset_is_tested_as_any() -> None:
    found = accuracy_verdict(question(200), PairedCounts(items=199, plus=10, minus=10))
    assert (found.scope, found.decision) == (Scope.POPULATION, Decision.UNDECIDED)
    assert found.to_pass is not None
    assert "judged as this dataset after the last of 200 items" in found.sentence


def test_a_clear_loss_is_failed_by_the_test_before_the_last_item() -> None:
    found = accuracy_verdict(question(200), PairedCounts(items=150, plus=2, minus=70))
    assert (found.decision, found.tripped) == (Decision.FAIL, True)


def test_a_large_dataset_is_tested_also_after_its_last_item() -> None:
    undecided = accuracy_verdict(question(5000), PairedCounts(items=5000, plus=200, minus=290))
    passed = accuracy_verdict(question(5000), PairedCounts(items=5000, plus=200, minus=200))
    assert (undecided.scope, undecided.decision) == (Scope.POPULATION, Decision.UNDECIDED)
    assert (passed.scope, passed.decision) == (Scope.POPULATION, Decision.PASS)
    assert passed.to_pass is not None
    assert passed.to_pass.log_e >= threshold(0.05)


def test_what_earlier_looks_have_proven_is_not_taken_back() -> None:
    counts = PairedCounts(items=5000, plus=200, minus=290)
    found = accuracy_verdict(question(5000), counts, proven=Proven(passed_at=7.0))
    assert found.decision is Decision.PASS
    assert found.to_pass is not None
    assert found.to_pass.reached_at == 7.0


def test_with_any_loss_tripping_a_loss_inside_the_margin_rolls_back() -> None:
    found = accuracy_verdict(question(200, trip=TripRule.ANY), PairedCounts(items=200, plus=10, minus=12))
    assert (found.decision, found.tripped) == (Decision.PASS, True)


def test_a_margin_of_nothing_makes_every_dataset_itself() -> None:
    found = accuracy_verdict(question(100_000, delta=0.0), PairedCounts(items=100_000, plus=50, minus=50))
    assert (found.scope, found.decision, found.needed) == (Scope.THIS_DATASET, Decision.PASS, None)
    assert "no number of items" in found.sentence


def test_scores_are_judged_likewise() -> None:
    few = scores_verdict(question(50), paired_sums([-0.01] * 50, delta=MARGIN))
    many = scores_verdict(question(20_000), paired_sums([0.1, -0.1] * 10_000, delta=MARGIN))
    assert (few.scope, few.decision, few.worse_inside) == (Scope.THIS_DATASET, Decision.PASS, True)
    assert (many.scope, many.decision) == (Scope.POPULATION, Decision.PASS)


def test_differences_that_are_none_leave_it_undecided() -> None:
    differences = [0.0] * 49 + [float("nan")]
    found = scores_verdict(question(50), paired_sums(differences, delta=MARGIN))
    assert (found.decision, found.tripped) == (Decision.UNDECIDED, False)
    assert "1 items have no usable pair of scores" in found.sentence


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="a dataset of 0 items"):
        question(0)
    with pytest.raises(ValueError, match="expected 0 up to 100"):
        question(10, delta=1.0)
    with pytest.raises(ValueError, match="each item once"):
        accuracy_verdict(question(10), PairedCounts(items=11))
    with pytest.raises(ValueError, match="bet anew"):
        scores_verdict(question(10), paired_sums([0.0], delta=0.1))


@settings(max_examples=40, deadline=None)
@given(size=st.integers(1, 400), answered=st.integers(0, 400), plus=st.integers(0, 400), minus=st.integers(0, 400))
def test_nothing_passes_with_a_loss_beyond_the_margin_on_all_items(size: int, answered: int, plus: int, minus: int) -> None:
    items = min(size, answered)
    plus, minus = min(plus, items), min(minus, max(0, items - plus))
    found = accuracy_verdict(question(size), PairedCounts(items=items, plus=plus, minus=minus))
    if items == size and (minus - plus) / size > MARGIN + 1e-9:
        assert found.decision is Decision.FAIL
    if items < size and found.decision is Decision.PASS:
        assert found.to_pass is not None
