"""The outage brake: a belt for what the tests are too slow for."""

import msgspec
import pytest

from changeover.evidence.outcomes import OutcomeBlock, summarise_outcomes
from changeover.evidence.traffic import UNITS_MAX, Traffic
from changeover.gates.brake import BRAKE_UNITS_MIN, NOT_BRAKED, OutageBrake, is_down
from changeover.traffic.table import Side
from tests.unit.evidence.rows import row
from tests.unit.gates.streams import fresh_judge, look

S, C = Side.STABLE, Side.CANDIDATE


def traffic(requests: int, errors: int, *, units: int = 20) -> Traffic:
    return Traffic(requests=requests, errors=errors, units=min(units, UNITS_MAX))


def block(number: int, *, stable: Traffic, candidate: Traffic) -> OutcomeBlock:
    return OutcomeBlock(block=number, stable_traffic=stable, candidate_traffic=candidate)


def folded(*blocks: OutcomeBlock) -> OutageBrake:
    brake = NOT_BRAKED
    for each in blocks:
        brake = brake.add(each, at=100.0 + each.block)
    return brake


@pytest.mark.parametrize(
    ("candidate", "stable", "down"),
    [
        (traffic(40, 21), traffic(400, 0), True),
        (traffic(40, 20), traffic(400, 0), False),
        (traffic(40, 40, units=19), traffic(400, 0), False),
        (traffic(20, 11), traffic(400, 39), True),
        (traffic(20, 20), traffic(400, 40), False),
        (traffic(20, 20), traffic(0, 0, units=0), False),
        (traffic(20, 20), traffic(1, 0, units=1), True),
    ],
)
def test_it_takes_over_half_of_twenty_units_requests_and_under_a_tenth_of_the_stables(candidate, stable, down):
    assert is_down(candidate, stable) is down
    assert (folded(block(0, stable=stable, candidate=candidate)).braked is not None) is down


def test_the_stable_is_looked_at_where_it_last_had_traffic():
    quiet = Traffic()
    well = folded(block(0, stable=traffic(300, 0), candidate=quiet), block(1, stable=quiet, candidate=traffic(50, 50)))
    assert well.braked is not None
    assert (well.braked.at, well.braked.stable_requests) == (101.0, 300)
    ill = folded(
        block(0, stable=traffic(300, 0), candidate=quiet),
        block(1, stable=traffic(300, 60), candidate=quiet),
        block(2, stable=quiet, candidate=traffic(50, 50)),
    )
    assert ill.braked is None


def test_the_first_pull_stays_and_a_later_recovery_undoes_nothing():
    braked = folded(
        block(0, stable=traffic(300, 0), candidate=traffic(40, 30)),
        block(1, stable=traffic(300, 0), candidate=traffic(50, 50)),
        block(2, stable=traffic(300, 0), candidate=traffic(500, 0)),
    ).braked
    assert braked is not None
    assert (braked.at, braked.candidate_errors) == (100.0, 30)
    assert braked.sentence == (
        "outage brake: 30 of 40 requests of the candidate, from at least 20 units, had errors in one block, limit 50%; "
        "0 of 300 of the stable's had, under 10%"
    )


def test_blocks_are_never_added_up():
    """Fifteen units failing in each of many blocks is what the errors gate is for."""
    assert folded(*(block(number, stable=traffic(300, 0), candidate=traffic(15, 15, units=15)) for number in range(50))).braked is None


def test_later_requests_of_sticky_units_count_and_one_caller_alone_never_brakes():
    healthy = [row(number, S, 1.0) for number in range(50)]
    first = [row(1000 + number, C, 1.0) for number in range(20)]
    later = [row(1000 + number % 20, C, 1.0, error=True) for number in range(30)]
    assert summarise_outcomes(block=0, rows=healthy + first).strata == ()
    judge = fresh_judge()
    judge = judge.add(judge.summarise("outcomes", [(each, None) for each in healthy + first], later=[(each, None) for each in later]))
    assert look(judge).brake is not None
    alone = fresh_judge()
    again = [row(1000, C, 1.0, error=True) for _ in range(500)]
    alone = alone.add(alone.summarise("outcomes", [(each, None) for each in healthy], later=[(each, None) for each in again]))
    assert look(alone).brake is None


def test_it_goes_on_watching_when_the_evidence_is_refused():
    judge = fresh_judge().refused("made under another configuration")
    rows = [(row(number, S, 0.5), None) for number in range(50)] + [(row(100 + number, C, 0.5, error=True), None) for number in range(25)]
    assert look(judge.add(judge.summarise("outcomes", rows))).brake is not None


def test_a_block_of_the_first_version_had_no_traffic_and_brakes_nothing():
    old = msgspec.json.decode(b'{"block":3,"strata":[],"outside":2,"impossible":0,"version":1}', type=OutcomeBlock)
    assert old.version == 1
    assert NOT_BRAKED.add(old, at=1.0) == NOT_BRAKED


def test_as_many_units_are_counted_as_are_asked_for():
    assert BRAKE_UNITS_MIN <= UNITS_MAX
