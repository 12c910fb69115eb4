"""How are several bets on one question joined? By their average, which is again a fair bet."""

from collections.abc import Sequence
from math import exp, log


def log_mean_exp(logs: Sequence[float]) -> float:
    """The logarithm of the mean of exp(``logs``), safe for any size. ``logs`` is not empty and finite."""
    top = max(logs)
    return top + log(sum([exp(value - top) for value in logs]) / len(logs))
