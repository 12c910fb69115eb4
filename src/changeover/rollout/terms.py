"""What is asked of candidates when the next rollout starts? Rollouts under way keep what they were started with."""

import msgspec

from changeover.gates.criteria import Criteria, EvidenceRules
from changeover.rollout.plan import NO_BAKE, Bake, Deadline, Plan, Step, Strategy


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A rollout that is declared: what takes ``task`` to ``candidate`` once somebody starts it. The fields are those of `Plan`."""

    task: str
    candidate: str
    candidate_pool: tuple[str, ...] = ()
    steps: tuple[Step, ...]
    strategy: Strategy = "canary"
    bake: Bake = NO_BAKE
    retain_s: float | None = None
    deadline: Deadline | None = None

    def plan(self, criteria: Criteria, evidence: EvidenceRules) -> Plan:
        """The plan, judged by these criteria."""
        return Plan(
            steps=self.steps,
            criteria=criteria,
            evidence=evidence,
            strategy=self.strategy,
            bake=self.bake,
            retain_s=self.retain_s,
            deadline=self.deadline,
        )


def intent_of(plan: Plan, *, task: str, candidate: str, candidate_pool: tuple[str, ...]) -> Intent:
    """What is declared of a plan, whatever it is judged by."""
    return Intent(
        task=task,
        candidate=candidate,
        candidate_pool=candidate_pool,
        steps=plan.steps,
        strategy=plan.strategy,
        bake=plan.bake,
        retain_s=plan.retain_s,
        deadline=plan.deadline,
    )


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Criteria by task, the rules of evidence for all, and the declared rollouts by name."""

    criteria: dict[str, Criteria]
    evidence: EvidenceRules
    intents: dict[str, Intent] = {}
