"""The betting e-process against its reference values."""

from collections.abc import Iterable
from math import log

import msgspec
import pytest

from changeover.evidence.betting import NOTHING_BET, BetSums, Centre, Stake, bet_rates, bet_sums, weighted
from changeover.evidence.mixture import log_mean_exp
from changeover.traffic.table import Side

S, C = Side.STABLE, Side.CANDIDATE
REQUESTS = [
    (C, 0.5, 0.75),
    (S, 0.5, 1.0),
    (S, 0.5, 0.5),
    (C, 0.5, 1.0),
    (C, 0.5, 0.25),
    (S, 0.5, 0.75),
    (C, 0.1, 1.0),
    (S, 0.1, 0.75),
]


def one_by_one(requests: Iterable[tuple[Side, float, float]]) -> tuple[list[Stake], Centre]:
    """The centre moved after every request."""
    centre, stakes = Centre(), list[Stake]()
    for side, p, gain in requests:
        stakes.append(Stake(p, weighted(side, p=p, gain=gain, centre=centre.value)))
        centre = centre.after(total=gain, count=1)
    return stakes, centre


def test_weighted_outcomes_and_the_moving_centre_match_the_reference():
    stakes, centre = one_by_one(REQUESTS)
    expected = [0.5, -0.976190476, 0.068181818, 0.934782609, -0.604166667, -0.42, 4.519230769, -0.205761317]
    assert [stake.z for stake in stakes] == pytest.approx(expected, abs=5e-10)
    assert centre.value == pytest.approx(0.5714285714, abs=5e-11)


def test_log_e_of_eight_requests_at_two_weights_matches_the_reference():
    sums = bet_sums(one_by_one(REQUESTS)[0], delta=0.025)
    assert sums.log_e_pass == pytest.approx(-0.002978695806, abs=5e-13)
    assert sums.log_e_fail == pytest.approx(-0.116552614864, abs=5e-13)
    assert sums.log_e_harm == pytest.approx(-0.101346922948, abs=5e-13)


def test_log_e_of_240_requests_matches_the_reference():
    sums = bet_sums(one_by_one(REQUESTS[:6] * 40)[0], delta=0.025)
    assert sums.log_e_pass == pytest.approx(-0.8022649828, abs=5e-11)
    assert sums.log_e_fail == pytest.approx(0.6151928012, abs=5e-11)
    assert sums.log_e_harm == pytest.approx(1.5792442488, abs=5e-11)


def test_nothing_seen_is_evidence_of_nothing():
    assert (NOTHING_BET.log_e_pass, NOTHING_BET.log_e_fail, NOTHING_BET.log_e_harm) == (0, 0, 0)
    assert bet_sums([], delta=0.02) == NOTHING_BET


def test_sums_of_parts_are_the_sums_of_the_whole():
    stakes, _ = one_by_one(REQUESTS)
    whole = bet_sums(stakes, delta=0.025)
    parts = bet_sums(stakes[:3], delta=0.025).plus(bet_sums(stakes[3:], delta=0.025))
    for question in ("passing", "failing", "harming"):
        assert getattr(parts, question) == pytest.approx(getattr(whole, question), abs=1e-12)


@pytest.mark.parametrize("p", [0.05, 0.1, 0.5, 0.95])
@pytest.mark.parametrize("gain", [0.0, 1.0])
@pytest.mark.parametrize("centre", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("side", [S, C])
@pytest.mark.parametrize("delta", [0.0, 0.02, 1.0])
def test_no_bet_can_lose_more_than_it_risks(p, gain, centre, side, delta):
    z = weighted(side, p=p, gain=gain, centre=centre)
    up, down = bet_rates(p=p, delta=delta)
    assert 1 + up * (z + delta) >= 0.05 - 1e-9
    assert 1 - down * (z + delta) >= 0.05 - 1e-9


def test_many_requests_of_one_outcome_count_as_that_many():
    assert bet_sums([Stake(0.1, -0.3, 7)], delta=0.02).passing == pytest.approx(bet_sums([Stake(0.1, -0.3)] * 7, delta=0.02).passing)


@pytest.mark.parametrize(
    ("p", "margin_points", "needed"),
    [(0.5, 2.0, 591), (0.1, 2.0, 2966), (0.5, 0.2, 5935), (0.1, 0.2, 29688)],
)
def test_a_run_without_any_error_passes_after_exactly_so_many_requests(p, margin_points, needed):
    """Centre 1 stays 1 without an event, so every request on either side brings the same, and the count is exact."""
    delta = margin_points / 100

    def passes(requests: int) -> bool:
        by_points = bet_sums([Stake(p, 0.0, requests)], delta=delta).log_e_pass
        return log_mean_exp((0.0, by_points)) >= log(1 / 0.05)

    assert not passes(needed - 1)
    assert passes(needed)


def test_sums_survive_being_stored():
    sums = bet_sums(one_by_one(REQUESTS)[0], delta=0.025)
    assert msgspec.json.decode(msgspec.json.encode(sums), type=BetSums) == sums
