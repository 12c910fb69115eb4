"""How fast new units come, from when they were first seen."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.evidence.arrivals import DAY_S, Arrivals, DayCount, arrivals_of, declared_arrivals

MONDAY = 20_000


def counted(*units: int) -> list[DayCount]:
    return [DayCount(day=MONDAY + number, units=count) for number, count in enumerate(units)]


def test_less_than_a_day_counts_as_its_share_of_one() -> None:
    found = arrivals_of(counted(600), since=MONDAY * DAY_S, until=MONDAY * DAY_S + DAY_S / 4)
    assert found is not None
    assert (found.first_day, found.later) == (2400, 2400)
    assert "600 in 6 hours" in found.basis


def test_users_who_return_are_new_on_the_first_day_only() -> None:
    found = arrivals_of(counted(5000, 50, 50, 50), since=MONDAY * DAY_S, until=(MONDAY + 4) * DAY_S)
    assert found is not None
    assert found.first_day == 5000
    assert found.later == pytest.approx(50)
    assert found.days(5000) == 1
    assert found.days(5100) == pytest.approx(3)


def test_a_window_that_opens_in_the_middle_of_a_day_completes_it_from_the_next() -> None:
    found = arrivals_of(counted(500, 1000, 1000), since=(MONDAY + 0.5) * DAY_S, until=(MONDAY + 3) * DAY_S)
    assert found is not None
    assert found.first_day == pytest.approx(1000)
    assert found.later == pytest.approx(1000)


@pytest.mark.parametrize(("units", "span_s"), [(19, 3600.0), (1000, 0.5), (0, DAY_S)])
def test_too_little_says_nothing(units: int, span_s: float) -> None:
    assert arrivals_of(counted(units), since=MONDAY * DAY_S, until=MONDAY * DAY_S + span_s) is None


def test_who_never_comes_is_waited_for_in_vain() -> None:
    arrivals = Arrivals(first_day=100, later=0, basis="")
    assert arrivals.days(101) == inf
    assert arrivals.days(0) == 0
    assert arrivals.by(1000) == 100


def test_traffic_may_be_declared() -> None:
    arrivals = declared_arrivals(50_000)
    assert arrivals.days(25_000) == 0.5
    assert "50,000 new units a day, as given" in arrivals.basis


@given(first=st.floats(1, 1e9), later=st.floats(0.1, 1e9), units=st.floats(0, 1e9))
def test_the_day_of_a_unit_is_the_day_by_which_it_came(first: float, later: float, units: float) -> None:
    arrivals = Arrivals(first_day=first, later=later, basis="")
    assert arrivals.by(arrivals.days(units)) == pytest.approx(units, rel=1e-6, abs=1e-6)
