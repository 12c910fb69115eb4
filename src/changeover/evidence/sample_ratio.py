"""Was traffic split as it was drawn? A sequential check of the counts against the logged probabilities.

It accuses the plumbing (lost observations, a broken draw), never the candidate.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import inf, log
from typing import Final, NamedTuple

from changeover.evidence.mixture import log_mean_exp

ODDS_EACH_WAY: Final = 6
ODDS_MIN: Final = 1.02
ODDS_MAX: Final = 1.5
_UPWARDS: Final = tuple(ODDS_MIN * (ODDS_MAX / ODDS_MIN) ** (k / (ODDS_EACH_WAY - 1)) for k in range(ODDS_EACH_WAY))
ODDS: Final = (*_UPWARDS, *(1 / odds for odds in _UPWARDS))
"""The alternatives: the odds of being the candidate's, relative to the logged ones, in both directions."""
_PROBABILITIES_KEPT: Final = 64
_HAIR: Final = 1 + 1e-9


class SplitCount(NamedTuple):
    """Units assigned so far that had probability ``p`` of being the candidate's."""

    p: float
    stable: int
    candidate: int


def log_e_split(counts: Sequence[SplitCount], *, least: float = -inf) -> float:
    """Log E against "every unit was drawn with its logged probability". At p = 0 or 1 all factors are 1.

    Whoever only asks whether it reaches ``least`` may get any number below where it does not, and gets it faster.
    """
    if least > -inf and (most := _ceiling(counts)) < least:
        return most
    capitals = [0.0] * len(ODDS)
    for p, stable, candidate in counts:
        if 0 < p < 1:
            gains = _gains(p)
            capitals = [capital + candidate * up + stable * down for capital, (up, down) in zip(capitals, gains, strict=True)]
    return log_mean_exp(capitals)


def _ceiling(counts: Sequence[SplitCount]) -> float:
    """What no bet can have grown to: the gain of the best odds, found for each probability on its own."""
    total = 0.0
    for p, stable, candidate in counts:
        if 0 < p < 1:
            units = stable + candidate
            total += candidate * log(candidate / (units * p)) if candidate else 0.0
            total += stable * log(stable / (units * (1 - p))) if stable else 0.0
    return total * _HAIR + _HAIR - 1


@lru_cache(maxsize=_PROBABILITIES_KEPT)
def _gains(p: float) -> tuple[tuple[float, float], ...]:
    """By how much each bet's log-capital grows with a unit of the candidate and with one of the stable."""
    spreads = [log(p * odds + 1 - p) for odds in ODDS]
    return tuple([(log(odds) - spread, -spread) for odds, spread in zip(ODDS, spreads, strict=True)])
