"""What is asked of candidates when the next rollout starts? Rollouts under way keep what they were started with."""

import msgspec

from changeover.gates.criteria import Criteria, EvidenceRules
from changeover.rollout.plan import Step


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A rollout that is declared: the steps that take ``task`` to ``candidate`` once somebody starts it."""

    task: str
    candidate: str
    candidate_pool: tuple[str, ...] = ()
    steps: tuple[Step, ...]


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Criteria by task, the rules of evidence for all, and the declared rollouts by name."""

    criteria: dict[str, Criteria]
    evidence: EvidenceRules
    intents: dict[str, Intent] = {}
