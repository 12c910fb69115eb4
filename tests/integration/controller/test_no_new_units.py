"""Units are counted once per rollout: what when none of those who come are new?"""

from changeover.adapters.memory import MemoryStore
from changeover.gates.criteria import Criteria, ErrorsCriterion, EvidenceRules
from changeover.rollout.plan import AnalysisStep, Plan, WeightStep
from changeover.rollout.requirement import unmet
from changeover.rollout.state import Phase
from tests.integration.controller.stage import BLOCK_S, Stage
from tests.integration.controller.test_rollouts import in_loop

REQUESTS = 400
RAISED = AnalysisStep(require="pass", duration_max_s=12 * BLOCK_S)


class Returning(Stage):
    """Once there are ``users``, the same come again and again."""

    users = 1_000_000

    def _unit(self) -> str | None:
        return f"user-{(self.requests - 1) % self.users}"


def plan() -> Plan:
    return Plan(
        steps=(WeightStep(permille=200), AnalysisStep(require="no_harm"), WeightStep(permille=500), RAISED, WeightStep(permille=1000)),
        criteria=Criteria(errors=ErrorsCriterion(max_ratio=1.5, margin_points=50)),
        evidence=EvidenceRules(block_s=BLOCK_S, blocks_min=1),
    )


async def raised() -> Returning:
    """At 50 %, with everybody counted at 20 %."""
    stage = Returning(MemoryStore())
    stage.begin(plan())
    while stage.permille < 500:
        assert stage.requests < 20 * REQUESTS
        await stage.serve(requests=REQUESTS)
    stage.users = stage.requests
    return stage


@in_loop
async def test_a_step_that_no_new_unit_reaches_is_undecided_and_says_so() -> None:
    stage = await raised()
    for _ in range(4):
        await stage.serve(requests=REQUESTS)
    rollout = stage.rollout
    assert (rollout.progress.phase, rollout.progress.permille) == (Phase.RUNNING, 500)
    assessment = await stage.assessor.assess(rollout)
    assert assessment.blocks == 0
    assert assessment.served_s > 0
    reasons = unmet(RAISED, rollout.plan, rollout.progress, assessment)
    assert [reason for reason in reasons if reason.startswith("no new units: 0 closed blocks with new ones in ")]


@in_loop
async def test_at_its_deadline_it_pauses_with_that_reason_and_the_ways_out() -> None:
    stage = await raised()
    for _ in range(16):
        await stage.serve(requests=REQUESTS)
    assert stage.rollout.progress.phase is Phase.PAUSED
    assert "no new units" in stage.rollout.progress.reason
    assert "start a new attempt at 50:50" in stage.rollout.progress.reason


@in_loop
async def test_new_units_at_that_weight_let_it_go_on() -> None:
    stage = await raised()
    stage.users = 1_000_000
    for _ in range(12):
        await stage.serve(requests=REQUESTS)
    assert stage.rollout.progress.phase is Phase.COMPLETED
