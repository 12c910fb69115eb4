from collections import Counter

import pytest

from changeover.traffic.pool import FRESH_S, SHARE_MIN, Headroom, choose, shares_of

AT = 50.0
MEMBERS = ("east", "west", "north")


def room(tokens: int | None = None, requests: int | None = None, *, seen_at: float = AT) -> Headroom:
    return Headroom(requests, tokens, seen_at)


def spread(rooms: list[Headroom | None], turns: int = 10_000) -> dict[str, float]:
    count = Counter(choose(MEMBERS, rooms, turn=turn, at=AT) for turn in range(turns))
    return {name: count[name] / turns for name in MEMBERS}


def test_without_knowledge_members_take_turns() -> None:
    assert [choose(MEMBERS, [None] * 3, turn=turn, at=AT) for turn in range(6)] == [*MEMBERS, *MEMBERS]


def test_equal_headroom_is_a_tie_and_members_take_turns() -> None:
    rooms = [room(500), room(500), room(500)]
    assert [choose(MEMBERS, rooms, turn=turn, at=AT) for turn in range(3)] == list(MEMBERS)


def test_load_follows_the_headroom() -> None:
    assert spread([room(6000), room(3000), room(1000)]) == pytest.approx({"east": 0.6, "west": 0.3, "north": 0.1}, abs=0.002)


def test_the_spread_is_even_over_a_few_requests_too() -> None:
    count = Counter(choose(MEMBERS, [room(6000), room(3000), room(1000)], turn=turn, at=AT) for turn in range(20))
    assert 10 <= count["east"] <= 14
    assert 4 <= count["west"] <= 8


def test_an_exhausted_member_gets_the_least_share_and_is_not_forgotten() -> None:
    shares = spread([room(6000), room(0), room(6000)])
    assert 0.5 * SHARE_MIN / 2 < shares["west"] < 2 * SHARE_MIN / 2


def test_all_exhausted_is_a_tie() -> None:
    assert spread([room(0), room(0), room(0)], turns=9) == dict.fromkeys(MEMBERS, 1 / 3)


def test_the_scarcer_of_tokens_and_requests_counts() -> None:
    assert shares_of([room(1000, 10), room(1000, 5), room(500, 10)]) == [1.0, 0.5, 0.5]


def test_a_member_of_which_nothing_fresh_is_known_gets_the_mean_share() -> None:
    assert shares_of([room(1000), None, room(500)]) == [1.0, 0.75, 0.5]
    old = room(5, seen_at=AT - FRESH_S - 1)
    assert spread([room(1000), old, room(1000)]) == {name: pytest.approx(1 / 3, abs=0.001) for name in MEMBERS}


def test_one_member_needs_no_choice() -> None:
    assert choose(("east",), [None], turn=7, at=AT) == "east"
