"""Scores of 1 to 5 in five categories, as a judge gives them."""

from collections.abc import Sequence
from random import Random
from typing import Final

CATEGORIES: Final = (0.02, 0.05, 0.10, 0.37, 0.46)
"""Chances of 1 to 5: a mean of 4.2 and a deviation of 0.95."""


def category(dice: Random, weights: Sequence[float]) -> float:
    """One score drawn by ``weights``."""
    left = dice.random()
    for index, weight in enumerate(weights):
        left -= weight
        if left < 0:
            return float(index + 1)
    return float(len(weights))


def categories_of(mean: float) -> tuple[float, ...]:
    """Chances of 1 to 5 with this mean, from 1 to 5: those of ``CATEGORIES``, moved up or down by one as often as it takes."""
    known = sum((index + 1) * weight for index, weight in enumerate(CATEGORIES))
    found = list(CATEGORIES)
    while abs(mean - known) > 1e-12:
        down = mean < known
        movable = 1 - (found[0] if down else found[-1])
        share = min(1.0, abs(known - mean) / movable)
        found = _moved(found, share, down=down)
        known = sum((index + 1) * weight for index, weight in enumerate(found))
    return tuple(found)


def _moved(weights: Sequence[float], share: float, *, down: bool) -> list[float]:
    """``share`` of everybody who can moves by one."""
    found = [0.0] * len(weights)
    for index, weight in enumerate(weights):
        to = index - 1 if down else index + 1
        leaving = weight * share if 0 <= to < len(weights) else 0.0
        found[index] += weight - leaving
        if leaving:
            found[to] += leaving
    return found
