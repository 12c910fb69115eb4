"""What do requests cost on each side when a user's requests hang together? Means whose errors are counted by user.

Sticky users send many requests to one side. Counted as if each were drawn anew they make differences look surer than
they are; here a user is one draw, however many requests it sends.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from changeover.evidence.cost_ratio import Means

USERS_MIN: Final = 30
"""Users that each side needs before anything is said."""


class UserTotal(NamedTuple):
    """One user on one side: its requests with a known value, and the sum of these values."""

    requests: int
    total: float


class SideMean(NamedTuple):
    """The mean of a request, and the variance of that mean."""

    mean: float
    variance: float


def user_means(stable: Sequence[UserTotal], candidate: Sequence[UserTotal]) -> Means | None:
    """Both sides' means of a request, as `evidence.cost_ratio` takes them; ``units`` counts users. ``None`` below 30
    users with a request on either side.
    """
    known = [[user for user in side if user.requests > 0] for side in (stable, candidate)]
    if min(map(len, known)) < USERS_MIN:
        return None
    ours, theirs = side_mean(known[0]), side_mean(known[1])
    return Means(
        units=len(known[0]) + len(known[1]),
        stable=ours.mean,
        candidate=theirs.mean,
        stable_variance=ours.variance,
        candidate_variance=theirs.variance,
    )


def side_mean(users: Sequence[UserTotal]) -> SideMean:
    """The ratio of two sums over users, and its linearised variance (the cluster-robust one, with k/(k - 1)).

    Raises:
        ValueError: fewer than two users, or no request.
    """
    count, requests = len(users), sum(user.requests for user in users)
    if count < 2 or requests <= 0:
        raise ValueError(f"found {count} users with {requests} requests; expected two users with a request or more")
    mean = sum(user.total for user in users) / requests
    squares = sum(((user.total - mean * user.requests) / requests) ** 2 for user in users)
    return SideMean(mean, squares * count / (count - 1))


def joined(left: Iterable[tuple[str, UserTotal]], right: Iterable[tuple[str, UserTotal]]) -> dict[str, UserTotal]:
    """Totals by user over blocks or replicas: they add."""
    found = dict(left)
    for unit, more in right:
        known = found.get(unit, UserTotal(0, 0.0))
        found[unit] = UserTotal(known.requests + more.requests, known.total + more.total)
    return found
