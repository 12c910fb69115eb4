"""What exactly was asked? One short text that changes when anything that decides a verdict changes."""

import hashlib
from typing import Final

import msgspec

from changeover.evidence.betting import BETS, CAPITAL_AT_RISK, CENTRE_WEIGHT, FRACTION_MIN, Centre
from changeover.evidence.events import RATIO_MAX, RATIO_MIN, RATIOS
from changeover.evidence.interval import TIGHTEST_AT
from changeover.evidence.sample_ratio import ODDS_EACH_WAY, ODDS_MAX, ODDS_MIN
from changeover.evidence.units import PROBABILITY_MAX, PROBABILITY_MIN
from changeover.gates.criteria import Criteria, EvidenceRules
from changeover.gates.errors import NO_ERROR
from changeover.gates.levels import (
    ALPHA_PASS,
    ALPHA_SAMPLE_RATIO,
    ALPHA_TRIP_ERRORS,
    ALPHA_TRIP_QUALITY,
    HARM_FACTOR,
    MISSING_MAX,
    POWER_WANTED,
)

_DIGEST_BYTES: Final = 16

_BUILT_IN: Final = {
    "alpha": [ALPHA_PASS, ALPHA_TRIP_QUALITY, ALPHA_TRIP_ERRORS, ALPHA_SAMPLE_RATIO],
    "able_to_trip": [HARM_FACTOR, POWER_WANTED],
    "bets": [BETS, FRACTION_MIN],
    "capital_at_risk": CAPITAL_AT_RISK,
    "centre": [CENTRE_WEIGHT, Centre().start, NO_ERROR.start],
    "event_steps": [RATIOS, RATIO_MIN, RATIO_MAX],
    "missing_max": MISSING_MAX,
    "odds": [ODDS_EACH_WAY, ODDS_MIN, ODDS_MAX],
    "probability": [PROBABILITY_MIN, PROBABILITY_MAX],
    "tightest_at": TIGHTEST_AT,
}


def config_hash(criteria: Criteria, rules: EvidenceRules) -> str:
    """32 hexadecimal digits of BLAKE2b over criteria, rules and everything built in; the order of keys plays no part.

    Verdicts under different hashes are different experiments and are never joined.
    """
    content = {"built_in": _BUILT_IN, "criteria": criteria, "rules": rules}
    return hashlib.blake2b(msgspec.json.encode(content, order="deterministic"), digest_size=_DIGEST_BYTES).hexdigest()
