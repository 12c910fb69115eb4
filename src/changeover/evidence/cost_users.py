"""What do requests cost on each side when a user's requests hang together? Means whose errors are counted by user.

Sticky users send many requests to one side. Counted as if each were drawn anew they make differences look surer than
they are; here a user is one draw, however many requests it sends.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from typing import Final, NamedTuple

from changeover.evidence.cost_ratio import Means
from changeover.evidence.moments import Moments

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


class UserSide(NamedTuple):
    """One side of a stratum: totals by user, each standing for ``stands_for`` users (1, or more in a sample), and the
    moments of requests that are units of their own.
    """

    users: Mapping[int, UserTotal]
    stands_for: float
    singles: Moments

    @property
    def units(self) -> int:
        return len(self.users) + self.singles.count

    @property
    def requests(self) -> float:
        return self.stands_for * sum(user.requests for user in self.users.values()) + self.singles.count

    @property
    def total(self) -> float:
        return self.stands_for * sum(user.total for user in self.users.values()) + self.singles.count * self.singles.mean


class UserPair(NamedTuple):
    """Both sides while the probability of a draw was constant."""

    stable: UserSide
    candidate: UserSide


def stratified_user_means(strata: Sequence[UserPair]) -> Means | None:
    """As `user_means`, within strata of constant weight that are then weighted by their requests. ``None`` while no stratum
    has 30 users on each side.

    A user's deviations are added up over the strata before they are squared: its requests hang together over the whole
    rollout, also where a raised weight has moved it to the other side. Each is measured from the mean of the *other* users
    (the jackknife's form, MacKinnon and White 1985): who sends a tenth of a side's requests draws the mean to itself, and
    would seem to deviate less than it does.
    """
    large = [here for here in strata if min(here.stable.units, here.candidate.units) >= USERS_MIN]
    if not large:
        return None
    sizes = [here.stable.requests + here.candidate.requests for here in large]
    shares = [size / sum(sizes) for size in sizes]
    stable = _weighted([here.stable for here in large], shares)
    candidate = _weighted([here.candidate for here in large], shares)
    both = stable.deviations.keys() & candidate.deviations.keys()
    covariance = sum(stable.deviations[user] * candidate.deviations[user] for user in both)
    found = Means(
        units=stable.units + candidate.units,
        stable=stable.mean,
        candidate=candidate.mean,
        stable_variance=stable.variance,
        candidate_variance=candidate.variance,
        covariance=covariance * sqrt(stable.correction * candidate.correction),
    )
    if found.stable_variance > 0 or found.candidate_variance > 0:
        return found
    return found._replace(
        stable_variance=stable.mean * stable.mean / stable.units, candidate_variance=candidate.mean * candidate.mean / candidate.units
    )


class _Weighted(NamedTuple):
    """A side over all strata: each user's share in the deviation of its mean, and the squares of the single requests'."""

    units: int
    mean: float
    deviations: dict[int, float]
    squares: float

    @property
    def correction(self) -> float:
        return self.units / (self.units - 1)

    @property
    def variance(self) -> float:
        return self.correction * (self.squares + sum(value * value for value in self.deviations.values()))


def _weighted(sides: Sequence[UserSide], shares: Sequence[float]) -> _Weighted:
    deviations: dict[int, float] = {}
    mean = squares = 0.0
    for side, share in zip(sides, shares, strict=True):
        requests = side.requests
        here = side.total / requests
        mean += share * here
        scale = share / requests
        for mark, user in side.users.items():
            others = 1 - side.stands_for * user.requests / requests
            deviation = side.stands_for * scale * (user.total - here * user.requests) / others
            deviations[mark] = deviations.get(mark, 0.0) + deviation
        single = side.singles
        alone = scale / (1 - 1 / requests)
        squares += alone * alone * (single.m2 + single.count * (single.mean - here) ** 2)
    return _Weighted(len(deviations) + sum(side.singles.count for side in sides), mean, deviations, squares)
