"""What is proven, when, and that it stays so."""

from math import inf, log

import pytest

from changeover.gates.criteria import TripRule
from changeover.gates.levels import (
    ALPHA_PASS,
    ALPHA_TRIP_ERRORS,
    ALPHA_TRIP_QUALITY,
    NOTHING_PROVEN,
    Evidence,
    Proven,
    threshold,
)

SURE = 10.0


def after(*looks: Evidence, rule: TripRule) -> Proven:
    proven = NOTHING_PROVEN
    for number, look in enumerate(looks):
        proven = proven.after(look, at=float(number), rule=rule, alpha_trip=0.01)
    return proven


def evidence(*, passing: float = 0.0, failing: float = 0.0, harming: float = 0.0) -> Evidence:
    return Evidence(passing=passing, failing=failing, harming=harming)


def test_the_levels_are_those_of_the_specification():
    assert (ALPHA_PASS, ALPHA_TRIP_QUALITY, ALPHA_TRIP_ERRORS) == (0.05, 0.008, 0.010)
    assert threshold(ALPHA_PASS) == pytest.approx(2.9957, abs=5e-5)


def test_a_test_rejects_when_it_reaches_its_level_not_before():
    assert after(evidence(passing=log(20)), rule=TripRule.MARGIN).passed_at == 0.0
    assert after(evidence(passing=log(19.9)), rule=TripRule.MARGIN).passed_at is None


def test_what_is_proven_keeps_its_time_when_the_evidence_declines():
    proven = after(evidence(), evidence(passing=SURE), evidence(passing=-SURE), evidence(passing=SURE), rule=TripRule.MARGIN)
    assert proven.passed_at == 1.0


def test_a_loss_inside_the_margin_does_not_trip_a_margin_rule():
    proven = after(evidence(harming=SURE), rule=TripRule.MARGIN)
    assert (proven.harmed_at, proven.tripped_at) == (0.0, None)


def test_a_loss_beyond_the_margin_trips_a_margin_rule():
    assert after(evidence(failing=SURE, harming=SURE), rule=TripRule.MARGIN).tripped_at == 0.0


def test_any_loss_trips_an_any_rule_until_a_pass_stands():
    assert after(evidence(harming=SURE), rule=TripRule.ANY).tripped_at == 0.0
    assert after(evidence(passing=SURE), evidence(harming=SURE), rule=TripRule.ANY).tripped_at is None


def test_after_a_pass_an_any_rule_still_trips_beyond_the_margin():
    assert after(evidence(passing=SURE), evidence(failing=SURE), rule=TripRule.ANY).tripped_at == 1.0


def test_harm_and_pass_at_one_look_trip():
    assert after(evidence(passing=SURE, harming=SURE), rule=TripRule.ANY).tripped_at == 0.0


def test_what_stands_already_is_not_asked_for_again_and_a_trip_that_is_still_to_come_is():
    """A fail proven while any harm would trip, then a pass, then harm: the trip needs a fail once more."""
    before = after(evidence(failing=SURE), evidence(passing=SURE), evidence(harming=SURE), rule=TripRule.ANY)
    assert before.tripped_at is None
    assert before.least(0.01) == (inf, pytest.approx(log(100)))
    tripped = before.after(evidence(failing=SURE), at=9.0, rule=TripRule.ANY, alpha_trip=0.01)
    assert tripped.tripped_at == 9.0
    assert tripped.least(0.01) == (inf, inf)
    assert NOTHING_PROVEN.least(0.01) == (pytest.approx(log(20)), pytest.approx(log(100)))
