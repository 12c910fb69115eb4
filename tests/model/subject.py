"""What the small worlds are about: one task, one plan, and what a look at its evidence may find. Time is in ticks of one block."""

from typing import Final, Literal

from changeover.gates.criteria import Criteria, ErrorsCriterion, EvidenceRules
from changeover.gates.verdict import Assessment, Decision, Level, SampleRatio, SideFigures, Verdict
from changeover.rollout.commands import seed
from changeover.rollout.plan import AnalysisStep, Bake, Plan, WeightStep
from changeover.rollout.world import Change, Proposal, TaskState, World, apply
from changeover.versions import Account, Deployment, ModelVersion, SecretReference

TASK: Final = "email"
STABLE: Final = "old"
CANDIDATE: Final = "new"
NOW: Final = 1_700_000_000.0
TICK_S: Final = 60.0

DWELL_TICKS: Final = 1
UNDECIDED_TICKS: Final = 2
SERVED_MAX: Final = 2
"""A look counts no more blocks than this: one is enough for every requirement."""
LOOK_AGE_MAX: Final = 2
"""A look that is not committed within so many ticks never is."""
AGE_MAX: Final = SERVED_MAX + LOOK_AGE_MAX
"""Ages are told apart up to here, so that a look's age and a weight's can be compared as far as any requirement asks."""

PLAN: Final = Plan(
    steps=(
        WeightStep(permille=100),
        AnalysisStep(require="pass", duration_max_s=UNDECIDED_TICKS * TICK_S),
        WeightStep(permille=1000),
    ),
    criteria=Criteria(errors=ErrorsCriterion(), left_out={"quality": "no source"}),
    evidence=EvidenceRules(block_s=TICK_S, blocks_min=DWELL_TICKS),
    bake=Bake(duration_s=DWELL_TICKS * TICK_S, holdback_permille=50),
    retain_s=TICK_S,
)
PROOF_STEP: Final = 1
LAST_STEP: Final = 2

Finding = Literal["pass", "undecided", "broken", "fail", "trip", "alarm"]
"""What the evidence says: proven good; not yet; not fit to say; proven bad; proven harm; a draw that is not as drawn."""


def assessment(finding: Finding, *, served: int, ago: int) -> Assessment:
    """A look made ``ago`` ticks back at evidence of which ``served`` blocks are of the acknowledged weight."""
    decision = {"pass": Decision.PASS, "alarm": Decision.PASS, "fail": Decision.FAIL, "trip": Decision.FAIL}.get(
        finding, Decision.UNDECIDED
    )
    figures = SideFigures(count=1000, events=10)
    level = Level(log_e=1.0, threshold=3.0)
    errors = Verdict(
        criterion="errors",
        decision=decision,
        tripped=finding == "trip",
        able_to_trip=True,
        worse_inside=False,
        stable=figures,
        candidate=figures,
        estimate=1.0,
        low=0.9,
        high=1.1,
        method="",
        margin="",
        to_pass=level,
        to_trip=level,
        sentence=finding,
        problems=("late",) if finding == "broken" else (),
    )
    return Assessment(
        verdicts=(errors,),
        sample_ratio=SampleRatio(stable=900, candidate=100, level=level, alarm=finding == "alarm"),
        blocks=served,
        served_s=served * TICK_S,
        closed_until=NOW - ago * TICK_S,
    )


def seeded() -> World:
    """One task on the old version; the new one is there to be tried."""
    account = Account(
        name="acc", kind="azure-openai", endpoint="https://acc.openai.azure.com", auth=SecretReference(source="env", name="KEY")
    )
    deployments = [Deployment(name=name, account="acc", model=ModelVersion(name="m", version=name)) for name in (STABLE, CANDIDATE)]
    proposal = seed(
        World(), accounts=[account], deployments=deployments, tasks=[TaskState(name=TASK, stable=STABLE)], actor="a", reason="r"
    )
    return apply(World(), change_of(World(), proposal))


def change_of(world: World, proposal: Proposal) -> Change:
    return Change(revision=world.revision + 1, at=NOW, actor=proposal.actor, reason=proposal.reason, body=proposal.body)
