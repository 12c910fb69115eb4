"""Histograms of times."""

import base64
import json
from math import exp
from random import Random

import msgspec
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from changeover.evidence.histogram import BIN_END, BIN_FIRST, BIN_WIDTH, EMPTY, PAGE_BINS, TOTAL_MAX, LogHistogram, bin_of, histogram_of

TIMES = st.lists(st.floats(0.4, 1e7), max_size=60)
ONE_BIN = exp(BIN_WIDTH)


def edge_ms(number: int) -> float:
    return 1000 * exp(number * BIN_WIDTH)


def test_bins_are_one_percent_of_a_second_wide_and_end_at_six_hours():
    assert (bin_of(1000.0), bin_of(1005.0), bin_of(1011.0), bin_of(999.0)) == (0, 0, 1, -1)
    assert edge_ms(BIN_FIRST) == pytest.approx(0.335, abs=1e-3)
    assert edge_ms(BIN_END) / 3_600_000 == pytest.approx(6.1, abs=0.1)


def test_what_lies_outside_goes_into_the_first_or_the_last_bin():
    assert [bin_of(time_ms) for time_ms in (0.0, 5e-324, 1e-300, 1e300)] == [BIN_FIRST, BIN_FIRST, BIN_FIRST, BIN_END - 1]


@pytest.mark.parametrize("time_ms", [-1.0, float("nan"), float("inf"), float("-inf")])
def test_what_is_no_time_is_refused(time_ms):
    with pytest.raises(ValueError, match="expected 0 or more"):
        histogram_of([time_ms])


@given(TIMES, TIMES)
@settings(max_examples=60, deadline=None)
def test_replicas_add_up_to_one_stream(left, right):
    event(f"both saw something: {bool(left and right)}")
    whole = histogram_of(left + right)
    assert histogram_of(left).merged(histogram_of(right)) == whole
    assert histogram_of(right).merged(histogram_of(left)) == whole
    assert whole.count == len(left) + len(right)


@given(TIMES.filter(bool), st.floats(0.01, 1.0))
@settings(max_examples=100, deadline=None)
def test_a_quantile_is_known_to_within_one_bin(times, share):
    found = histogram_of(times).quantile(share)
    rank = max(0, -(-share * len(times) // 1) - 1)
    exact = sorted(times)[int(rank)]
    assert found is not None
    assert exact / ONE_BIN <= found * (1 + 1e-9)
    assert found <= exact * ONE_BIN * (1 + 1e-9)


def test_quantiles_are_linear_inside_a_bin():
    histogram = LogHistogram(bins={0: 10, 1: 10})
    assert histogram.quantile(0.25) == pytest.approx((edge_ms(0) + edge_ms(1)) / 2)
    assert histogram.quantile(0.5) == pytest.approx(edge_ms(1))
    assert (histogram.quantile(0.0), histogram.quantile(1.0)) == (pytest.approx(edge_ms(0)), pytest.approx(edge_ms(2)))


def test_the_share_above_undoes_the_quantile():
    dice = Random(4)
    histogram = histogram_of(1000 * dice.lognormvariate(0, 0.75) for _ in range(4000))
    for share in (0.5, 0.95, 0.99):
        assert histogram.share_above(histogram.quantile(share) or 0) == pytest.approx(1 - share, abs=1e-9)


def test_an_empty_histogram_knows_no_time():
    assert (EMPTY.count, EMPTY.quantile(0.5), EMPTY.share_above(3.0)) == (0, None, 0.0)
    assert EMPTY.quantile_interval(0.5, multiplier=2.0) == (None, None)


def test_a_share_outside_zero_to_one_has_no_quantile():
    assert (LogHistogram(bins={3: 1}).quantile(-0.01), LogHistogram(bins={3: 1}).quantile(1.01)) == (None, None)


def test_the_interval_holds_the_ranks_around_the_quantile_and_opens_where_there_are_too_few():
    dice = Random(5)
    histogram = histogram_of(1000 * dice.lognormvariate(0, 0.75) for _ in range(10_000))
    low, high = histogram.quantile_interval(0.95, multiplier=2.0)
    assert low is not None
    assert high is not None
    assert (histogram.share_above(low), histogram.share_above(high)) == (pytest.approx(0.05436, abs=1e-4), pytest.approx(0.04564, abs=1e-4))
    few = histogram_of(range(1, 50))
    assert few.quantile_interval(0.99, multiplier=2.0)[1] is None


def test_a_histogram_survives_being_stored():
    histogram = histogram_of([1.0, 250.0, 250.0, 0.0])
    assert msgspec.json.decode(msgspec.json.encode(histogram), type=LogHistogram) == histogram


def test_the_first_form_on_disk_is_still_read():
    old = b'{"bins":{"-139":2,"-800":1,"-691":1,"640":3},"version":1}'
    found = msgspec.json.decode(old, type=LogHistogram)
    assert found == histogram_of([250.0, 250.0, 0.0, 1.0, *[1000 * exp(6.405)] * 3])
    assert msgspec.json.decode(msgspec.json.encode(found), type=LogHistogram) == found
    assert b"bins" not in msgspec.json.encode(found)


PAGE = base64.b64encode(bytes(4 * PAGE_BINS)).decode()


@pytest.mark.parametrize(
    "found",
    [
        {"pages": {"0": PAGE[:-8]}},
        {"pages": {"40": PAGE}},
        {"pages": {"0": [1] * PAGE_BINS}},
        {"count": -1},
        {"bins": {"100000": 1}},
        {"bins": {"0": -1}},
    ],
)
def test_a_histogram_that_no_times_make_is_refused(found):
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(json.dumps(found), type=LogHistogram)


def test_counts_never_run_over_into_the_next_bin():
    most = LogHistogram(bins={-1: TOTAL_MAX - 7, 0: 3, 63: 3, 64: 1})
    twice = LogHistogram(bins={0: 1})
    assert msgspec.json.decode(msgspec.json.encode(most), type=LogHistogram) == most
    with pytest.raises(ValueError, match="begin a new attempt"):
        most.merged(twice)
    half = LogHistogram(bins={5: TOTAL_MAX // 2, 6: 1})
    assert half.merged(LogHistogram(bins={5: TOTAL_MAX // 2})) == LogHistogram(bins={5: TOTAL_MAX - 1, 6: 1})
