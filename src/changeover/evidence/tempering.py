"""By how much do events vary more than independent ones would? A deployment's own ups and downs come in waves.

A congested deployment answers many requests in a row slowly, so that a hundred slow answers may be one bad quarter of
an hour. Blocks of time are compared: the differences between the sides' shares, against how much they would differ if
every request were on its own. The ratio of the two divides the evidence. It is estimated, so a test that is tempered by
it holds its level approximately.
"""

from math import sqrt
from typing import Final, NamedTuple

import msgspec

from changeover.evidence.moments import Moments

BLOCKS_MIN: Final = 12
"""Blocks with both sides before a tempered test may decide."""

BEYOND_CHANCE: Final = 2.5
"""An autocorrelation over so many standard errors of independent blocks is none of chance."""

_TINY: Final = 1e-9
"""Below this share of its own size a sum of squares is rounding error."""


class BlockShares(NamedTuple):
    """Units and events of both sides in one block."""

    stable: int
    stable_events: int
    candidate: int
    candidate_events: int


class Tempering(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of blocks in order.

    ``differences`` are the candidate's share of events less the stable's, of the ``differences.count`` blocks that had
    both sides; ``expected`` sums the variances that independent requests would give them, ``products`` those of
    successive differences. ``units`` and ``events`` count everything.
    """

    differences: Moments = Moments()
    expected: float = 0.0
    products: float = 0.0
    first: float = 0.0
    last: float = 0.0
    units: int = 0
    events: int = 0

    @property
    def blocks(self) -> int:
        """Blocks with both sides."""
        return self.differences.count

    def after(self, block: BlockShares) -> "Tempering":
        """The next block. One without both sides shows no difference, but its events count."""
        units = self.units + block.stable + block.candidate
        events = self.events + block.stable_events + block.candidate_events
        if not block.stable or not block.candidate:
            return msgspec.structs.replace(self, units=units, events=events)
        share, known = events / units, self.differences.count
        difference = block.candidate_events / block.candidate - block.stable_events / block.stable
        return Tempering(
            differences=self.differences.merged(Moments(count=1, mean=difference)),
            expected=self.expected + share * (1 - share) * (1 / block.stable + 1 / block.candidate),
            products=self.products + (self.last * difference if known else 0.0),
            first=self.first if known else difference,
            last=difference,
            units=units,
            events=events,
        )

    @property
    def dispersion(self) -> float:
        """D: the variance between blocks over the one expected of independent requests; never below 1."""
        return max(1.0, self._inflation)

    @property
    def autocorrelation(self) -> float | None:
        """Of a block's difference with that of the block before; ``None`` when nothing varies."""
        mean, spread = self.differences.mean, self.differences.m2
        if not sqrt(spread) > _TINY * max(abs(self.first), abs(self.last), abs(mean)):
            return None
        pairs = self.blocks - 1
        ends = self.first + self.last
        return (self.products - mean * (2 * self.blocks * mean - ends) + pairs * mean * mean) / spread

    @property
    def likeness(self) -> float | None:
        """How alike the slow spells of successive blocks are: near 0 when blocks are long enough to be independent, which
        is what the dispersion rests on. ``None`` when nothing varies.

        The autocorrelation, raised by what it falls short of in few blocks (Marriott and Pope 1954). Where it is then
        beyond chance, the part of the variance that independent requests explain is taken out: in short blocks their
        noise hides the spells.
        """
        found = self.autocorrelation
        if found is None:
            return None
        found += (1 + 3 * found) / self.blocks
        if found <= BEYOND_CHANCE / sqrt(self.blocks):
            return found
        excess = 1 - 1 / self.dispersion
        return min(1.0, found / excess) if excess > 0 else 1.0

    @property
    def _inflation(self) -> float:
        return self.differences.variance * self.blocks / self.expected if self.expected > 0 else 1.0


NO_BLOCKS: Final = Tempering()
