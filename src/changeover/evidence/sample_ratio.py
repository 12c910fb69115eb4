"""Was traffic split as it was drawn? A sequential check of the counts against the logged probabilities.

It accuses the plumbing (lost observations, a broken draw), never the candidate.
"""

from collections.abc import Sequence
from math import log
from typing import Final, NamedTuple

from changeover.evidence.mixture import log_mean_exp

ODDS_EACH_WAY: Final = 6
ODDS_MIN: Final = 1.02
ODDS_MAX: Final = 1.5
_UPWARDS: Final = tuple(ODDS_MIN * (ODDS_MAX / ODDS_MIN) ** (k / (ODDS_EACH_WAY - 1)) for k in range(ODDS_EACH_WAY))
ODDS: Final = (*_UPWARDS, *(1 / odds for odds in _UPWARDS))
"""The alternatives: the odds of being the candidate's, relative to the logged ones, in both directions."""


class SplitCount(NamedTuple):
    """Units assigned so far that had probability ``p`` of being the candidate's."""

    p: float
    stable: int
    candidate: int


def log_e_split(counts: Sequence[SplitCount]) -> float:
    """Log E against "every unit was drawn with its logged probability". At p = 0 or 1 all factors are 1."""
    return log_mean_exp([_log_likelihood_ratio(counts, odds) for odds in ODDS])


def _log_likelihood_ratio(counts: Sequence[SplitCount], odds: float) -> float:
    total = 0.0
    for p, stable, candidate in counts:
        if 0 < p < 1:
            total += candidate * log(odds) - (candidate + stable) * log(p * odds + 1 - p)
    return total
