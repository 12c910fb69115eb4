"""What have users cost so far, all their requests together? The fold behind the cost gate's form for sticky users."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from changeover.evidence.cost import CostBlock, CostStratum, CostTally
from changeover.evidence.cost_ratio import Means
from changeover.evidence.cost_users import UserPair, UserSide, UserTotal, stratified_user_means
from changeover.evidence.interval import SIDE_MIN
from changeover.evidence.user_totals import EVERYBODY, Singles, UserStratum, UserSums, UserTally, joined_sums, limit_for

REPEATS_MIN: Final = 1.2
"""With more requests a unit than this on average, users' requests are taken to hang together."""

REPEATS_UNITS_MIN: Final = 2 * SIDE_MIN
"""Units before that is asked: with fewer the other form has nothing to say either."""


class SideUsers(NamedTuple):
    """One side of a stratum so far."""

    users: Mapping[int, UserSums]
    singles: Singles


NOBODY: Final = SideUsers({}, Singles())


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFold:
    """All closed cost blocks. ``limits`` are those of the stable's and the candidate's samples; ``repeating`` says that users'
    requests hang together, and stays. ``strata`` are empty until the first user comes.
    """

    strata: Mapping[float, tuple[SideUsers, SideUsers]] = field(default_factory=dict[float, tuple[SideUsers, SideUsers]])
    limits: tuple[int, int] = (EVERYBODY, EVERYBODY)
    units: int = 0
    requests: int = 0
    repeating: bool = False

    def after(self, block: CostBlock, *, before: Sequence[CostStratum]) -> "UserFold":
        """The next block taken in. ``before`` are the first requests of the blocks before it: until somebody comes who is a
        user, every request is a unit, and they are all there is.
        """
        units = sum([here.stable.units + here.candidate.units for here in block.strata])
        if not self.strata and not block.users:
            return replace(self, units=self.units + units, requests=self.requests + units)
        begun = self if self.strata else self._with(_all_single(before))
        added = block.users or _all_single(block.strata)
        requests = self.requests + sum([here.stable.requests + here.candidate.requests for here in added])
        grown = replace(begun._with(added), units=self.units + units, requests=requests)
        repeats = grown.units >= REPEATS_UNITS_MIN and grown.requests > REPEATS_MIN * grown.units
        return replace(grown, repeating=True) if repeats else grown

    def means(self, index: int) -> Means | None:
        """Of money (0), input (1) or output tokens (2)."""
        pairs = [
            UserPair(_side(stable, index, self.limits[0]), _side(candidate, index, self.limits[1]))
            for _, (stable, candidate) in sorted(self.strata.items())
        ]
        return stratified_user_means(pairs)

    def known(self, index: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Requests and those of them that are known, of the stable and of the candidate, among those that are kept."""
        return self._known(0, index), self._known(1, index)

    def _known(self, side: int, index: int) -> tuple[int, int]:
        held = [sides[side] for sides in self.strata.values()]
        requests = sum(sum(user.requests for user in here.users.values()) + here.singles.requests for here in held)
        known = sum(sum(user.known[index] for user in here.users.values()) + here.singles.moments[index].count for here in held)
        return requests, known

    def _with(self, added: tuple[UserStratum, ...]) -> "UserFold":
        strata = dict(self.strata)
        for here in added:
            stable, candidate = strata.get(here.p, (NOBODY, NOBODY))
            strata[here.p] = _joined(stable, here.stable), _joined(candidate, here.candidate)
        limits = self._limits(added, strata)
        if limits != (EVERYBODY, EVERYBODY):
            strata = {p: (_kept(one, limits[0]), _kept(other, limits[1])) for p, (one, other) in strata.items()}
        return replace(self, strata=strata, limits=limits)

    def _limits(self, added: tuple[UserStratum, ...], strata: Mapping[float, tuple[SideUsers, SideUsers]]) -> tuple[int, int]:
        """A side's users are bounded over all its strata together."""
        stable = {mark for one, _ in strata.values() for mark in one.users}
        candidate = {mark for _, other in strata.values() for mark in other.users}
        return (
            limit_for(stable, limit=min([self.limits[0], *(here.stable.limit for here in added)])),
            limit_for(candidate, limit=min([self.limits[1], *(here.candidate.limit for here in added)])),
        )


NO_USERS: Final = UserFold()


def _all_single(strata: Sequence[CostStratum]) -> tuple[UserStratum, ...]:
    """Blocks without users: each request was a unit, and its first one."""
    return tuple(UserStratum(p=here.p, stable=_single(here.stable), candidate=_single(here.candidate)) for here in strata)


def _single(tally: CostTally) -> UserTally:
    singles = Singles(requests=tally.units, money=tally.money, input=tally.input, output=tally.output)
    return UserTally(requests=tally.units, singles=singles)


def _joined(known: SideUsers, added: UserTally) -> SideUsers:
    users = joined_sums(known.users.values(), added.users) if added.users else known.users
    return SideUsers(users, known.singles.plus(added.singles))


def _kept(side: SideUsers, limit: int) -> SideUsers:
    return side if limit == EVERYBODY else SideUsers({mark: user for mark, user in side.users.items() if mark < limit}, side.singles)


def _side(side: SideUsers, index: int, limit: int) -> UserSide:
    users = {mark: UserTotal(user.known[index], user.totals[index]) for mark, user in side.users.items() if user.known[index]}
    return UserSide(users, EVERYBODY / limit, side.singles.moments[index])
