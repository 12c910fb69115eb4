"""Does an event happen more often on the candidate's side? The rate-ratio e-process, which looks only at events.

If the candidate's rate is r times the stable's at that moment, an event whose request had probability p of being the
candidate's came from the candidate with probability p r / (p r + 1 - p), whatever the base rate does. The counts of
events by side and p are the whole state.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import exp, inf, log
from typing import Final, NamedTuple

from changeover.evidence.mixture import log_mean_exp

RATIOS: Final = 12
RATIO_MIN: Final = 1.03
RATIO_MAX: Final = 4.0
STEPS: Final = tuple(RATIO_MIN * (RATIO_MAX / RATIO_MIN) ** (k / (RATIOS - 1)) for k in range(RATIOS))
"""How far from the tested ratio the alternatives lie, log-spaced from 1.03 to 4."""

_INVERSE_STEPS: Final = tuple(1 / step for step in STEPS)
_GRIDS_KEPT: Final = 256
_HAIR: Final = 1 + 1e-9
_SEARCH_LOG_RATIO: Final = log(10_000.0)
_SEARCH_HALVINGS: Final = 40


_Gains = tuple[tuple[float, float], ...]
"""By how much each bet's log-capital grows with one event of the candidate and with one of the stable."""


class EventCount(NamedTuple):
    """Events so far of requests that had probability ``p`` of being the candidate's."""

    p: float
    stable: int
    candidate: int


def log_e_above(
    counts: Sequence[EventCount], *, ratio: float, dispersion: float = 1.0, steps: tuple[float, ...] = STEPS, least: float = -inf
) -> float:
    """Log E against "the candidate's rate is at most ``ratio`` times the stable's".

    ``dispersion`` is by how much events vary more than independent ones would (evidence/tempering.py): each bet's
    log-capital is divided by it before they are averaged. ``steps`` is the grid of alternatives. Whoever only asks whether
    log E reaches ``least`` may get any number below it where it does not, and gets it faster.
    """
    if least == inf:
        return 0.0
    if least > -inf and (most := _ceiling(counts, ratio, 1) / dispersion) < least:
        return most
    usable = _usable(counts)
    gains = [_gains_above(p, ratio) if steps is STEPS else _gains(p, ratio, steps) for p, _, _ in usable]
    return _mixed(usable, gains, dispersion)


def log_e_below(counts: Sequence[EventCount], *, ratio: float, dispersion: float = 1.0, least: float = -inf) -> float:
    """Log E against "the candidate's rate is at least ``ratio`` times the stable's"; ``dispersion`` and ``least`` as above."""
    if least == inf:
        return 0.0
    if least > -inf and (most := _ceiling(counts, ratio, -1) / dispersion) < least:
        return most
    usable = _usable(counts)
    return _mixed(usable, [_gains_below(p, ratio) for p, _, _ in usable], dispersion)


def ratio_estimate(counts: Sequence[EventCount]) -> float | None:
    """The most likely ratio given the events; ``None`` when the stable had none, so that it has no upper end."""
    usable = _usable(counts)
    if not any(count.stable for count in usable):
        return None
    if not any(count.candidate for count in usable):
        return 0.0
    return _crossing(lambda ratio: _score(usable, ratio) <= 0)


def ratio_interval(counts: Sequence[EventCount], *, alpha: float) -> tuple[float, float | None] | None:
    """All ratios that neither direction rejects at alpha/2: covers at every look at once with probability 1 - alpha.

    Log E falls in the tested ratio when testing upwards and rises when testing downwards, so the two ends are found by
    halving. The low end is 0 when the candidate had no event, the high end ``None`` when the stable had none; the whole
    is ``None`` before the first event.
    """
    usable = _usable(counts)
    stable = sum(count.stable for count in usable)
    candidate = sum(count.candidate for count in usable)
    if not stable and not candidate:
        return None
    threshold = log(2 / alpha)
    low = _crossing(lambda ratio: log_e_above(usable, ratio=ratio) < threshold) if candidate else 0.0
    high = _crossing(lambda ratio: log_e_below(usable, ratio=ratio) >= threshold) if stable else None
    return low, high


def _mixed(counts: Sequence[EventCount], gains: Sequence[_Gains], dispersion: float) -> float:
    """The average of the bets whose log-capitals grow as ``gains`` say, by count."""
    if not counts:
        return 0.0
    _, stable, candidate = counts[0]
    capitals = [candidate * up + stable * down for up, down in gains[0]]
    for (_, stable, candidate), grid in zip(counts[1:], gains[1:], strict=True):
        capitals = [capital + candidate * up + stable * down for capital, (up, down) in zip(capitals, grid, strict=True)]
    if dispersion != 1:
        capitals = [capital / dispersion for capital in capitals]
    return log_mean_exp(capitals)


def _ceiling(counts: Sequence[EventCount], ratio: float, sign: int) -> float:
    """What no bet on a larger (``sign`` 1) or smaller (-1) ratio can have grown to: the gain of the best alternative, found
    for each probability on its own, and a hair more for rounding.
    """
    total = 0.0
    for p, stable, candidate in counts:
        units = stable + candidate
        expected = units * p * ratio / (p * ratio + 1 - p)
        if (candidate - expected) * sign > 0 and 0 < p < 1:
            total += candidate * log(candidate / expected) if candidate else 0.0
            total += stable * log(stable / (units - expected)) if stable else 0.0
    return total * _HAIR + _HAIR - 1


def _gains(p: float, ratio: float, steps: Sequence[float]) -> _Gains:
    found: list[tuple[float, float]] = []
    for step in steps:
        spread = log((p * ratio * step + 1 - p) / (p * ratio + 1 - p))
        found.append((log(step) - spread, -spread))
    return tuple(found)


@lru_cache(maxsize=_GRIDS_KEPT)
def _gains_above(p: float, ratio: float) -> _Gains:
    """Tests ask for the same few at every look, so they are kept."""
    return _gains(p, ratio, STEPS)


@lru_cache(maxsize=_GRIDS_KEPT)
def _gains_below(p: float, ratio: float) -> _Gains:
    return _gains(p, ratio, _INVERSE_STEPS)


def _usable(counts: Sequence[EventCount]) -> list[EventCount]:
    """At p = 0 or 1 there is nothing to compare with: every factor is 1."""
    return [count for count in counts if 0 < count.p < 1]


def _score(counts: Sequence[EventCount], ratio: float) -> float:
    """Candidate's events less those expected of it at ``ratio``: falls in ``ratio``, 0 at the most likely one."""
    return sum(candidate - (stable + candidate) * p * ratio / (p * ratio + 1 - p) for p, stable, candidate in counts)


def _crossing(holds: Callable[[float], bool]) -> float:
    """The smallest ratio between 1/10,000 and 10,000 for which ``holds``, which stays true once it is."""
    low, high = -_SEARCH_LOG_RATIO, _SEARCH_LOG_RATIO
    for _ in range(_SEARCH_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(exp(middle)) else (middle, high)
    return exp(high)
