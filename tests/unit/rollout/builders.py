"""Rollouts, verdicts and assessments for tests: everything is well unless a test says otherwise."""

import msgspec

from changeover.gates.criteria import Criteria, ErrorsCriterion, EvidenceRules, QualityCriterion
from changeover.gates.verdict import Assessment, Decision, Level, SampleRatio, SideFigures, Verdict
from changeover.rollout.machine import advance, unstarted
from changeover.rollout.plan import AnalysisStep, ApproveStep, Bake, PauseStep, Plan, Step, WeightStep
from changeover.rollout.state import Acknowledged, Approved, Assessed, Event, Phase, Resume, Rollout, Started
from changeover.rollout.world import Change, Proposal, TaskState, World, apply
from changeover.versions import Account, Deployment, ModelVersion, SecretReference

T0 = 1_700_000_000.0
BLOCK_S = 60.0
BLOCKS_MIN = 3

STEPS: tuple[Step, ...] = (
    WeightStep(permille=100),
    AnalysisStep(require="no_harm"),
    WeightStep(permille=500),
    AnalysisStep(require="pass", duration_max_s=3600.0),
    WeightStep(permille=1000),
)

CRITERIA = Criteria(quality=QualityCriterion(score="rating"), errors=ErrorsCriterion())


BAKE = Bake(duration_s=600.0, holdback_permille=50)


def plan(steps: tuple[Step, ...] = STEPS, criteria: Criteria = CRITERIA, **more: object) -> Plan:
    of = Plan(steps=steps, criteria=criteria, evidence=EvidenceRules(block_s=BLOCK_S, blocks_min=BLOCKS_MIN))
    return msgspec.structs.replace(of, **more)


BAKED = plan(bake=BAKE, retain_s=3600.0)


def rollout(of: Plan | None = None) -> Rollout:
    return Rollout(
        id="r1",
        task="email",
        attempt=1,
        salt="salt",
        stable="old",
        candidate="new",
        plan=of or plan(),
        started_at=T0,
        progress=unstarted(T0),
    )


def verdict(
    criterion: str = "quality",
    decision: Decision = Decision.PASS,
    *,
    tripped: bool = False,
    able_to_trip: bool = True,
    problems: tuple[str, ...] = (),
    missing: int = 0,
) -> Verdict:
    figures = SideFigures(count=1000 - missing, missing=missing, mean=4.2)
    return Verdict(
        criterion=criterion,
        decision=decision,
        tripped=tripped,
        able_to_trip=able_to_trip,
        worse_inside=False,
        stable=figures,
        candidate=figures,
        estimate=-0.31,
        low=-0.4,
        high=-0.2,
        method="betting",
        margin="0.1 of 1 to 5",
        to_pass=Level(log_e=1.0, threshold=3.0),
        to_trip=Level(log_e=1.0, threshold=3.0),
        sentence=f"{criterion} looks as it does",
        problems=problems,
    )


def assessment(
    *verdicts: Verdict, closed_until: float, blocks: int = BLOCKS_MIN, served_s: float | None = None, alarm: bool = False
) -> Assessment:
    return Assessment(
        verdicts=verdicts or (verdict("quality"), verdict("errors")),
        sample_ratio=SampleRatio(stable=900, candidate=100, level=Level(log_e=0.5, threshold=6.9), alarm=alarm),
        blocks=blocks,
        served_s=blocks * BLOCK_S if served_s is None else served_s,
        closed_until=closed_until,
        evidence_hash="e1",
    )


def passing(after: Rollout) -> Assessed:
    """Evidence on which every requirement is met: the whole dwell at the acknowledged weight, or the whole bake, every gate
    passed.
    """
    since = after.progress.acknowledged_at or after.progress.weight_set_at
    bake_s = after.plan.bake.duration_s if after.progress.phase is Phase.BAKING else 0.0
    served_s = max(bake_s, BLOCKS_MIN * BLOCK_S)
    step = after.plan.steps[after.progress.step] if after.progress.step >= 0 else None
    watched_until = after.progress.step_entered_at + (step.duration_s or 0.0) if isinstance(step, PauseStep) else 0.0
    return Assessed(assessment=assessment(closed_until=max(since + served_s, watched_until), served_s=served_s))


def undecided(after: Rollout) -> Assessed:
    since = after.progress.acknowledged_at or after.progress.weight_set_at
    verdicts = [verdict(name, Decision.UNDECIDED, able_to_trip=False) for name in ("quality", "errors")]
    return Assessed(assessment=assessment(*verdicts, closed_until=since + BLOCKS_MIN * BLOCK_S))


def tripping(after: Rollout) -> Assessed:
    return Assessed(assessment=assessment(verdict("quality", Decision.FAIL, tripped=True), verdict("errors"), closed_until=T0 + 1))


def alarming(after: Rollout) -> Assessed:
    since = after.progress.acknowledged_at or after.progress.weight_set_at
    return Assessed(assessment=assessment(closed_until=since + BLOCKS_MIN * BLOCK_S, alarm=True))


def next_event(present: Rollout) -> Event:
    """What takes a rollout further along its happy path."""
    progress = present.progress
    if progress.phase is Phase.PAUSED:
        return Resume()
    step = present.plan.steps[progress.step]
    if progress.phase is Phase.RUNNING and isinstance(step, WeightStep):
        return Acknowledged()
    if isinstance(step, ApproveStep) and not progress.cleared:
        return Approved(actor="oda", role=step.roles[0])
    return passing(present)


def walked(steps: int, of: Plan | None = None) -> Rollout:
    """A rollout that stands on the step of that index, a tenth of an hour after each event; the present weight is
    acknowledged unless it stands on the weight step itself.
    """
    present, _ = advance(rollout(of), Started(), T0)
    now = T0
    while present.progress.step < steps and not present.progress.phase.is_final:
        now += 360.0
        present, _ = advance(present, next_event(present), now)
    assert present.progress.phase in (Phase.RUNNING, Phase.COMPLETED) or isinstance(present.plan.steps[present.progress.step], PauseStep)
    return present


def baking(of: Plan = BAKED) -> Rollout:
    """A rollout whose last weight is acknowledged."""
    present = walked(len(of.steps) - 1, of)
    present, _ = advance(present, Acknowledged(), present.progress.weight_set_at + 60.0)
    assert present.progress.phase is Phase.BAKING
    return present


def deployment(name: str) -> Deployment:
    return Deployment(name=name, account="acc", model=ModelVersion(name="gpt-4o", version="2024-11-20"))


ACCOUNT = Account(
    name="acc",
    kind="azure-openai",
    endpoint="https://acc.openai.azure.com",
    auth=SecretReference(source="env", name="AZURE_OPENAI_API_KEY"),
)


def seeded() -> World:
    """Two tasks on ``old``; ``new`` and ``other`` are there to be tried."""
    from changeover.rollout.commands import seed

    proposal = seed(
        World(),
        accounts=[ACCOUNT],
        deployments=[deployment(name) for name in ("old", "new", "other")],
        tasks=[TaskState(name="email", stable="old"), TaskState(name="chat", stable="old")],
        actor="serve",
        reason="first start",
    )
    return committed(World(), proposal)


def committed(world: World, proposal: Proposal, at: float = T0) -> World:
    return apply(world, change_of(world, proposal, at))


def change_of(world: World, proposal: Proposal, at: float = T0) -> Change:
    return Change(revision=world.revision + 1, at=at, actor=proposal.actor, reason=proposal.reason, body=proposal.body)
