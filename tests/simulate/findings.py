"""What did one run show? Yes or no for each criterion and each who judged; what does not apply is left out."""

from collections.abc import Mapping
from typing import Final

OURS_PASS: Final = "pass"
OURS_TRIP: Final = "trip"
OURS_FAIL: Final = "fail"
NAIVE_PASS: Final = "naive pass"
NAIVE_TRIP: Final = "naive trip"
CHECKS_PASS: Final = "checks pass"
CHECKS_TRIP: Final = "checks trip"

Findings = dict[str, dict[str, bool]]
"""By criterion, then by one of the names above: whether that wrong answer was given."""

Pair = tuple[bool | None, bool | None]
"""A wrong pass and a false trip."""


def finding(*, ours: Pair, naive: Pair, failed: bool | None = None, checks: Pair = (None, None)) -> dict[str, bool]:
    """``failed`` is a fail at the margin, where that is not what trips."""
    named: Mapping[str, bool | None] = {
        OURS_PASS: ours[0],
        OURS_TRIP: ours[1],
        OURS_FAIL: failed,
        NAIVE_PASS: naive[0],
        NAIVE_TRIP: naive[1],
        CHECKS_PASS: checks[0],
        CHECKS_TRIP: checks[1],
    }
    return {name: value for name, value in named.items() if value is not None}
