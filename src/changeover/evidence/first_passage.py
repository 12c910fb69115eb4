"""When will a wandering sum first reach a moving line? The distribution of that time, without dice.

A sum of many small steps is taken as Brownian motion. Whoever is above the line at a time crossed it before and has gone
on from there, which makes one equation for each time (Peskir 2002, "On integral equations arising in the first-passage
problem for Brownian motion"); solved from the first time to the last they give the chance of having crossed.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from math import erfc, inf, sqrt
from typing import Final, NamedTuple

POINTS: Final = 64
"""Of time, spaced evenly on a logarithmic scale. Twice as many change no quantile by a percent."""


class Walk(NamedTuple):
    """A sum that gains ``mean`` and ``variance`` in each unit of time."""

    mean: float
    variance: float


class Passage(NamedTuple):
    """The chance of having crossed by each of ``times``, which rise."""

    times: tuple[float, ...]
    chances: tuple[float, ...]

    def by(self, share: float) -> float:
        """The time by which ``share`` of all such walks have crossed; infinite where they have not by the last time."""
        at = bisect_left(self.chances, share)
        if at == len(self.chances):
            return inf
        if at == 0:
            return self.times[0]
        before, after = self.chances[at - 1], self.chances[at]
        part = (share - before) / (after - before) if after > before else 1.0
        return self.times[at - 1] * (self.times[at] / self.times[at - 1]) ** part


def passage(walk: Walk, line: Callable[[float], float], *, first: float, last: float) -> Passage:
    """Crossings of ``line`` from below at or after time ``first``, up to ``last``; the sum starts at 0 at time 0.

    ``line`` may be infinite where nothing can cross yet. Whoever is above it at ``first`` has crossed there.
    """
    step = (last / first) ** (1 / (POINTS - 1))
    times = [first * step**number for number in range(POINTS)]
    lines = [line(time) for time in times]
    middles = [time / sqrt(step) for time in times]
    middles[0] = first
    starts = [lines[0], *map(line, middles[1:])]
    gains: list[float] = []
    for index, (time, height) in enumerate(zip(times, lines, strict=True)):
        gains.append(_gain(walk, time, height, gains=gains, middles=middles, starts=starts) if index else _above(walk, time, height))
    chances: list[float] = []
    total = 0.0
    for gain in gains:
        total = min(1.0, total + gain)
        chances.append(total)
    return Passage(tuple(times), tuple(chances))


def _gain(walk: Walk, time: float, height: float, *, gains: Sequence[float], middles: Sequence[float], starts: Sequence[float]) -> float:
    """How many cross between the time before and ``time``: those above now, less those who crossed earlier and still are."""
    index = len(gains)
    if height == inf or starts[index] == inf:
        return 0.0
    known = 0.0
    for gain, since, start in zip(gains, middles, starts, strict=False):
        if gain > 0:
            known += gain * _above(walk, time - since, height - start)
    share = _above(walk, time - middles[index], height - starts[index])
    return max(0.0, (_above(walk, time, height) - known) / share) if share > 0 else 0.0


def _above(walk: Walk, time: float, height: float) -> float:
    """The chance of being ``height`` or more above the start after ``time``."""
    if height == inf:
        return 0.0
    distance = height - walk.mean * time
    if not walk.variance > 0 or not time > 0:
        return 1.0 if distance <= 0 else 0.0
    return erfc(distance / sqrt(2 * walk.variance * time)) / 2
