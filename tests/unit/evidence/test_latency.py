"""Summaries of latency: what counts as slow, and against which threshold."""

from math import inf, nan
from random import Random

import msgspec
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from changeover.evidence.histogram import histogram_of
from changeover.evidence.latency import (
    NO_THRESHOLDS,
    UNANSWERED_MS,
    LatencyBlock,
    Thresholds,
    both_sides,
    frozen_thresholds,
    summarise_latency,
)
from changeover.exchange.observation import Observation, Outcome
from changeover.gates.criteria import LatencyCriterion
from changeover.traffic.table import Side
from tests.unit.evidence.rows import row

S, C = Side.STABLE, Side.CANDIDATE
CRITERION = LatencyCriterion(quantiles=(0.5, 0.95), max_ratio=1.1)
FROZEN = Thresholds(frozen_ms=(100.0, 200.0))
TIMES = st.one_of(st.floats(0, 1e6), st.sampled_from([0.0, -1.0, nan, inf, -inf, 100.0, 110.0]))


def timed(number: int, side: Side | None, latency_ms: float, *, p: float = 0.5, error: bool = False) -> Observation:
    return msgspec.structs.replace(row(number, side, p, error=error), latency_ms=latency_ms)


def summed(rows: list[Observation], *, thresholds: Thresholds = FROZEN, block: int = 0) -> LatencyBlock:
    return summarise_latency(block=block, rows=rows, criterion=CRITERION, thresholds=thresholds)


def many(times: list[float], *, side: Side = S) -> list[Observation]:
    return [timed(number, side, time) for number, time in enumerate(times)]


def test_slow_is_over_the_threshold_and_over_the_accepted_ratio_times_it():
    rows = [timed(number, side, time) for number, (side, time) in enumerate([(S, 100.0), (S, 100.1), (S, 230.0), (C, 109.0), (C, 221.0)])]
    (stratum,) = summed(rows).strata
    assert (stratum.stable.tested, stratum.stable.above, stratum.stable.beyond) == (3, (2, 1), (1, 1))
    assert (stratum.candidate.tested, stratum.candidate.above, stratum.candidate.beyond) == (2, (2, 1), (1, 1))


@pytest.mark.parametrize("latency_ms", [3.0, nan, inf, -5.0, 900_000.0])
def test_a_request_that_was_not_answered_is_slower_than_anything_on_either_side(latency_ms):
    (stratum,) = summed([timed(1, S, latency_ms, error=True), timed(2, C, latency_ms, error=True)]).strata
    for tally in (stratum.stable, stratum.candidate):
        assert (tally.count, tally.unanswered, tally.unusable) == (1, 1, 0)
        assert (tally.above, tally.beyond) == ((1, 1), (1, 1))
        assert (tally.times.quantile(1.0) or 0) >= UNANSWERED_MS


@pytest.mark.parametrize("latency_ms", [nan, inf, -inf, -0.1])
def test_an_answer_whose_time_is_none_counts_for_nothing_and_is_told(latency_ms):
    (stratum,) = summed([timed(1, S, latency_ms), timed(2, S, 5.0)]).strata
    assert (stratum.stable.count, stratum.stable.tested, stratum.stable.unusable, stratum.stable.times.count) == (1, 1, 1, 1)


def test_a_unit_counts_once_and_requests_without_a_draw_or_a_rival_do_not():
    again = msgspec.structs.replace(timed(1, C, 500.0), request_id="later")
    rows = [timed(1, S, 5.0), again, timed(2, None, 5.0), timed(3, S, 5.0, p=0.01), timed(4, C, 5.0, p=1.0)]
    block = summed(rows)
    stable, candidate = block.sides
    assert (stable.count, candidate.count, block.outside) == (1, 0, 2)


def test_before_five_hundred_stable_requests_there_is_no_threshold_and_nothing_is_tested():
    first = summed(many([100.0] * 499), thresholds=NO_THRESHOLDS)
    assert (first.limits_ms, both_sides(first.strata)[0].count, both_sides(first.strata)[0].tested) == (None, 499, 0)
    after = NO_THRESHOLDS.after(first)
    assert after.limits(CRITERION.quantiles) is None
    assert after.after(summed(many([100.0], side=S), thresholds=after, block=1)).limits(CRITERION.quantiles) is not None


def test_running_thresholds_know_the_blocks_before_and_never_the_present_one():
    calm = summed(many([100.0] * 600), thresholds=NO_THRESHOLDS)
    known = NO_THRESHOLDS.after(calm)
    storm = summed(many([900.0] * 600), thresholds=known, block=1)
    assert storm.limits_ms == known.limits(CRITERION.quantiles)
    assert storm.limits_ms == pytest.approx((100.0, 100.0), rel=0.01)
    assert known.after(storm).limits(CRITERION.quantiles) == pytest.approx((100.0, 900.0), rel=0.01)


def test_the_candidates_requests_never_move_a_threshold():
    rows = [*many([100.0] * 600), *[timed(1000 + number, C, 9000.0) for number in range(600)]]
    assert NO_THRESHOLDS.after(summed(rows, thresholds=NO_THRESHOLDS)).limits((0.99,)) == pytest.approx((100.0,), rel=0.01)


def test_frozen_thresholds_come_from_before_the_start_and_stay():
    dice = Random(3)
    before = [timed(number, None, 1000 * dice.lognormvariate(0, 0.75), p=0.0) for number in range(4000)]
    frozen = frozen_thresholds(before, criterion=CRITERION)
    exact = sorted(one.latency_ms for one in before)
    assert frozen.limits(CRITERION.quantiles) == pytest.approx((exact[1999], exact[3799]), rel=0.01)
    storm = summed(many([90_000.0] * 900), thresholds=frozen)
    assert storm.frozen
    assert frozen.after(storm) == frozen
    assert NO_THRESHOLDS.after(storm) == frozen, "a replay needs the stored blocks alone"


def test_too_few_requests_before_the_start_freeze_nothing():
    assert frozen_thresholds(many([5.0] * 499), criterion=CRITERION) == NO_THRESHOLDS
    assert frozen_thresholds(many([nan] * 900), criterion=CRITERION) == NO_THRESHOLDS


def test_a_block_survives_being_stored():
    block = summed([timed(1, S, 100.5), timed(2, C, 3.0, p=0.1), timed(3, C, 3.0, error=True)])
    stored = msgspec.json.encode(block)
    assert msgspec.json.decode(stored, type=LatencyBlock) == block
    assert b'"version":1' in stored


def test_parts_of_different_blocks_or_thresholds_are_not_merged():
    for other in (summed([], block=1), summed([], thresholds=Thresholds(frozen_ms=(1.0, 2.0))), summed([], thresholds=NO_THRESHOLDS)):
        with pytest.raises(ValueError, match="two parts of one block"):
            summed([]).merged(other)


@st.composite
def rows(draw: st.DrawFn) -> list[Observation]:
    sides, chances = st.sampled_from([S, C, None]), st.sampled_from([0.01, 0.1, 0.5, 1.0])
    drawn = draw(st.lists(st.tuples(sides, chances, TIMES, st.sampled_from(list(Outcome)), st.booleans()), max_size=40))
    return [
        msgspec.structs.replace(row(number, side, p, error=error, outcome=outcome), latency_ms=time)
        for number, (side, p, time, outcome, error) in enumerate(drawn)
    ]


@given(rows(), st.integers(0, 40), st.sampled_from([FROZEN, NO_THRESHOLDS]))
@settings(max_examples=100, deadline=None)
def test_two_replicas_blocks_are_those_of_one_stream(everything, cut, thresholds):
    left, right, whole = (summed(part, thresholds=thresholds) for part in (everything[:cut], everything[cut:], everything))
    event(f"both replicas saw something: {bool(left.strata and right.strata)}")
    assert left.merged(right) == whole
    assert right.merged(left) == whole


@given(rows())
@settings(max_examples=60, deadline=None)
def test_the_order_of_requests_plays_no_part(everything):
    assert summed(everything[::-1]) == summed(everything)


def test_times_of_a_block_are_kept_for_each_side():
    (stratum,) = summed([timed(1, S, 100.0), timed(2, S, 300.0), timed(3, C, 50.0)]).strata
    assert (stratum.stable.times, stratum.candidate.times) == (histogram_of([100.0, 300.0]), histogram_of([50.0]))
