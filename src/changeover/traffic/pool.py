"""Which of several deployments of one model version takes the next request? A pure choice; breakers have had their say before."""

from collections.abc import Sequence
from typing import Final, NamedTuple

FRESH_S: Final = 60.0
"""Providers count by the minute: what was left longer ago than that is no longer known."""
SHARE_MIN: Final = 0.02
"""The least a member gets, relative to the best: who gets nothing would never be heard of again."""

_GOLDEN: Final = 0.6180339887498949
"""Multiples of the golden ratio, modulo 1, fill the unit interval more evenly than chance: no dice are needed."""


class Headroom(NamedTuple):
    """What a deployment said was left of its rate limits, at ``seen_at`` (seconds of a monotonic clock)."""

    requests: int | None
    tokens: int | None
    seen_at: float


def choose(members: Sequence[str], headrooms: Sequence[Headroom | None], *, turn: int, at: float) -> str:
    """The member that takes request number ``turn``: in proportion to the headroom, by rotation where that says nothing.

    ``members`` (one at least) are those whose breakers let a request pass; ``headrooms`` stand in the same order.
    """
    if len(members) == 1:
        return members[0]
    shares = shares_of([None if room is None or at - room.seen_at > FRESH_S else room for room in headrooms])
    if min(shares) == max(shares):
        return members[turn % len(members)]
    point = (turn * _GOLDEN) % 1.0 * sum(shares)
    for member, share in zip(members, shares, strict=True):
        point -= share
        if point < 0:
            return member
    return members[-1]


def shares_of(rooms: Sequence[Headroom | None]) -> list[float]:
    """Each member's share, relative to the best.

    Of tokens and requests the scarcer counts: both are measured against the most that any member has. A member of which
    nothing is known gets the mean of the known.
    """
    most_tokens = max((room.tokens or 0 for room in rooms if room is not None), default=0)
    most_requests = max((room.requests or 0 for room in rooms if room is not None), default=0)
    known = [None if room is None else _share(room, most_tokens=most_tokens, most_requests=most_requests) for room in rooms]
    told = [share for share in known if share is not None]
    mean = sum(told) / len(told) if told else 1.0
    return [max(SHARE_MIN, mean if share is None else share) for share in known]


def _share(room: Headroom, *, most_tokens: int, most_requests: int) -> float | None:
    tokens = None if room.tokens is None else max(room.tokens, 0) / max(most_tokens, 1)
    requests = None if room.requests is None else max(room.requests, 0) / max(most_requests, 1)
    return min((share for share in (tokens, requests) if share is not None), default=None)
