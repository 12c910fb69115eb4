"""The chance of having caught a loss, against simulation of the real tests."""

from collections.abc import Callable
from math import log
from random import Random

import pytest

from changeover.evidence.betting import FRACTIONS, Centre, bet_rates, weighted
from changeover.evidence.events import EventCount, log_e_above
from changeover.evidence.mixture import log_mean_exp
from changeover.evidence.power import Seen, Spread, betting_power, event_power, two_points
from changeover.traffic.table import Side
from tests.unit.evidence.rows import beta

RUNS = 60
TOLERANCE = 0.25


def requests_for(power: Callable[[int], float], *, target: float = 0.8) -> int:
    low, high = 1, 1_000_000
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle) >= target else (middle + 1, high)
    return low


def eight_of_ten(lengths: list[int]) -> int:
    return sorted(lengths)[int(len(lengths) * 0.8) - 1]


def betting_run(dice: Random, *, p: float, means: tuple[float, float], sd: float, delta: float, alpha: float, block: int) -> int:
    """Requests until the real betting test proves a loss above ``delta``, the centre frozen by block."""
    capital, centre, requests = [0.0] * len(FRACTIONS), Centre(), 0
    rate = bet_rates(p=p, delta=delta)[1]
    while log_mean_exp(capital) < log(1 / alpha):
        total, frozen = 0.0, centre.value
        for _ in range(block):
            side = Side.CANDIDATE if dice.random() < p else Side.STABLE
            gain = beta(dice, means[side is Side.CANDIDATE], sd)
            total += gain
            z = weighted(side, p=p, gain=gain, centre=frozen) + delta
            capital = [have + log(1 - fraction * rate * z) for have, fraction in zip(capital, FRACTIONS, strict=True)]
        requests += block
        centre = centre.after(total=total, count=block)
    return requests


@pytest.mark.parametrize(
    ("p", "means", "sd", "delta", "block"),
    [(0.5, (0.162, 0.102), 0.13, 0.02, 50), (0.1, (0.162, 0.102), 0.13, 0.02, 100), (0.5, (0.8, 0.7), 0.24, 0.0, 25)],
)
def test_the_betting_test_needs_about_as_many_requests_as_foretold(p, means, sd, delta, block):
    pooled = (1 - p) * means[0] + p * means[1]

    def power(requests: int) -> float:
        first = min(block, requests)
        seen = [Seen(p, first, 0.5), Seen(p, requests - first)]
        return betting_power(seen, stable=Spread(means[0], sd), candidate=Spread(means[1], sd), delta=delta, alpha=0.008)

    dice = Random(7)
    simulated = eight_of_ten([betting_run(dice, p=p, means=means, sd=sd, delta=delta, alpha=0.008, block=block) for _ in range(RUNS)])
    assert 0 < pooled < 1
    assert requests_for(power) == pytest.approx(simulated, rel=TOLERANCE)


def event_run(dice: Random, *, p: float, rates: tuple[float, float], ratio: float, alpha: float) -> int:
    """Requests until the real event test proves a rate above ``ratio`` times the stable's."""
    stable, candidate, requests = 0, 0, 0
    from_candidate, from_stable = p * rates[1], (1 - p) * rates[0]
    while log_e_above([EventCount(p, stable, candidate)], ratio=ratio) < log(1 / alpha):
        requests += 1 + int(log(1 - dice.random()) / log(1 - from_candidate - from_stable))
        if dice.random() < from_candidate / (from_candidate + from_stable):
            candidate += 1
        else:
            stable += 1
    return requests


@pytest.mark.parametrize(
    ("p", "rates", "ratio"),
    [(0.1, (0.0, 0.06), 1.0), (0.5, (0.0, 0.06), 1.0), (0.5, (0.01, 0.025), 1.0), (0.1, (0.01, 0.07), 1.0), (0.5, (0.05, 0.125), 1.5)],
)
def test_the_event_test_needs_about_as_many_requests_as_foretold(p, rates, ratio):
    def power(requests: int) -> float:
        return event_power([Seen(p, requests)], stable_rate=rates[0], candidate_rate=rates[1], ratio=ratio, alpha=0.01)

    dice = Random(11)
    simulated = eight_of_ten([event_run(dice, p=p, rates=rates, ratio=ratio, alpha=0.01) for _ in range(2 * RUNS)])
    assert requests_for(power) == pytest.approx(simulated, rel=TOLERANCE)


def test_nothing_seen_could_have_caught_nothing():
    assert betting_power([], stable=Spread(0.5, 0.1), candidate=Spread(0.4, 0.1), delta=0.02, alpha=0.008) == 0
    assert event_power([], stable_rate=0.1, candidate_rate=0.3, ratio=1.0, alpha=0.01) == 0


def test_a_candidate_that_is_equal_is_hardly_ever_caught():
    seen = [Seen(0.5, 100_000)]
    assert betting_power(seen, stable=Spread(0.5, 0.1), candidate=Spread(0.5, 0.1), delta=0.02, alpha=0.008) <= 0.008
    assert event_power(seen, stable_rate=0.01, candidate_rate=0.01, ratio=1.0, alpha=0.01) <= 0.01


def test_what_was_seen_at_all_weights_counts_together():
    def power(*seen: Seen) -> float:
        return betting_power(seen, stable=Spread(0.162, 0.13), candidate=Spread(0.102, 0.13), delta=0.02, alpha=0.008)

    assert power(Seen(0.1, 1500)) < power(Seen(0.1, 1500), Seen(0.5, 300)) < power(Seen(0.1, 1500), Seen(0.5, 600))
    assert power(Seen(0.5, 600)) > power(Seen(0.1, 600))


@pytest.mark.parametrize("requests", [1, 100, 10**4, 10**9])
@pytest.mark.parametrize("spread", [Spread(0.0, 0.0), Spread(1.0, 0.0), Spread(0.5, 0.0), Spread(0.5, 0.5), Spread(0.9, 0.6)])
def test_a_chance_is_a_chance_whatever_the_spread(requests, spread):
    for p in (0.05, 0.5, 0.95):
        chance = betting_power([Seen(p, requests)], stable=spread, candidate=Spread(0.0, 0.0), delta=0.02, alpha=0.008)
        assert 0 <= chance <= 1
        chance = event_power([Seen(p, requests)], stable_rate=spread.mean, candidate_rate=1.0, ratio=1.0, alpha=0.008)
        assert 0 <= chance <= 1


@pytest.mark.parametrize("sd", [1e-300, 1e-61, 1e-17, 1e-12])
def test_equal_scores_with_a_rounding_error_between_them_are_one_point(sd: float) -> None:
    for mean in (1e-9, 0.5, 0.9, 1.0):
        points = two_points(Spread(mean, sd))
        assert all(value == pytest.approx(mean, abs=1e-9) for value, _ in points)
        assert sum(weight for _, weight in points) == pytest.approx(1)


@pytest.mark.parametrize("spread", [Spread(0.5, 0.1), Spread(0.1, 0.13), Spread(0.95, 0.13), Spread(0.162, 0.13)])
def test_two_points_keep_mean_and_spread_inside_the_scale(spread):
    points = two_points(spread)
    mean = sum(value * weight for value, weight in points)
    assert all(-1e-12 <= value <= 1 + 1e-12 for value, _ in points)
    assert mean == pytest.approx(spread.mean)
    assert sum(weight * (value - mean) ** 2 for value, weight in points) == pytest.approx(spread.sd**2)
