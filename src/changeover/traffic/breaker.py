"""Is this deployment worth a request now? What was seen of it lately, folded into one small value. Counts nothing itself."""

from enum import Enum
from math import inf
from typing import Final, NamedTuple

FAULTS_MAX: Final = 5
"""So many faults in a row open a breaker."""
OPEN_FIRST_S: Final = 5.0
OPEN_MAX_S: Final = 60.0
"""Each opening that follows a failed probe is twice as long as the one before, up to here."""
TOLD_MAX_S: Final = 900.0
"""A provider may say to stay away for a day. It is asked again sooner: a quota can be raised, and asking costs one request."""
PROBE_S: Final = 60.0
"""A probe that has not ended by then is given up, and another request may try."""


class Stance(Enum):
    """What a breaker says of the next request."""

    CLOSED = "closed"
    """Send it."""
    HALF_OPEN = "half_open"
    """Send this one, as a probe (``begin_probe``), and no other until it has ended."""
    OPEN = "open"
    """Send it elsewhere."""


class Breaker(NamedTuple):
    """One deployment's recent past. Every ``at`` is seconds of one monotonic clock.

    ``faults`` in a row; ``openings`` in a row; open since ``opened_at`` until ``open_until_at``; a probe is under way
    until ``probe_until_at`` at the latest.
    """

    faults: int = 0
    openings: int = 0
    opened_at: float = -inf
    open_until_at: float = -inf
    probe_until_at: float = -inf


CLOSED: Final = Breaker()
"""Nothing is known against the deployment."""


def stance(breaker: Breaker, at: float) -> Stance:
    """What ``breaker`` says of a request at ``at``."""
    if not breaker.openings:
        return Stance.CLOSED
    if at < breaker.open_until_at or at < breaker.probe_until_at:
        return Stance.OPEN
    return Stance.HALF_OPEN


def begin_probe(breaker: Breaker, at: float) -> Breaker:
    """A request is sent at ``at`` although the breaker was open: the only one until it ends."""
    return breaker._replace(probe_until_at=at + PROBE_S) if breaker.openings else breaker


def end_probe(breaker: Breaker) -> Breaker:
    """The probe ended and says nothing: its caller left. Another may try."""
    return breaker._replace(probe_until_at=-inf)


def answered(breaker: Breaker, *, sent_at: float) -> Breaker:
    """A request sent at ``sent_at`` was answered. One from before the opening says nothing of the deployment as it is now."""
    return breaker if sent_at < breaker.opened_at else CLOSED


def faulted(breaker: Breaker, at: float, *, sent_at: float) -> Breaker:
    """The deployment did not answer a request sent at ``sent_at``: open when that was one too many, or the probe."""
    if sent_at < breaker.opened_at:
        return breaker
    if breaker.openings or breaker.faults + 1 >= FAULTS_MAX:
        return tripped(breaker, at, sent_at=sent_at)
    return breaker._replace(faults=breaker.faults + 1)


def tripped(breaker: Breaker, at: float, *, sent_at: float, for_s: float | None = None) -> Breaker:
    """One answer was enough to know: open at once. ``for_s``: the provider said for how long.

    Many requests are under way when a deployment goes: what was sent before the opening does not open it again.
    """
    if sent_at < breaker.opened_at:
        return breaker
    openings = breaker.openings + 1
    own_s = min(OPEN_FIRST_S * 2.0 ** min(breaker.openings, 16), OPEN_MAX_S)
    open_s = own_s if for_s is None else min(for_s, TOLD_MAX_S)
    return Breaker(faults=breaker.faults + 1, openings=openings, opened_at=at, open_until_at=at + open_s)
