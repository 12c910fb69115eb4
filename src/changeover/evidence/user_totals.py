"""What did each user's requests of a block cost, the later ones too? Bounded: where there are many users, a fair sample of them.

Whether a user is kept is decided by its mark alone, so what it costs plays no part. The limit that marks must lie below only
falls: whoever is in the sample at last has been in it from the first request on.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from changeover.evidence.moments import Moments, moments_of
from changeover.evidence.units import CANDIDATE, MARK_BITS, is_comparable, mark_of
from changeover.exchange.observation import Observation

USERS_KEPT: Final = 1000
"""Users of a side that are kept at most, over a whole rollout: those with the smallest marks."""

EVERYBODY: Final = 1 << MARK_BITS
"""The limit that every mark lies below."""


class Known(NamedTuple):
    """What is known of one request: dollars, input and output tokens."""

    money: float | None
    input: float | None
    output: float | None


class UserSums(msgspec.Struct, frozen=True, array_like=True):
    """One user on one side: ``mark`` (``evidence.units.mark_of``), all its requests, and for each of money, input and output
    tokens in how many of them it is known, and the sum.
    """

    mark: int
    requests: int = 0
    known: tuple[int, int, int] = (0, 0, 0)
    totals: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def plus(self, other: "UserSums") -> "UserSums":
        (a, b, c), (x, y, z) = self.known, self.totals
        (d, e, f), (u, v, w) = other.known, other.totals
        return UserSums(self.mark, self.requests + other.requests, (a + d, b + e, c + f), (x + u, y + v, z + w))


class Singles(msgspec.Struct, frozen=True, kw_only=True):
    """Requests that are units of their own: how many, and the moments of what is known of them."""

    requests: int = 0
    money: Moments = Moments()
    input: Moments = Moments()
    output: Moments = Moments()

    def plus(self, other: "Singles") -> "Singles":
        return Singles(
            requests=self.requests + other.requests,
            money=self.money.merged(other.money),
            input=self.input.merged(other.input),
            output=self.output.merged(other.output),
        )

    @property
    def moments(self) -> tuple[Moments, Moments, Moments]:
        return self.money, self.input, self.output


class UserTally(msgspec.Struct, frozen=True, kw_only=True):
    """One side. ``users`` are in the order of their marks: those whose marks lie below ``limit``. ``requests`` counts all
    requests, also those of other users.
    """

    requests: int = 0
    limit: int = EVERYBODY
    users: tuple[UserSums, ...] = ()
    singles: Singles = Singles()

    def merged(self, other: "UserTally") -> "UserTally":
        found = sampled(joined_sums(self.users, other.users), limit=min(self.limit, other.limit))
        return UserTally(
            requests=self.requests + other.requests,
            limit=found.limit,
            users=tuple(found.users[mark] for mark in sorted(found.users)),
            singles=self.singles.plus(other.singles),
        )


class UserStratum(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides among the requests that had probability ``p`` of being the candidate's."""

    p: float
    stable: UserTally = UserTally()
    candidate: UserTally = UserTally()


class Sample(NamedTuple):
    """Users by mark, and the limit that their marks lie below."""

    users: dict[int, UserSums]
    limit: int


def sampled(users: dict[int, UserSums], *, limit: int) -> Sample:
    """Those of ``users`` below ``limit``, or below a lower one where there are too many."""
    limit = limit_for(users, limit=limit)
    return Sample(users if limit == EVERYBODY else {mark: user for mark, user in users.items() if mark < limit}, limit)


def limit_for(marks: Iterable[int], *, limit: int) -> int:
    """The limit below which no more than ``USERS_KEPT`` of ``marks`` lie; ``limit`` where that is low enough."""
    below = [mark for mark in marks if mark < limit]
    return sorted(below)[USERS_KEPT] if len(below) > USERS_KEPT else limit


def joined_sums(left: Iterable[UserSums], right: Iterable[UserSums]) -> dict[int, UserSums]:
    """Sums by mark: they add over blocks and replicas."""
    found = {user.mark: user for user in left}
    for user in right:
        known = found.get(user.mark)
        found[user.mark] = user if known is None else known.plus(user)
    return found


def merge_user_strata(left: Iterable[UserStratum], right: Iterable[UserStratum]) -> tuple[UserStratum, ...]:
    """The same block as two replicas saw it."""
    by_p = {stratum.p: stratum for stratum in left}
    for stratum in right:
        known = by_p.get(stratum.p, UserStratum(p=stratum.p))
        by_p[stratum.p] = UserStratum(
            p=stratum.p, stable=known.stable.merged(stratum.stable), candidate=known.candidate.merged(stratum.candidate)
        )
    return tuple(by_p[p] for p in sorted(by_p))


def user_strata(rows: Sequence[tuple[Observation, Known]], *, limits: tuple[int, int]) -> tuple[UserStratum, ...]:
    """All requests of a block, first and later, each with what is known of it. ``limits`` are those of the stable's and the
    candidate's samples so far. Nothing where no request has a user: then every request is a unit, and its first one.
    """
    drawn = [pair for pair in rows if pair[0].side is not None and not pair[0].forced and is_comparable(pair[0].candidate_probability)]
    if not any(row.sticky for row, _ in drawn):
        return ()
    by_p: dict[float, tuple[list[tuple[Observation, Known]], list[tuple[Observation, Known]]]] = {}
    for pair in drawn:
        by_p.setdefault(pair[0].candidate_probability, ([], []))[pair[0].side is CANDIDATE].append(pair)
    return tuple(UserStratum(p=p, stable=_tally(by_p[p][0], limits[0]), candidate=_tally(by_p[p][1], limits[1])) for p in sorted(by_p))


def _tally(rows: Sequence[tuple[Observation, Known]], limit: int) -> UserTally:
    sums: dict[int, UserSums] = {}
    for row, known in rows:
        if not row.sticky or (mark := mark_of(row)) >= limit:
            continue
        before = sums.get(mark)
        one = UserSums(mark, 1, _counted(known), _summed(known))
        sums[mark] = one if before is None else before.plus(one)
    sample = sampled(sums, limit=limit)
    alone = [known for row, known in rows if not row.sticky]
    return UserTally(
        requests=len(rows),
        limit=sample.limit,
        users=tuple(sample.users[mark] for mark in sorted(sample.users)),
        singles=Singles(
            requests=len(alone),
            money=moments_of([known.money for known in alone if known.money is not None]),
            input=moments_of([known.input for known in alone if known.input is not None]),
            output=moments_of([known.output for known in alone if known.output is not None]),
        ),
    )


def _counted(known: Known) -> tuple[int, int, int]:
    return int(known.money is not None), int(known.input is not None), int(known.output is not None)


def _summed(known: Known) -> tuple[float, float, float]:
    return known.money or 0.0, known.input or 0.0, known.output or 0.0
