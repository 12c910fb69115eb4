"""What identifies an experiment."""

import msgspec
import pytest

from changeover.gates.criteria import Criteria, ErrorsCriterion, EvidenceRules, TripRule
from changeover.gates.hash import _BUILT_IN, config_hash
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


def test_a_whole_number_is_the_same_margin_as_read_back_from_the_store():
    whole = Criteria(quality=msgspec.structs.replace(QUALITY, scale_low=0, scale_high=1), errors=ErrorsCriterion(margin_points=2))
    stored = msgspec.json.decode(msgspec.json.encode(whole), type=Criteria)
    assert config_hash(whole, RULES) == config_hash(stored, RULES)


def test_any_change_of_the_rules_is_another_experiment():
    assert config_hash(CRITERIA, EvidenceRules(block_s=11.0, blocks_min=2)) != config_hash(CRITERIA, RULES)
    assert config_hash(CRITERIA, msgspec.structs.replace(RULES, score_timeout_s=61.0)) != config_hash(CRITERIA, RULES)


def test_every_level_and_minimum_of_the_tests_is_part_of_the_experiment():
    for name in (
        "ALPHA_PASS",
        "ALPHA_TRIP_QUALITY",
        "ALPHA_TRIP_ERRORS",
        "ALPHA_TRIP_LATENCY",
        "ALPHA_TRIP_OUTAGE",
        "ALPHA_TRIP_COST",
        "ALPHA_TRIP_FILTER",
        "ALPHA_TRIP_HARMFUL",
        "ALPHA_SAMPLE_RATIO",
        "BETS",
        "CENTRE_WEIGHT",
        "RATIOS",
        "TIGHTEST_AT",
        "THRESHOLD_UNITS_MIN",
        "UNANSWERED_MS",
        "BASELINE_SCORES_MIN",
        "MISSING_MAX",
        "HARM_FACTOR",
        "PROBABILITY_MIN",
    ):
        assert len(_BUILT_IN[name]) == 1, name
