"""How many requests did a side get in a block, whoever sent them, and how many of them went wrong? No test rests on it."""

from collections.abc import Iterable
from typing import Final

import msgspec

from changeover.evidence.units import mark_of
from changeover.exchange.observation import Observation

UNITS_MAX: Final = 20
"""So many different units are counted, whatever more there are: memory is the same for every block."""


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """All requests of one side in a block, the later ones of sticky units among them; ``errors`` as for the criterion.

    ``units`` counts different units and stops at ``UNITS_MAX``. ``marks`` tell them apart, in order, while there are fewer.
    """

    requests: int = 0
    errors: int = 0
    units: int = 0
    marks: tuple[int, ...] = ()

    def plus(self, other: "Traffic") -> "Traffic":
        """The same block as two replicas saw it. A unit that both saw is one."""
        requests, errors = self.requests + other.requests, self.errors + other.errors
        if max(self.units, other.units) >= UNITS_MAX:
            return Traffic(requests=requests, errors=errors, units=UNITS_MAX)
        return _marked(requests, errors, {*self.marks, *other.marks})


NO_TRAFFIC: Final = Traffic()


def traffic_of(rows: Iterable[Observation], *, requests: int, errors: int) -> Traffic:
    """One side's ``rows`` of a block, of which the counts are known. Reads no further than it takes to find enough units."""
    marks: set[int] = set()
    for row in rows:
        marks.add(mark_of(row))
        if len(marks) >= UNITS_MAX:
            break
    return _marked(requests, errors, marks)


def _marked(requests: int, errors: int, marks: set[int]) -> Traffic:
    if len(marks) >= UNITS_MAX:
        return Traffic(requests=requests, errors=errors, units=UNITS_MAX)
    return Traffic(requests=requests, errors=errors, units=len(marks), marks=tuple(sorted(marks)))
