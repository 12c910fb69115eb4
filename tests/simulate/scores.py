"""Quality: scores of one to five, the candidate worse by exactly the margin."""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate
from random import Random
from typing import Final

from changeover.gates.assess import Judge
from changeover.gates.criteria import Criteria, QualityCriterion
from changeover.gates.levels import ALPHA_TRIP_QUALITY
from changeover.gates.streams import SCORES, Row, ScoreStream
from changeover.traffic.table import Side
from tests.simulate.findings import Findings, finding
from tests.simulate.looks import ROUNDING, STRETCH_MAX, bet_rises, distances
from tests.simulate.rivals import naive, threshold_checks
from tests.simulate.traffic import Plan, Traffic, begin, counted, draw_traffic, observed, picked

MARGIN: Final = 0.1
CRITERION: Final = QualityCriterion(score="judged", margin=MARGIN)
WIDTH: Final = CRITERION.scale_high - CRITERION.scale_low
SCALE: Final = (1.0, 2.0, 3.0, 4.0, 5.0)

USUAL: Final = (0.02, 0.05, 0.10, 0.37, 0.46)
"""Mean 4.2, sd .95."""
HARSH: Final = (0.08, 0.17, 0.25, 0.30, 0.20)
KIND: Final = (0.01, 0.02, 0.05, 0.22, 0.70)
HARSH_SHARE: Final = 0.4
"""Of sticky users: a user's scores hang together."""

LEVEL_DROP: Final = 0.09
"""While the level of everything doubles, so many of all answers fall from a five to a one, on both sides: by .36 on average."""


def run_quality(dice: Random, plan: Plan) -> Findings:
    traffic = draw_traffic(dice, plan)
    values = _scores(dice, traffic)
    rows: list[Row] = [(observed(traffic, number), value) for number, value in enumerate(values)]
    judge = begin(Criteria(quality=CRITERION))
    for _, grown in looks(judge, counted(traffic, rows)):
        judge = grown
    proven = stream_of(judge).quality.proven
    harms = [_harm(value) for value in values]
    peeked = naive(traffic.sides, harms, margin=CRITERION.margin_share)
    checked = threshold_checks(traffic.sides, harms, limit=_usual_harm(sticky=plan.sticky) + CRITERION.margin_share)
    return {
        "quality": finding(
            ours=(proven.passed_at is not None, proven.tripped_at is not None),
            naive=(peeked.passed, peeked.tripped),
            checks=(checked.passed, checked.tripped),
        )
    }


def looks(judge: Judge, rows: Sequence[Row]) -> Iterator[tuple[tuple[int, int], Judge]]:
    """The stretches of requests between two looks, each with the judge after it."""
    position = 0
    while position < len(rows):
        cut = _cut(stream_of(judge), rows, position)
        judge = judge.add(judge.summarise(SCORES, rows[position:cut]))
        yield (position, cut), judge
        position = cut


def _cut(stream: ScoreStream, rows: Sequence[Row], position: int) -> int:
    """After how many requests the verdict could first change, knowing what has been bet on and what came."""
    gate, centre = stream.quality, stream.centre.value
    to_pass, to_fail = distances(gate.evidence(), gate.proven, alpha_trip=ALPHA_TRIP_QUALITY)
    rises: dict[tuple[Side | None, float, float | None], tuple[float, float]] = {}
    for number in range(position, min(len(rows), position + STRETCH_MAX)):
        row, value = rows[number]
        kind = row.side, row.candidate_probability, value
        rise = rises.get(kind)
        if rise is None:
            assert row.side is not None
            assert value is not None
            gain = 1 - _harm(value)
            rise = rises[kind] = bet_rises(row.side, p=row.candidate_probability, gain=gain, centre=centre, delta=CRITERION.margin_share)
        to_pass -= rise[0]
        to_fail -= rise[1]
        if to_pass <= ROUNDING or to_fail <= ROUNDING:
            return number + 1
    return min(len(rows), position + STRETCH_MAX)


def stream_of(judge: Judge) -> ScoreStream:
    found = judge.streams[SCORES]
    assert isinstance(found, ScoreStream)
    return found


def _scores(dice: Random, traffic: Traffic) -> list[float]:
    chance = dice.random
    if traffic.users is None:
        tables = [_table(USUAL)] * len(traffic.sides)
    else:
        tables = [_table(HARSH if trait < HARSH_SHARE else KIND) for trait in traffic.traits]
    values = [picked(SCALE, table[side], chance()) for side, table in zip(traffic.sides, tables, strict=True)]
    # The level moves both sides' means alike: the mass that is moved is the same on both.
    return [
        SCALE[0] if value == SCALE[4] and chance() * _top(table[side]) < LEVEL_DROP * (level - 1) else value
        for value, side, level, table in zip(values, traffic.sides, traffic.levels, tables, strict=True)
    ]


@cache
def _usual_harm(*, sticky: bool) -> float:
    """The stable's mean before the start."""
    shares = ((HARSH, HARSH_SHARE), (KIND, 1 - HARSH_SHARE)) if sticky else ((USUAL, 1.0),)
    return sum(share * _harm(value) * chance for table, share in shares for value, chance in zip(SCALE, table, strict=True))


def _harm(value: float) -> float:
    return (CRITERION.scale_high - value) / WIDTH


@cache
def _table(chances: tuple[float, ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Cumulative chances of each score, for the stable and for a candidate that gives a four for a five in a tenth of all
    cases more: lower by the margin of .1.
    """
    lowered = (*chances[:3], chances[3] + MARGIN, chances[4] - MARGIN)
    return tuple(accumulate(chances)), tuple(accumulate(lowered))


def _top(cumulative: tuple[float, ...]) -> float:
    """The chance of a five."""
    return 1 - cumulative[3]
