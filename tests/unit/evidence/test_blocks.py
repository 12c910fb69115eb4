"""Blocks of time."""

import pytest

from changeover.evidence.blocks import BlockClock


def test_a_block_begins_with_its_start_and_ends_before_its_end():
    clock = BlockClock(origin_at=1000.0, block_s=30.0)
    assert [clock.index(at) for at in (999.9, 1000.0, 1029.9, 1030.0, 1090.0)] == [-1, 0, 0, 1, 3]
    assert (clock.start(2), clock.end(2)) == (1060.0, 1090.0)


def test_borders_that_are_no_round_numbers_are_never_counted_twice_or_lost():
    clock = BlockClock(origin_at=1_780_000_000.123, block_s=0.1)
    for block in range(3000):
        assert clock.index(clock.start(block)) == block
        assert clock.end(block) == clock.start(block + 1)


@pytest.mark.parametrize("block_s", [0.0, -1.0, float("nan")])
def test_a_block_without_length_is_refused(block_s):
    with pytest.raises(ValueError, match=r"set evidence\.block"):
        BlockClock(origin_at=0.0, block_s=block_s)
