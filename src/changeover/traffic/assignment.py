"""Which side does a unit belong to? A pure function of salt, unit and weight (rule I9)."""

import hashlib
from typing import Final, NamedTuple

import xxhash

from changeover.traffic.table import WEIGHT_FULL_PERMILLE, Route, Side

_HASH_BITS: Final = 64
# Looking a member up in its class costs as much as a call.
_CANDIDATE: Final = Side.CANDIDATE
_STABLE: Final = Side.STABLE


class Assignment(NamedTuple):
    """A unit's side, the deployment that is to serve it, and the probability it had of being the candidate's."""

    side: Side
    deployment: str
    candidate_probability: float


def assign(route: Route, unit: str) -> Assignment:
    """Assign ``unit``: the candidate serves the units whose position is below its weight.

    Raising the weight therefore only moves units from stable to candidate, lowering it only back. xxh3 with the salt
    in front is used because a linear hash such as CRC32 correlates two experiments with different salts.
    """
    weight = route.candidate_permille
    if weight and route.candidate is not None and position_permille(route.salt, unit) < weight:
        return Assignment(_CANDIDATE, route.candidate, weight / WEIGHT_FULL_PERMILLE)
    return Assignment(_STABLE, route.stable, weight / WEIGHT_FULL_PERMILLE)


def position_permille(salt: str, unit: str) -> int:
    """Where a unit stands on the ring of this salt: a whole number from 0 to 999, uniform over units."""
    return (xxhash.xxh3_64_intdigest(f"{salt}\x00{unit}".encode("utf-8", "surrogatepass")) * WEIGHT_FULL_PERMILLE) >> _HASH_BITS


def hash_unit(salt: str, unit: str) -> str:
    """The form in which a unit is stored: 32 hexadecimal digits of BLAKE2b keyed with the attempt's salt."""
    return hashlib.blake2b(unit.encode("utf-8", "surrogatepass"), digest_size=16, key=salt.encode()[:64]).hexdigest()
