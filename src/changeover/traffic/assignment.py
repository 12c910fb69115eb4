"""Which side does a unit belong to? A pure function of salt, unit and weight (rule I9)."""

import hashlib
from functools import lru_cache
from typing import Final, NamedTuple

import xxhash

from changeover.traffic.table import WEIGHT_FULL_PERMILLE, Route, Side

KEPT_UNITS_MAX: Final = 4096
_HASH_BITS: Final = 64
# Looking a member up in its class costs as much as a call.
_CANDIDATE: Final = Side.CANDIDATE
_STABLE: Final = Side.STABLE


class Drawn(NamedTuple):
    """Where a unit stands on the ring of one salt (``position_permille``), and the form in which it is stored."""

    position_permille: int
    hashed: str


class Assignment:
    """A unit's side, the deployment that is to serve it, and the probability it had of being the candidate's. It does not change."""

    __slots__ = ("candidate_probability", "deployment", "side")

    def __init__(self, side: Side, deployment: str, candidate_probability: float) -> None:
        self.side = side
        self.deployment = deployment
        self.candidate_probability = candidate_probability


def assign(route: Route, unit: str) -> Assignment:
    """Assign ``unit``: the candidate serves the units whose position is below its weight.

    Raising the weight therefore only moves units from stable to candidate, lowering it only back. xxh3 with the salt
    in front is used because a linear hash such as CRC32 correlates two experiments with different salts.
    """
    return assign_at(route, position_permille(route.salt, unit))


def assign_at(route: Route, position: int) -> Assignment:
    """The assignment of a unit that stands at ``position`` (permille)."""
    weight = route.candidate_permille
    if weight and route.candidate is not None and position < weight:
        return Assignment(_CANDIDATE, route.candidate, weight / WEIGHT_FULL_PERMILLE)
    return Assignment(_STABLE, route.stable, weight / WEIGHT_FULL_PERMILLE)


def position_permille(salt: str, unit: str) -> int:
    """Where a unit stands on the ring of this salt: a whole number from 0 to 999, uniform over units."""
    return (xxhash.xxh3_64_intdigest(f"{salt}\x00{unit}".encode("utf-8", "surrogatepass")) * WEIGHT_FULL_PERMILLE) >> _HASH_BITS


def hash_unit(salt: str, unit: str) -> str:
    """The form in which a unit is stored: 32 hexadecimal digits of BLAKE2b keyed with the attempt's salt."""
    return hashlib.blake2b(unit.encode("utf-8", "surrogatepass"), digest_size=16, key=salt.encode()[:64]).hexdigest()


def draw(salt: str, unit: str) -> Drawn:
    """All that the salt makes of ``unit``."""
    return Drawn(position_permille(salt, unit), hash_unit(salt, unit))


draw_again: Final = lru_cache(maxsize=KEPT_UNITS_MAX)(draw)
"""The same for units that come again, as sticky ones do: two hashes cost more than all the rest of an assignment."""
