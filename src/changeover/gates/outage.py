"""Is the stable itself down? An outage that both sides share proves nothing about the candidate, least of all its fitness.

Two deployments that fail alike have a ratio of errors near 1 and no difference in quality, and they show it fast: an
outage would reach a pass long before health does. So a block in which the stable did not answer most of its units is
no evidence for passing, and nothing passes while the last block was one. It still counts toward tripping, so that the
rule can only make a pass later, never earlier, and never saves a candidate.
"""

from typing import Final

OUTAGE_SHARE: Final = 0.5
OUTAGE_UNITS_MIN: Final = 5


def is_outage(*, unanswered: int, units: int) -> bool:
    """Whether the stable, with ``units`` in a block of which ``unanswered`` had no answer, was down in it."""
    return units >= OUTAGE_UNITS_MIN and unanswered > OUTAGE_SHARE * units


def outage_words(*, unanswered: int, units: int) -> str:
    return f"the stable itself did not answer {unanswered} of {units} units in the last block: a shared outage proves nothing"
