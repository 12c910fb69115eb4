"""When the stable itself is down, nothing is proven about the candidate."""

import pytest

from changeover.evidence.outcomes import OutcomeBlock
from changeover.gates.errors import ErrorsGate
from changeover.gates.outage import is_outage
from changeover.gates.verdict import Decision, Verdict
from tests.unit.gates.streams import ERRORS, outcomes


def judged(*blocks: OutcomeBlock) -> Verdict:
    gate = ErrorsGate(criterion=ERRORS)
    for block in blocks:
        gate = gate.add(block, at=float(block.block + 1))
    return gate.verdict()


@pytest.mark.parametrize(
    ("unanswered", "units", "expected"), [(0, 0, False), (4, 4, False), (5, 5, True), (50, 100, False), (51, 100, True)]
)
def test_an_outage_is_most_of_enough_units(unanswered, units, expected):
    assert is_outage(unanswered=unanswered, units=units) is expected


def test_a_shared_outage_never_passes_however_long_it_lasts():
    verdict = judged(*(outcomes(block, p=0.1, stable=(900, 900), candidate=(100, 100)) for block in range(50)))
    assert verdict.decision is Decision.UNDECIDED
    assert not verdict.tripped
    assert verdict.problems == ("the stable itself did not answer 900 of 900 units in the last block: a shared outage proves nothing",)


def test_what_was_proven_before_an_outage_waits_until_it_is_over():
    healthy = [outcomes(block, p=0.5, stable=(100, 0), candidate=(100, 0)) for block in range(5)]
    down = outcomes(5, p=0.5, stable=(100, 90), candidate=(100, 88))
    after = outcomes(6, p=0.5, stable=(100, 0), candidate=(100, 0))
    decisions = [judged(*healthy).decision, judged(*healthy, down).decision, judged(*healthy, down, after).decision]
    assert decisions == [Decision.PASS, Decision.UNDECIDED, Decision.PASS]


def test_an_outage_brings_a_pass_no_nearer():
    healthy = outcomes(0, p=0.5, stable=(100, 0), candidate=(100, 0))
    down = [outcomes(block, p=0.5, stable=(100, 90), candidate=(100, 90)) for block in range(1, 30)]
    assert judged(healthy, *down).to_pass.log_e <= judged(healthy).to_pass.log_e


def test_a_candidate_that_is_worse_within_an_outage_still_trips():
    blocks = [outcomes(block, p=0.5, stable=(100, 51), candidate=(100, 100)) for block in range(20)]
    assert judged(*blocks).tripped
