"""May a plan be started at all? Answers with every fault, each with the step that it is about."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from changeover.rollout.plan import AnalysisStep, ApproveStep, Plan, PrepareStep, ShadowStep, Step, VerifyStep, WeightStep, percent
from changeover.rollout.role import Role
from changeover.traffic.table import WEIGHT_FULL_PERMILLE

APPROVING_ROLES: Final = (Role.OPERATOR.value, Role.OWNER.value)
"""Whose approval a step may want: those who may change something."""


class PlanFault(NamedTuple):
    """Why a plan may not be started: at which step (``None``: the plan as a whole), what was found and expected."""

    step: int | None
    found: str
    expected: str

    def __str__(self) -> str:
        where = "" if self.step is None else f"step {self.step + 1}: "
        return f"{where}found {self.found}; expected {self.expected}"


def plan_faults(plan: Plan) -> list[str]:
    """Every reason why ``plan`` may not be started, as sentences; empty when it may."""
    return [str(fault) for fault in step_faults(plan)]


def step_faults(plan: Plan) -> list[PlanFault]:
    """The same, each with the step that it is about."""
    faults = [] if plan.gates else [PlanFault(None, "no criterion with a source", "at least one, such as errors or quality with scores")]
    if not plan.steps:
        return [*faults, PlanFault(None, "no steps", "weights up to 100 with an analysis before each raise")]
    return [*faults, *_order_faults(plan), *_weight_faults(plan), *_last_faults(plan), *_word_faults(plan), *_bake_faults(plan)]


def proof_at(plan: Plan, index: int) -> int | None:
    """Where the last analysis stands before step ``index`` at the weight that is served there: what must still hold when that
    step is left.
    """
    for at in reversed(range(index)):
        if isinstance(plan.steps[at], AnalysisStep):
            return at
        if isinstance(plan.steps[at], WeightStep):
            return None
    return None


def _order_faults(plan: Plan) -> Iterator[PlanFault]:
    weighted: int | None = None
    for index, step in enumerate(plan.steps):
        if isinstance(step, WeightStep):
            if weighted is not None and proof_at(plan, index) is None:
                between = "right after another weight" if weighted == index - 1 else "with no analysis since the weight before"
                yield PlanFault(index, f"weight {percent(step.permille)} {between}", "an analysis between the two")
            weighted = index
        elif isinstance(step, AnalysisStep) and weighted is None:
            yield PlanFault(index, "an analysis first", "a weight first: without traffic there is nothing to analyse")
        elif isinstance(step, PrepareStep | VerifyStep | ShadowStep) and weighted is not None:
            yield PlanFault(
                index, f"{step_name(step)} after a weight", "it before the first weight: it is about a candidate without traffic"
            )


def _weight_faults(plan: Plan) -> Iterator[PlanFault]:
    highest = 0
    for index, step in enumerate(plan.steps):
        if not isinstance(step, WeightStep):
            continue
        served = plan.served_permille(index)
        held = "" if served == step.permille else f", of which the holdback leaves {percent(served)},"
        if not 0 < step.permille <= WEIGHT_FULL_PERMILLE:
            yield PlanFault(index, f"weight {percent(step.permille)}", "a weight above 0 % and at most 100 %")
        elif served <= highest:
            yield PlanFault(index, f"weight {percent(step.permille)}{held} after {percent(highest)}", "weights that rise with every step")
        highest = max(highest, served)


def _last_faults(plan: Plan) -> Iterator[PlanFault]:
    """Promotion needs proof right before all traffic moves (rule I2): every gate's pass on traffic, or of the evaluation where
    the strategy says that it decides.
    """
    last = len(plan.steps) - 1
    step = plan.steps[last]
    if not isinstance(step, WeightStep) or step.permille != WEIGHT_FULL_PERMILLE:
        yield PlanFault(last, "another last step", "weight 100 as the last step")
        return
    if plan.strategy != "canary":
        if not plan.verify_gates:
            yield PlanFault(max(last - 1, 0), f"no verify in a {plan.strategy} rollout", "verify with at least one gate that has a source")
        return
    at = proof_at(plan, last)
    proof = None if at is None else plan.steps[at]
    if not isinstance(proof, AnalysisStep) or proof.require != "pass":
        yield PlanFault(max(last - 1, 0), "no proof before weight 100", "an analysis with require: pass right before weight 100")


def _word_faults(plan: Plan) -> Iterator[PlanFault]:
    """What single steps say."""
    for index, step in enumerate(plan.steps):
        if isinstance(step, ApproveStep) and (not step.roles or not {*step.roles} <= {*APPROVING_ROLES}):
            yield PlanFault(index, f"roles {', '.join(step.roles) or 'none'}", f"one or more of {', '.join(APPROVING_ROLES)}")
        elif isinstance(step, VerifyStep) and not step.gates:
            yield PlanFault(index, "a verify without gates", "at least one gate, such as accuracy")


def _bake_faults(plan: Plan) -> Iterator[PlanFault]:
    bake = plan.bake
    if not 0 <= bake.holdback_permille <= HOLDBACK_PERMILLE_MAX:
        yield PlanFault(None, f"a holdback of {percent(bake.holdback_permille)}", f"at most {percent(HOLDBACK_PERMILLE_MAX)}")
    elif bake.holdback_permille and not bake.duration_s > 0:
        yield PlanFault(None, f"a holdback of {percent(bake.holdback_permille)} for no time", "a bake that lasts, such as duration: 7d")


HOLDBACK_PERMILLE_MAX: Final = 500
"""More would be a step, not a control."""


def step_name(step: Step) -> str:
    """Its word in the file."""
    return str(step.__struct_config__.tag)
