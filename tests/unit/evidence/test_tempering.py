"""How much blocks vary, against the reference."""

from itertools import pairwise
from random import Random
from statistics import fmean

import pytest

from changeover.evidence.events import EventCount, log_e_above, log_e_below
from changeover.evidence.tempering import NO_BLOCKS, BlockShares, Tempering

GOLDEN = [
    BlockShares(*block)
    for block in (
        (500, 25, 500, 20),
        (480, 30, 520, 40),
        (510, 22, 490, 15),
        (500, 28, 500, 45),
        (495, 20, 505, 18),
        (505, 35, 495, 30),
        (500, 24, 500, 41),
        (490, 26, 510, 17),
        (500, 31, 500, 22),
        (500, 18, 500, 33),
        (505, 27, 495, 24),
        (500, 23, 500, 39),
    )
]


def folded(blocks: list[BlockShares]) -> Tempering:
    tempering = NO_BLOCKS
    for block in blocks:
        tempering = tempering.after(block)
    return tempering


def test_the_dispersion_and_the_tempered_evidence_match_the_reference():
    tempering = folded(GOLDEN)
    events = [EventCount(0.5, sum(one.stable_events for one in GOLDEN), sum(one.candidate_events for one in GOLDEN))]
    assert events == [EventCount(0.5, 309, 344)]
    assert (tempering.blocks, tempering.dispersion) == (12, pytest.approx(2.3174136360, abs=5e-11))
    assert log_e_above(events, ratio=1.0) == pytest.approx(-1.1046615680, abs=5e-11)
    assert log_e_below(events, ratio=1.0) == pytest.approx(-3.0552051077, abs=5e-11)
    assert log_e_above(events, ratio=1.0, dispersion=tempering.dispersion) == pytest.approx(-1.3096594868, abs=5e-11)
    assert log_e_below(events, ratio=1.0, dispersion=tempering.dispersion) == pytest.approx(-2.5651870786, abs=5e-11)


def test_the_autocorrelation_is_that_of_the_textbook():
    differences = [one.candidate_events / one.candidate - one.stable_events / one.stable for one in GOLDEN]
    mean = fmean(differences)
    spread = sum((one - mean) ** 2 for one in differences)
    textbook = sum((one - mean) * (other - mean) for one, other in pairwise(differences)) / spread
    assert folded(GOLDEN).autocorrelation == pytest.approx(textbook, abs=1e-12)


def test_independent_requests_are_not_tempered():
    dice = Random(1)
    blocks = [BlockShares(400, binomial(dice, 400, 0.05), 400, binomial(dice, 400, 0.05)) for _ in range(200)]
    tempering = folded(blocks)
    assert tempering.dispersion < 1.3
    assert abs(tempering.autocorrelation or 0) < 0.2


def test_the_dispersion_is_never_below_one():
    assert folded([BlockShares(100, 5, 100, 5)] * 20).dispersion == 1.0


def test_long_slow_spells_show_as_dispersion_and_likeness():
    spells = [BlockShares(400, 20, 400, 60 if block // 5 % 2 else 20) for block in range(40)]
    assert folded(spells).dispersion > 2
    assert (folded(spells).autocorrelation or 0) > 0.4
    assert (folded(spells).likeness or 0) > 0.7


def test_spells_that_hide_in_the_noise_of_short_blocks_are_found_with_time():
    """Half the variance between blocks of 50 is chance; the autocorrelation alone stays below what shows."""
    dice = Random(6)
    blocks: list[BlockShares] = []
    for block in range(400):
        slow = 0.16 if block // 10 % 2 else 0.04
        blocks.append(BlockShares(50, binomial(dice, 50, 0.1), 50, binomial(dice, 50, slow)))
    tempering = folded(blocks)
    assert 0.2 < (tempering.autocorrelation or 0) < 0.6
    assert (tempering.likeness or 0) > 0.7


def test_independent_blocks_are_hardly_ever_alike():
    dice = Random(7)
    alike = 0
    for _ in range(100):
        blocks = [BlockShares(100, binomial(dice, 100, 0.05), 100, binomial(dice, 100, 0.05)) for _ in range(20)]
        alike += (folded(blocks).likeness or 0) > 0.4
    assert alike <= 10


@pytest.mark.parametrize("block", [BlockShares(0, 0, 0, 0), BlockShares(9, 3, 0, 0), BlockShares(0, 0, 9, 3)])
def test_a_block_without_both_sides_is_none_but_its_events_count(block):
    grown = folded([*GOLDEN, block])
    assert grown.blocks == 12
    assert grown.units == folded(GOLDEN).units + block.stable + block.candidate
    assert grown.events == folded(GOLDEN).events + block.stable_events + block.candidate_events
    assert grown.dispersion == folded(GOLDEN).dispersion


@pytest.mark.parametrize("blocks", [[], GOLDEN[:1], [BlockShares(10, 0, 10, 0)] * 15, [BlockShares(10, 10, 10, 10)] * 15])
def test_nothing_that_varies_is_no_dispersion_and_no_likeness(blocks):
    assert (folded(blocks).dispersion, folded(blocks).autocorrelation, folded(blocks).likeness) == (1.0, None, None)


def binomial(dice: Random, count: int, rate: float) -> int:
    return sum(dice.random() < rate for _ in range(count))
