from changeover.adapters.memory import HandClock, SeededDice
from changeover.adapters.system import SystemClock, SystemDice
from changeover.ports.clock import Clock
from changeover.ports.dice import Dice

HEX = set("0123456789abcdef")


def test_the_machines_clock_tells_unix_time_in_this_century() -> None:
    clock: Clock = SystemClock()
    assert 1_600_000_000 < clock.now() < 4_100_000_000


def test_a_clock_moved_by_hand_stands_still_until_it_is_moved() -> None:
    clock = HandClock(100.0)
    assert (clock.now(), clock.now()) == (100.0, 100.0)
    assert clock.advance(2.5) == clock.now() == 102.5
    clock.set(50.0)
    assert clock.now() == 50.0


def test_tokens_are_32_hexadecimal_digits_and_never_the_same() -> None:
    pairs: list[Dice] = [SystemDice(), SeededDice(7)]
    for dice in pairs:
        tokens = [dice.token() for _ in range(500)]
        assert len(set(tokens)) == 500
        assert all(len(token) == 32 and set(token) <= HEX for token in tokens)


def test_the_same_seed_gives_the_same_tokens_and_another_seed_others() -> None:
    first, again, other = SeededDice(1), SeededDice(1), SeededDice(11)
    tokens = [first.token() for _ in range(20)]
    assert tokens == [again.token() for _ in range(20)]
    assert not set(tokens) & {other.token() for _ in range(20)}
