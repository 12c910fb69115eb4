"""Whatever comes in: replicas add up to one stream, and nothing never becomes a pass."""

from math import isfinite
from typing import Final

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from changeover.evidence.betting import Centre
from changeover.evidence.outcomes import summarise_outcomes
from changeover.evidence.scores import summarise_scores
from changeover.evidence.traffic import UNITS_MAX
from changeover.exchange.observation import Outcome
from changeover.gates.verdict import Assessment, Decision
from changeover.traffic.table import Side
from tests.unit.evidence.rows import row
from tests.unit.gates.streams import QUALITY, Row, Stream, look

PROBABILITIES: Final = [0.0, 0.01, 0.05, 0.1, 0.5, 0.95, 0.99, 1.0]
SCORES: Final = st.one_of(st.none(), st.floats(0, 1), st.sampled_from([0.0, 1.0, -1.0, 2.0]), st.floats())


@st.composite
def rows(draw: st.DrawFn, most: int = 40) -> list[Row]:
    """Numbers repeat, so that units do; sides, outcomes and scores are anything."""
    return draw(
        st.lists(
            st.builds(
                lambda number, side, p, outcome, error, score: (row(number, side, p, error=error, outcome=outcome), score),
                st.integers(0, 60),
                st.sampled_from([Side.STABLE, Side.CANDIDATE, None]),
                st.sampled_from(PROBABILITIES),
                st.sampled_from(list(Outcome)),
                st.booleans(),
                SCORES,
            ),
            max_size=most,
        )
    )


@given(rows(), st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_two_replicas_counts_are_those_of_one_stream(everything, cut):
    apart = [one for position, one in enumerate(everything) if one[0].unit not in {other.unit for other, _ in everything[:position]}]
    left, right = apart[:cut], apart[cut:]
    outcomes = [summarise_outcomes(block=0, rows=[one for one, _ in part]) for part in (left, right, apart)]
    assert outcomes[0].merged(outcomes[1]) == outcomes[2]
    assert outcomes[1].merged(outcomes[0]) == outcomes[2]
    centre = Centre(total=3.0, count=9)
    scores = [summarise_scores(block=0, rows=part, criterion=QUALITY, centre=centre) for part in (left, right, apart)]
    merged, whole = scores[0].merged(scores[1]), scores[2]
    event(f"both replicas saw something: {bool(left and right)}")
    assert merged.outside == whole.outside
    assert merged.centre_next.count == whole.centre_next.count
    assert merged.centre_next.total == pytest.approx(whole.centre_next.total, abs=1e-9)
    for question in ("passing", "failing", "harming"):
        assert getattr(merged.sums, question) == pytest.approx(getattr(whole.sums, question), abs=1e-9)
    for one, other in zip(merged.strata, whole.strata, strict=True):
        assert one.p == other.p
        for a, b in ((one.stable, other.stable), (one.candidate, other.candidate)):
            assert (a.scored, a.unanswered, a.missing, a.unusable, a.gains.count) == (
                b.scored,
                b.unanswered,
                b.missing,
                b.unusable,
                b.gains.count,
            )
            assert (a.gains.mean, a.gains.m2) == (pytest.approx(b.gains.mean, abs=1e-9), pytest.approx(b.gains.m2, abs=1e-9))


@given(rows(), rows(most=10))
@settings(max_examples=60, deadline=None)
def test_requests_without_a_rival_change_no_evidence(everything, more):
    certain = [
        (row(1000 + number, Side.STABLE if number % 2 else Side.CANDIDATE, float(1 - number % 2)), score)
        for number, (_, score) in enumerate(more)
    ]
    plain = summarise_scores(block=0, rows=everything, criterion=QUALITY, centre=Centre())
    mixed = summarise_scores(block=0, rows=everything + certain, criterion=QUALITY, centre=Centre())
    assert (mixed.sums, mixed.strata, mixed.centre_next) == (plain.sums, plain.strata, plain.centre_next)
    outcomes = [summarise_outcomes(block=0, rows=[one for one, _ in part]) for part in (everything, everything + certain)]
    assert outcomes[0].strata == outcomes[1].strata
    assert outcomes[1].impossible == outcomes[0].impossible


@given(st.lists(rows(most=25), max_size=6))
@settings(max_examples=50, deadline=None)
def test_no_input_crashes_a_gate_or_passes_it_without_both_sides(blocks):
    """Every number stays a number, and a pass has outcomes of both sides behind it."""
    stream = Stream()
    for block in blocks:
        stream.close(block)
        assessment = look(stream.judge)
        _must_be_sane(assessment)
        event(f"a trip: {any(verdict.tripped for verdict in assessment.verdicts)}")


def _must_be_sane(assessment: Assessment) -> None:
    assert isfinite(assessment.sample_ratio.level.log_e)
    for verdict in assessment.verdicts:
        if verdict.decision is Decision.PASS:
            assert min(verdict.stable.count, verdict.candidate.count) > 0
        assert isfinite(verdict.to_pass.log_e)
        assert isfinite(verdict.to_trip.log_e)
        assert not (verdict.problems and verdict.decision is not Decision.UNDECIDED)
        assert not (verdict.problems and verdict.able_to_trip)
        for number in (verdict.estimate, verdict.low, verdict.high):
            assert number is None or isfinite(number)


@given(
    st.lists(st.tuples(st.sampled_from([0.05, 0.5, 0.95]), st.sampled_from([Side.STABLE, None]), SCORES), min_size=1, max_size=5),
    st.integers(1, 400),
)
@settings(max_examples=40, deadline=None)
def test_one_side_alone_never_passes_however_much_of_it_there_is(kinds, copies):
    stream = Stream()
    stream.close(
        [
            (row(number * len(kinds) + position, side, p), score)
            for number in range(copies)
            for position, (p, side, score) in enumerate(kinds)
        ]
    )
    assessment = look(stream.judge)
    event(f"more requests than a pass needs: {stream.requests > 591}")
    for verdict in assessment.verdicts:
        assert verdict.decision is Decision.UNDECIDED
        assert verdict.to_pass.reached_at is None


def test_the_same_gate_does_pass_on_enough_of_both_sides():
    """Or the properties above would hold of a gate that never passes."""
    stream = Stream()
    for block in range(30):
        stream.close([(row(block * 100 + number, list(Side)[number % 2], 0.5), 0.16 + 0.01 * (number % 4 < 2)) for number in range(100)])
    assert [verdict.decision for verdict in look(stream.judge).verdicts] == [Decision.PASS, Decision.PASS]


@given(rows(), rows(), st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_traffic_counts_every_request_and_no_unit_twice_however_it_was_split_over_replicas(first, later, cut):
    ours, others = [one for one, _ in first], [one for one, _ in later]
    whole = summarise_outcomes(block=0, rows=ours, later=others)
    parts = [summarise_outcomes(block=0, rows=ours[:cut]), summarise_outcomes(block=0, rows=ours[cut:], later=others)]
    merged = parts[0].merged(parts[1])
    for side, seen, added in (
        (Side.STABLE, whole.stable_traffic, merged.stable_traffic),
        (Side.CANDIDATE, whole.candidate_traffic, merged.candidate_traffic),
    ):
        drawn = [one for one in ours + others if one.side is side]
        assert (seen.requests, seen.errors) == (len(drawn), sum(one.is_error for one in drawn))
        assert seen.units == min(UNITS_MAX, len({one.unit for one in drawn}))
        assert added == seen
        event(f"more units than are counted: {seen.units == UNITS_MAX}")


@given(st.lists(st.tuples(rows(), rows(most=10)), max_size=5))
@settings(max_examples=60, deadline=None)
def test_a_brake_has_twenty_units_and_a_healthy_stable_behind_it_and_stays(blocks):
    stream = Stream()
    before = None
    for first, later in blocks:
        stream.judge = stream.judge.add(stream.judge.summarise("outcomes", first, later=later))
        brake = look(stream.judge).brake
        event(f"braked: {brake is not None}")
        assert before is None or brake == before
        if brake is not None:
            assert 2 * brake.candidate_errors > brake.candidate_requests >= brake.units_min
            assert 10 * brake.stable_errors < brake.stable_requests
        before = brake
