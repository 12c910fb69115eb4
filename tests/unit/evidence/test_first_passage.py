"""First passages against the two cases whose law is known in full."""

from math import erfc, exp, inf, sqrt

import pytest

from changeover.evidence.first_passage import Walk, passage


def inverse_gaussian(time: float, *, height: float, mean: float, variance: float) -> float:
    def below(z: float) -> float:
        return erfc(-z / sqrt(2)) / 2

    sd = sqrt(variance * time)
    return below((mean * time - height) / sd) + exp(2 * mean * height / variance) * below(-(mean * time + height) / sd)


@pytest.mark.parametrize(("mean", "variance", "height"), [(0.1, 1.0, 5.0), (0.02, 0.04, 3.0), (1.0, 0.5, 8.0)])
def test_a_level_line_is_crossed_as_the_inverse_gaussian_says(mean: float, variance: float, height: float) -> None:
    about = height / mean
    found = passage(Walk(mean, variance), lambda _: height, first=about / 40, last=about * 15)
    for share in (0.2, 0.5, 0.8, 0.9):
        time = found.by(share)
        assert inverse_gaussian(time, height=height, mean=mean, variance=variance) == pytest.approx(share, abs=0.012)


def test_a_line_through_the_mean_is_where_half_are_above_at_the_first_look() -> None:
    found = passage(Walk(1.0, 1.0), lambda _: 100.0, first=100.0, last=1000.0)
    assert found.chances[0] == pytest.approx(0.5)
    assert found.by(0.4) == 100.0


def test_without_chance_the_line_is_crossed_when_the_sum_is_there() -> None:
    found = passage(Walk(2.0, 0.0), lambda _: 50.0, first=1.0, last=400.0)
    assert found.by(0.5) == pytest.approx(25.0, rel=0.07)
    assert found.by(0.9) == pytest.approx(25.0, rel=0.07)


def test_what_never_comes_is_infinitely_late() -> None:
    assert passage(Walk(0.0, 1.0), lambda _: inf, first=1.0, last=10.0).by(0.5) == inf
    assert passage(Walk(-1.0, 1.0), lambda _: 20.0, first=1.0, last=10.0).by(0.5) == inf


def test_chances_only_grow_and_stay_chances() -> None:
    found = passage(Walk(0.3, 2.0), lambda time: 4 * sqrt(time), first=1.0, last=5000.0)
    assert list(found.chances) == sorted(found.chances)
    assert found.chances[0] >= 0
    assert found.chances[-1] <= 1
