"""The split is fair, independent between tasks, and moves units one way only."""

import math
from collections import Counter

import pytest

from changeover.traffic.assignment import assign, draw, draw_again, hash_unit, position_permille
from changeover.traffic.table import Route, Side

UNITS = 100_000
Z_999 = 3.2905  # two-sided 99.9 % quantile of the normal distribution
CHI_SQUARED_999 = 16.266  # 99.9 % quantile with 3 degrees of freedom


def route(permille: int, *, salt: str = "salt", task: str = "mail") -> Route:
    return Route(task=task, stable="old", candidate="new", candidate_permille=permille, attempt=1, salt=salt)


def bound(share: float) -> float:
    return Z_999 * math.sqrt(share * (1 - share) / UNITS)


@pytest.mark.parametrize("permille", [1, 10, 100, 500, 900, 999])
def test_the_share_of_units_matches_the_weight(permille: int) -> None:
    taken = sum(position_permille("fresh-salt", f"unit-{number}") < permille for number in range(UNITS))
    assert abs(taken / UNITS - permille / 1000) <= bound(permille / 1000)


@pytest.mark.parametrize(("mail", "chat"), [(500, 500), (100, 100), (1, 500), (900, 10)])
def test_two_tasks_draw_independently(mail: int, chat: int) -> None:
    """The four ways in which two tasks can draw a unit come as often as if each drew alone: all four together, so chi-squared."""
    drawn = Counter(
        (assign(route(mail, salt="salt-a"), unit).side, assign(route(chat, salt="salt-b", task="chat"), unit).side)
        for unit in (f"unit-{number}" for number in range(UNITS))
    )
    expected = {
        (first, second): UNITS * share * other_share
        for first, share in ((Side.CANDIDATE, mail / 1000), (Side.STABLE, 1 - mail / 1000))
        for second, other_share in ((Side.CANDIDATE, chat / 1000), (Side.STABLE, 1 - chat / 1000))
    }
    assert sum((drawn[way] - often) ** 2 / often for way, often in expected.items()) <= CHI_SQUARED_999


def test_two_attempts_at_one_task_draw_independently() -> None:
    both = sum(
        assign(route(100, salt="attempt-1"), f"unit-{number}").side is Side.CANDIDATE
        and assign(route(100, salt="attempt-2"), f"unit-{number}").side is Side.CANDIDATE
        for number in range(UNITS)
    )
    assert abs(both / UNITS - 0.01) <= bound(0.01)


@pytest.mark.parametrize("permille", [1, 5, 999])
def test_the_smallest_weights_reach_their_units_through_the_whole_assignment(permille: int) -> None:
    taken = sum(assign(route(permille), f"unit-{number}").side is Side.CANDIDATE for number in range(UNITS))
    assert 0 < taken < UNITS
    assert abs(taken / UNITS - permille / 1000) <= bound(permille / 1000)


def test_raising_the_weight_moves_units_to_the_candidate_only() -> None:
    weights = [0, 1, 50, 100, 500, 999, 1000]
    for number in range(2_000):
        sides = [assign(route(weight), f"unit-{number}").side for weight in weights]
        assert sides == sorted(sides, key=lambda side: side is Side.CANDIDATE)


def test_no_unit_is_assigned_to_weight_zero_and_every_unit_to_full_weight() -> None:
    assert {assign(route(0), str(number)).side for number in range(5_000)} == {Side.STABLE}
    assert {assign(route(1000), str(number)).side for number in range(5_000)} == {Side.CANDIDATE}


def test_the_probability_is_logged_for_both_sides() -> None:
    answers = {assign(route(100), str(number)) for number in range(1_000)}
    assert {answer.candidate_probability for answer in answers} == {0.1}
    assert {(answer.side, answer.deployment) for answer in answers} == {(Side.STABLE, "old"), (Side.CANDIDATE, "new")}


def test_a_task_without_a_candidate_serves_its_stable() -> None:
    answer = assign(Route(task="mail", stable="old"), "unit")
    assert (answer.side, answer.deployment, answer.candidate_probability) == (Side.STABLE, "old", 0.0)


def test_a_stored_unit_does_not_show_the_unit_and_differs_between_salts() -> None:
    stored = hash_unit("salt-a", "jane@example.com")
    assert len(stored) == 32
    assert "jane" not in stored
    assert stored != hash_unit("salt-b", "jane@example.com")
    assert stored == hash_unit("salt-a", "jane@example.com")


def test_a_unit_that_comes_again_is_drawn_as_the_first_time() -> None:
    units = [f"unit-{number}" for number in range(50)]
    expected = [(position_permille("salt", unit), hash_unit("salt", unit)) for unit in units]
    for _ in range(2):
        assert [draw_again("salt", unit) for unit in units] == expected
    assert [draw("salt", unit) for unit in units] == expected
    assert draw_again("other", units[0]) != expected[0]
