"""What people read beside the tests of latency: the times themselves."""

from random import Random

import pytest

from changeover.evidence.histogram import EMPTY, NOTHING_COUNTED, TOTAL_MAX, LogHistogram, histogram_of
from changeover.evidence.latency import Thresholds, summarise_latency
from changeover.exchange.observation import Observation, Outcome
from changeover.gates.criteria import LatencyCriterion
from changeover.gates.latency import LatencyGate
from changeover.traffic.table import Side

CRITERION = LatencyCriterion(max_ratio=1.1, quantiles=(0.5, 0.95))
FROZEN = Thresholds(frozen_ms=(900.0, 3000.0))


def observed(number: int, *, latency_ms: float, p: float) -> Observation:
    side = Side.CANDIDATE if number % 2 else Side.STABLE
    return Observation(
        request_id=f"r{number}",
        unit=f"u{number}",
        started_at=float(number),
        outcome=Outcome.ANSWERED,
        revision=1,
        latency_ms=latency_ms,
        side=side,
        candidate_probability=p,
        assigned=side.value,
        served=side.value,
    )


def gate_after(blocks: int) -> LatencyGate:
    """Blocks of 100 requests at two weights; the candidate takes twice as long."""
    gate = LatencyGate(criterion=CRITERION)
    for block in range(blocks):
        rows = [
            observed(number, latency_ms=1000.0 * (1 + number % 2), p=0.1 if block < 2 else 0.5)
            for number in range(block * 100, block * 100 + 100)
        ]
        gate = gate.add(summarise_latency(block=block, rows=rows, criterion=CRITERION, thresholds=FROZEN), at=float(block))
    return gate


def test_verdicts_show_each_sides_own_quantile_over_all_weights() -> None:
    for verdict in gate_after(4).verdicts():
        assert verdict.stable.quantile_ms == pytest.approx(1000.0, rel=0.01)
        assert verdict.candidate.quantile_ms == pytest.approx(2000.0, rel=0.01)
        assert verdict.estimate == pytest.approx(2.0, rel=0.02)


def test_a_gate_without_blocks_shows_no_times() -> None:
    assert [verdict.stable.quantile_ms for verdict in LatencyGate(criterion=CRITERION).verdicts()] == [None, None]


def test_a_running_histogram_is_the_sum_of_what_it_was_given() -> None:
    draw = Random(7)
    parts = [histogram_of([draw.lognormvariate(7, 2) for _ in range(50)]) for _ in range(5)]
    whole, running = EMPTY, NOTHING_COUNTED
    for part in parts:
        whole, running = whole.merged(part), running.plus(part)
    assert running.whole() == whole
    assert running.plus(EMPTY) is running


def test_a_running_histogram_counts_no_further_than_its_bins_hold() -> None:
    page = histogram_of([1000.0]).pages
    full = NOTHING_COUNTED.plus(LogHistogram(count=TOTAL_MAX, pages=page))
    with pytest.raises(ValueError, match="begin a new attempt"):
        full.plus(histogram_of([1000.0]))
