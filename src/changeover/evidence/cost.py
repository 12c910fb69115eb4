"""What did each side's requests cost in a block: money, input and output tokens? What is not known is missing, never 0."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from changeover.evidence.moments import Moments, moments_of
from changeover.evidence.units import CANDIDATE, STABLE, countable, is_comparable
from changeover.evidence.user_totals import EVERYBODY, Known, UserStratum, merge_user_strata, user_strata
from changeover.exchange.observation import Observation

VALUE_MAX: Final = 1e12
"""Dollars or tokens of one request. What is above, below 0 or no number is no measurement: it counts as missing."""


class CostTally(msgspec.Struct, frozen=True, kw_only=True):
    """One side: ``units`` drawn to it, and the moments of what is known of them.

    ``money`` is in dollars; ``input`` and ``output`` are tokens. ``unpriced`` units have known tokens and no known money.
    """

    units: int = 0
    money: Moments = Moments()
    input: Moments = Moments()
    output: Moments = Moments()
    unpriced: int = 0

    def merged(self, other: "CostTally") -> "CostTally":
        return CostTally(
            units=self.units + other.units,
            money=self.money.merged(other.money),
            input=self.input.merged(other.input),
            output=self.output.merged(other.output),
            unpriced=self.unpriced + other.unpriced,
        )


class CostStratum(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides among the units that had probability ``p`` of being the candidate's."""

    p: float
    stable: CostTally = CostTally()
    candidate: CostTally = CostTally()


class CostBlock(msgspec.Struct, frozen=True, kw_only=True):
    """A closed block, as it is stored. ``strata`` are ordered by ``p`` and hold comparable probabilities only.

    ``unpriced`` names the deployments that gave ``unpriced`` units their answers, in order. ``users`` are about all
    requests, not units; empty where every request was a unit of its own. Version 1 had none.
    """

    block: int
    strata: tuple[CostStratum, ...] = ()
    unpriced: tuple[str, ...] = ()
    users: tuple[UserStratum, ...] = ()
    version: int = 2

    def merged(self, other: "CostBlock") -> "CostBlock":
        """The same block as two replicas saw it."""
        if other.block != self.block:
            raise ValueError(f"found blocks {self.block} and {other.block}; expected two parts of one block")
        return CostBlock(
            block=self.block,
            strata=merge_cost_strata(self.strata, other.strata),
            unpriced=tuple(sorted({*self.unpriced, *other.unpriced})),
            users=merge_user_strata(self.users, other.users),
        )


def merge_cost_strata(left: Iterable[CostStratum], right: Iterable[CostStratum]) -> tuple[CostStratum, ...]:
    """Moments joined by ``p``. Within one ``p`` both sides saw the same times in the same proportion."""
    by_p = {stratum.p: stratum for stratum in left}
    for stratum in right:
        known = by_p.get(stratum.p, CostStratum(p=stratum.p))
        by_p[stratum.p] = CostStratum(
            p=stratum.p, stable=known.stable.merged(stratum.stable), candidate=known.candidate.merged(stratum.candidate)
        )
    return tuple(by_p[p] for p in sorted(by_p))


def summarise_cost(
    *, block: int, rows: Sequence[Observation], later: Sequence[Observation] = (), limits: tuple[int, int] = (EVERYBODY, EVERYBODY)
) -> CostBlock:
    """Sum up a block's enrolled rows. A unit that is there twice counts once; a row without a side does not count.

    ``later`` are the block's other requests, of units that were enrolled before: they count for their users alone, of whom
    those with marks below ``limits`` (the stable's, the candidate's) are kept.
    """
    by_p: dict[float, list[Observation]] = {}
    for _, row in countable(rows):
        by_p.setdefault(row.candidate_probability, []).append(row)
    compared = {p: by_p[p] for p in sorted(by_p) if is_comparable(p)}
    free = [row for kept in compared.values() for row in kept if row.cost_usd is None]
    return CostBlock(
        block=block,
        strata=tuple(_stratum(p, kept) for p, kept in compared.items()),
        unpriced=tuple(sorted({row.served for row in free if row.served is not None and _is_unpriced(row)})),
        users=_users([*rows, *later], limits),
    )


def _users(rows: Sequence[Observation], limits: tuple[int, int]) -> tuple[UserStratum, ...]:
    if not any(row.sticky for row in rows):
        return ()
    return user_strata([(row, Known(money_of(row), input_of(row), output_of(row))) for row in rows], limits=limits)


def money_of(row: Observation) -> float | None:
    return _measured(row.cost_usd)


def input_of(row: Observation) -> float | None:
    return None if row.tokens is None else _measured(row.tokens.prompt)


def output_of(row: Observation) -> float | None:
    return None if row.tokens is None else _measured(row.tokens.completion)


def _measured(value: float | None) -> float | None:
    return float(value) if value is not None and 0 <= value <= VALUE_MAX else None


def _is_unpriced(row: Observation) -> bool:
    return row.cost_usd is None and input_of(row) is not None and output_of(row) is not None


def _stratum(p: float, rows: Sequence[Observation]) -> CostStratum:
    return CostStratum(
        p=p,
        stable=_tally([row for row in rows if row.side is STABLE]),
        candidate=_tally([row for row in rows if row.side is CANDIDATE]),
    )


def _tally(rows: Sequence[Observation]) -> CostTally:
    tokens = [row.tokens for row in rows if row.tokens is not None]
    return CostTally(
        units=len(rows),
        money=moments_of(_known([row.cost_usd for row in rows])),
        input=moments_of(_known([used.prompt for used in tokens])),
        output=moments_of(_known([used.completion for used in tokens])),
        unpriced=sum(_is_unpriced(row) for row in rows if row.cost_usd is None),
    )


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None and 0 <= value <= VALUE_MAX]
