"""What exactly was asked? One short text that changes when anything that decides a verdict changes."""

import hashlib
from types import ModuleType
from typing import Final

import msgspec

from changeover.evidence import (
    betting,
    cost,
    cost_ratio,
    cost_users,
    events,
    filters,
    histogram,
    interval,
    latency,
    sample_ratio,
    tempering,
    units,
    user_totals,
)
from changeover.gates import brake, levels, outage, rare, streams
from changeover.gates import cost as cost_gate
from changeover.gates import cost_users as cost_users_gate
from changeover.gates import latency as latency_gate
from changeover.gates.criteria import Criteria, EvidenceRules

_DIGEST_BYTES: Final = 16

_ROOMS: Final = (
    betting, cost, cost_ratio, cost_users, events, filters, histogram, interval, latency, sample_ratio, tempering, units, user_totals,
)  # fmt: skip
_GATES: Final = (brake, levels, cost_gate, cost_users_gate, latency_gate, outage, rare, streams)


def _built_in(*modules: ModuleType) -> dict[str, list[float]]:
    """Every named number of the tests: error levels, grids, thresholds, minima. By name alone, so that moving one from
    module to module is no other experiment.
    """
    found: dict[str, set[float]] = {}
    for module in modules:
        for name, value in vars(module).items():
            if name.isupper() and not name.startswith("_") and isinstance(value, int | float):
                found.setdefault(name, set()).add(float(value))
    return {name: sorted(values) for name, values in found.items()}


_BUILT_IN: Final = {
    **_built_in(*_ROOMS, *_GATES),
    "centres": [betting.Centre().start, rare.NO_EVENT.start],
}


def config_hash(criteria: Criteria, rules: EvidenceRules) -> str:
    """32 hexadecimal digits of BLAKE2b over criteria, rules and everything built in; the order of keys plays no part.

    Verdicts under different hashes are different experiments and are never joined. Criteria are hashed as the store gives
    them back: a margin of 1 is one of 1.0.
    """
    asked = msgspec.json.decode(msgspec.json.encode((criteria, rules)), type=tuple[Criteria, EvidenceRules])
    content = {"built_in": _BUILT_IN, "criteria": asked[0], "rules": asked[1]}
    return hashlib.blake2b(msgspec.json.encode(content, order="deterministic"), digest_size=_DIGEST_BYTES).hexdigest()
