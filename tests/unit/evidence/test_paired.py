"""Paired accuracy and paired scores, against the reference."""

from math import inf, nan
from random import Random

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from changeover.evidence.paired import PairedCounts, PairedSums, count_pairs, paired_sums

MARGIN = 0.02
PASS_AT, FAIL_AT = 2.9957, 5.2983
DIFFERENCES = st.lists(st.one_of(st.floats(-1, 1), st.sampled_from([nan, inf, -inf, 2.0, -1.5])), max_size=30)


def test_counts_match_the_reference():
    assert PairedCounts(items=1500, plus=60, minus=60).log_e_pass(delta=MARGIN) == pytest.approx(2.4657290218, abs=5e-11)
    assert PairedCounts(items=1500, plus=30, minus=90).log_e_fail(delta=MARGIN) == pytest.approx(2.7787210721, abs=5e-11)
    assert PairedCounts(items=30, plus=8, minus=22).log_e_harm() == pytest.approx(2.7753040812, abs=5e-11)


def test_items_that_are_right_and_wrong_alike_say_nothing_of_any_loss():
    few, many = PairedCounts(items=30, plus=8, minus=22), PairedCounts(items=3000, plus=8, minus=22)
    assert few.log_e_harm() == many.log_e_harm()


def test_right_and_wrong_are_counted_by_who_alone_was_right():
    pairs = [(True, True), (False, False), (True, False), (True, False), (False, True)]
    counts = count_pairs(pairs)
    assert counts == PairedCounts(items=5, plus=1, minus=2)
    assert counts.loss == pytest.approx(0.2)
    assert counts.merged(counts) == count_pairs(pairs * 2)


def test_scores_of_zero_and_one_are_bet_like_right_and_wrong():
    counts = PairedCounts(items=200, plus=12, minus=21)
    sums = paired_sums([1.0] * 12 + [-1.0] * 21 + [0.0] * 167, delta=MARGIN)
    assert sums.log_e_pass == pytest.approx(counts.log_e_pass(delta=MARGIN), abs=1e-9)
    assert sums.log_e_fail == pytest.approx(counts.log_e_fail(delta=MARGIN), abs=1e-9)
    assert sums.loss == pytest.approx(counts.loss)


def test_no_item_is_no_evidence():
    empty = paired_sums([], delta=MARGIN)
    assert (empty.log_e_pass, empty.log_e_fail, empty.log_e_harm, empty.loss) == (0.0, 0.0, 0.0, None)
    none = PairedCounts()
    assert (none.log_e_pass(delta=MARGIN), none.log_e_fail(delta=MARGIN), none.log_e_harm(), none.loss) == (0.0, 0.0, 0.0, None)


@given(DIFFERENCES, DIFFERENCES)
@settings(max_examples=60, deadline=None)
def test_replicas_add_up_to_one_stream(left, right):
    event(f"an unusable difference: {paired_sums(left + right, delta=MARGIN).unusable > 0}")
    merged, whole = paired_sums(left, delta=MARGIN).merged(paired_sums(right, delta=MARGIN)), paired_sums(left + right, delta=MARGIN)
    assert (merged.items, merged.unusable) == (whole.items, whole.unusable)
    for question in ("passing", "failing", "harming"):
        assert getattr(merged, question) == pytest.approx(getattr(whole, question), abs=1e-9)


@given(st.integers(1, 3000), st.sampled_from([nan, inf, -inf, 2.0]))
@settings(max_examples=30, deadline=None)
def test_differences_that_are_no_number_never_pass(count, difference):
    sums = paired_sums([difference] * count, delta=MARGIN)
    assert sums.unusable == count
    assert sums.log_e_pass <= 0


@pytest.mark.parametrize(("items", "plus", "minus"), [(1, 1, 1), (5, -1, 2), (5, 2, -1), (-1, 0, 0)])
def test_counts_that_cannot_be_are_refused(items, plus, minus):
    with pytest.raises(ValueError, match="expected counts from 0"):
        PairedCounts(items=items, plus=plus, minus=minus)


@pytest.mark.parametrize("delta", [-0.01, 1.0, nan, inf])
def test_a_margin_no_test_can_be_made_of_is_refused(delta):
    with pytest.raises(ValueError, match="expected 0 or more and below 1"):
        PairedCounts().log_e_pass(delta=delta)
    with pytest.raises(ValueError, match="expected 0 or more and below 1"):
        paired_sums([], delta=delta)


def test_sums_of_different_margins_are_not_merged():
    with pytest.raises(ValueError, match="one margin"):
        PairedSums(delta=0.1).merged(PairedSums(delta=0.2))


@pytest.mark.parametrize(("loss", "question", "level"), [(0.02, "pass", PASS_AT), (0.02, "fail", PASS_AT), (0.0, "harm", PASS_AT)])
def test_wrong_answers_at_the_margin_stay_below_their_level(loss, question, level):
    """Discordance 8 %, looked at after every fifth item: 60 runs, at most .05 + 3 standard errors may err."""
    dice, wrong = Random(20), 0
    for _ in range(60):
        wrong += reached(dice, loss=loss, question=question, level=level, items=1000) is not None
    assert wrong <= 8


def test_a_loss_of_twice_the_margin_is_soon_proven_and_equal_accuracy_passes():
    dice = Random(21)
    harmed = sorted(reached(dice, loss=0.04, question="harm", level=PASS_AT, items=2000) or 9999 for _ in range(15))
    passed = sorted(reached(dice, loss=0.0, question="pass", level=PASS_AT, items=4000) or 9999 for _ in range(15))
    assert harmed[7] < 600
    assert passed[7] < 2300


def reached(dice: Random, *, loss: float, question: str, level: float, items: int) -> int | None:
    """Items until the test rejects."""
    plus, minus = 0, 0
    for item in range(1, items + 1):
        luck = dice.random()
        plus += luck < 0.04 - loss / 2
        minus += luck > 1 - 0.04 - loss / 2
        if item % 5:
            continue
        counts = PairedCounts(items=item, plus=plus, minus=minus)
        log_e = {
            "pass": lambda counts=counts: counts.log_e_pass(delta=MARGIN),
            "fail": lambda counts=counts: counts.log_e_fail(delta=MARGIN),
            "harm": counts.log_e_harm,
        }[question]()
        if log_e >= level:
            return item
    return None
