"""What identifies an experiment."""

import msgspec
import pytest

from changeover.gates.criteria import Criteria, EvidenceRules, TripRule
from changeover.gates.hash import config_hash
from tests.unit.gates.streams import ERRORS, QUALITY, RULES

CRITERIA = Criteria(quality=QUALITY, errors=ERRORS, left_out={"latency": "no source", "cost": "no source"})


def test_the_hash_does_not_depend_on_the_order_of_keys():
    other = Criteria(quality=QUALITY, errors=ERRORS, left_out={"cost": "no source", "latency": "no source"})
    assert config_hash(CRITERIA, RULES) == config_hash(other, RULES)
    assert len(config_hash(CRITERIA, RULES)) == 32


@pytest.mark.parametrize(
    "criteria",
    [
        msgspec.structs.replace(CRITERIA, quality=None),
        msgspec.structs.replace(CRITERIA, quality=msgspec.structs.replace(QUALITY, margin=0.021)),
        msgspec.structs.replace(CRITERIA, quality=msgspec.structs.replace(QUALITY, score="other")),
        msgspec.structs.replace(CRITERIA, errors=msgspec.structs.replace(ERRORS, trip=TripRule.MARGIN)),
        msgspec.structs.replace(CRITERIA, left_out={}),
    ],
)
def test_any_change_of_a_criterion_is_another_experiment(criteria):
    assert config_hash(criteria, RULES) != config_hash(CRITERIA, RULES)


def test_any_change_of_the_rules_is_another_experiment():
    assert config_hash(CRITERIA, EvidenceRules(block_s=11.0, blocks_min=2)) != config_hash(CRITERIA, RULES)
    assert config_hash(CRITERIA, msgspec.structs.replace(RULES, score_timeout_s=61.0)) != config_hash(CRITERIA, RULES)
