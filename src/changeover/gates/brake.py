"""Is the candidate down while the stable is not? The outage brake: no verdict, a belt for what verdicts are too slow for.

Tests count a unit once, by its first request, and at a weight of 100 % there is nobody to test against. A candidate that
breaks then would serve errors to everybody who came before. The brake looks at all requests of a closed block, at whatever
weight, and its bounds are so wide apart that it needs no error level: see docs/decisions/0025-outage-brake.md.
"""

from dataclasses import dataclass, replace
from typing import Final

from changeover.evidence.outcomes import OutcomeBlock
from changeover.evidence.traffic import NO_TRAFFIC, UNITS_MAX, Traffic
from changeover.gates.verdict import Braked

BRAKE_SHARE: Final = 0.5
"""More of the candidate's requests than this must have failed."""

BRAKE_STABLE_SHARE: Final = 0.1
"""Less of the stable's requests than this may have failed: an outage of both is nobody's fault."""

BRAKE_UNITS_MIN: Final = 20
"""One broken caller must not roll back anything."""

assert BRAKE_UNITS_MIN <= UNITS_MAX, "more units are asked for than are counted"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageBrake:
    """The fold of all closed outcome blocks. ``stable`` is the last block's traffic in which the stable had any; ``braked``
    stays once it is there.
    """

    stable: Traffic = NO_TRAFFIC
    braked: Braked | None = None

    def add(self, block: OutcomeBlock, *, at: float) -> "OutageBrake":
        """Take in the next block and look, at its end ``at``."""
        stable = block.stable_traffic if block.stable_traffic.requests else self.stable
        grown = replace(self, stable=stable)
        if self.braked is not None or not is_down(block.candidate_traffic, stable):
            return grown
        return replace(grown, braked=_braked(block.candidate_traffic, stable, at=at))


NOT_BRAKED: Final = OutageBrake()


def is_down(candidate: Traffic, stable: Traffic) -> bool:
    """Whether the candidate's block is an outage of its own. Without any traffic of the stable nobody can tell whose it is."""
    if candidate.units < BRAKE_UNITS_MIN or not stable.requests:
        return False
    return candidate.errors > BRAKE_SHARE * candidate.requests and stable.errors < BRAKE_STABLE_SHARE * stable.requests


def _braked(candidate: Traffic, stable: Traffic, *, at: float) -> Braked:
    return Braked(
        at=at,
        candidate_requests=candidate.requests,
        candidate_errors=candidate.errors,
        stable_requests=stable.requests,
        stable_errors=stable.errors,
        units_min=BRAKE_UNITS_MIN,
        share_max=BRAKE_SHARE,
        stable_share_max=BRAKE_STABLE_SHARE,
    )
