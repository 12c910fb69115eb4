"""Which block of time does a request belong to? Blocks are counted from the rollout's start and looked at when closed."""

from dataclasses import dataclass
from math import floor


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockClock:
    """Block ``i`` is the time from ``start(i)`` up to, not including, ``end(i)``. Times are Unix seconds.

    Raises:
        ValueError: ``block_s`` is not positive.
    """

    origin_at: float
    block_s: float

    def __post_init__(self) -> None:
        if not self.block_s > 0:
            raise ValueError(f"a block lasts {self.block_s} s; expected more than 0: set evidence.block")

    def index(self, at: float) -> int:
        """The block that ``at`` lies in; negative before the origin. Agrees with ``start`` and ``end`` to the last bit."""
        block = floor((at - self.origin_at) / self.block_s)
        if at < self.start(block):
            return block - 1
        return block + 1 if at >= self.end(block) else block

    def start(self, block: int) -> float:
        return self.origin_at + block * self.block_s

    def end(self, block: int) -> float:
        return self.start(block + 1)
