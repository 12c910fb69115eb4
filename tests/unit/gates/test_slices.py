"""The worst slice is shown with how many were looked at, and decides nothing."""

from math import log
from random import Random

import msgspec
import pytest

from changeover.evidence.blocks import BlockClock
from changeover.exchange.observation import Observation
from changeover.gates.assess import Judge
from changeover.gates.criteria import CostCriterion, Criteria, LatencyCriterion, SafetyCriterion
from changeover.gates.levels import ALPHA_TRIP_ERRORS, ALPHA_TRIP_QUALITY
from changeover.gates.slices import LABELS_MAX, OTHER
from changeover.traffic.table import Side
from tests.unit.evidence.rows import row
from tests.unit.gates.streams import ERRORS, QUALITY, RULES, look

ALL = Criteria(quality=QUALITY, errors=ERRORS, latency=LatencyCriterion(), cost=CostCriterion(), safety=SafetyCriterion(harmful="harm"))
CLOCK = BlockClock(origin_at=0.0, block_s=RULES.block_s)
Rows = list[tuple[Observation, float | None]]


def drawn(dice: Random, *, count: int, first: int, slices: dict[str, float]) -> Rows:
    """Requests of every slice alike; the candidate fails a slice's share of them."""
    found: Rows = []
    for number in range(first, first + count):
        side = Side.CANDIDATE if dice.random() < 0.5 else Side.STABLE
        label = dice.choice(list(slices))
        failed = side is Side.CANDIDATE and dice.random() < slices[label]
        found.append((msgspec.structs.replace(row(number, side, 0.5, error=failed), slice=label, filtered=False), 0.6))
    return found


def closed(judge: Judge, rows: Rows) -> Judge:
    for name in judge.closed:
        judge = judge.add(judge.summarise(name, rows))
    return judge


def test_the_worst_slice_of_each_exact_test_is_named_with_the_level_divided_by_their_number():
    judge = closed(
        Judge.begin(criteria=ALL, rules=RULES, clock=CLOCK), drawn(Random(1), count=3000, first=0, slices={"de": 0, "en": 0, "fr": 0.08})
    )
    worst = {each.criterion: each for each in judge.worst_slices()}
    assert set(worst) == {"quality", "errors", "filter", "harmful"}
    errors = worst["errors"]
    assert (errors.label, errors.slices, errors.alpha) == ("fr", 3, ALPHA_TRIP_ERRORS)
    assert errors.harm.threshold == pytest.approx(log(3 / ALPHA_TRIP_ERRORS))
    assert errors.stands_out
    assert "worst of 3 slices for errors: fr" in errors.sentence
    assert "a loss is proven there at 0.01 divided by 3" in errors.sentence
    assert errors.sentence.endswith("shown, decides nothing")
    assert worst["quality"].harm.threshold == pytest.approx(log(3 / ALPHA_TRIP_QUALITY))


def test_slices_change_no_verdict_and_no_evidence_of_the_whole():
    rows = drawn(Random(2), count=2000, first=0, slices={"de": 0.0, "fr": 0.05})
    bare = [(msgspec.structs.replace(one, slice=""), score) for one, score in rows]
    sliced, whole = (closed(Judge.begin(criteria=ALL, rules=RULES, clock=CLOCK), each) for each in (rows, bare))
    assert look(sliced).verdicts == look(whole).verdicts
    assert whole.worst_slices() == ()
    assert b'"slices"' not in whole.summarise("outcomes", bare)


def test_a_slice_is_what_the_same_gates_say_of_it_alone():
    rows = drawn(Random(3), count=2000, first=0, slices={"de": 0.0, "fr": 0.06})
    judge = closed(Judge.begin(criteria=Criteria(errors=ERRORS), rules=RULES, clock=CLOCK), rows)
    alone = closed(Judge.begin(criteria=Criteria(errors=ERRORS), rules=RULES, clock=CLOCK), [one for one in rows if one[0].slice == "fr"])
    (worst,), (verdict,) = judge.worst_slices(), look(alone).verdicts
    assert (worst.label, worst.stable, worst.candidate, worst.estimate) == ("fr", verdict.stable, verdict.candidate, verdict.estimate)
    assert worst.harm.log_e == pytest.approx(verdict.to_trip.log_e)


def test_labels_are_bounded_and_the_rest_is_one_slice():
    judge = Judge.begin(criteria=Criteria(errors=ERRORS), rules=RULES, clock=CLOCK)
    for block in range(3):
        labels = {f"tenant-{number}": 0.0 for number in range(block * 15, block * 15 + 15)}
        judge = closed(judge, drawn(Random(block), count=600, first=1000 * block, slices=labels))
    folds = judge.slices.folds["outcomes"]
    assert len(folds) == LABELS_MAX + 1
    assert OTHER in folds
    (worst,) = judge.worst_slices()
    assert worst.slices == LABELS_MAX + 1


def test_equal_sides_seldom_have_a_slice_that_stands_out():
    """Ten slices, sixty rollouts, one look each: .01 in all, not .01 each."""
    stood = 0
    for run in range(60):
        dice = Random(run)
        rows: Rows = []
        for number in range(600):
            side = Side.CANDIDATE if dice.random() < 0.5 else Side.STABLE
            rows.append((msgspec.structs.replace(row(number, side, 0.5, error=dice.random() < 0.1), slice=f"s{number % 10}"), None))
        judge = closed(Judge.begin(criteria=Criteria(errors=ERRORS), rules=RULES, clock=CLOCK), rows)
        stood += any(each.stands_out for each in judge.worst_slices())
    assert stood <= 3
