"""What are a strategy's default steps, and which strategies can be followed today?"""

from typing import Final

from changeover.rollout.plan import AnalysisStep, Bake, Plan, PrepareStep, ShadowStep, Step, Strategy, VerifyStep, WeightStep
from changeover.rollout.plan_rules import step_name

STRATEGIES: Final[tuple[Strategy, ...]] = ("canary", "blue-green", "paired")
EVALUATED: Final = ("accuracy",)
"""What an evaluation on a data set decides unless the file says more."""

CANARY_STEPS: Final[tuple[Step, ...]] = (
    WeightStep(permille=100),
    AnalysisStep(require="no_harm"),
    WeightStep(permille=500),
    AnalysisStep(require="pass"),
    WeightStep(permille=1000),
)
"""The canary's default: 10 %, 50 %, all of it."""

BLUE_GREEN_STEPS: Final[tuple[Step, ...]] = (VerifyStep(gates=EVALUATED), WeightStep(permille=1000))
"""All at once after verification; the soak is its bake."""
BLUE_GREEN_BAKE: Final = Bake(duration_s=24 * 3600.0)

PAIRED_STEPS: Final[tuple[Step, ...]] = (
    VerifyStep(gates=EVALUATED),
    WeightStep(permille=100),
    AnalysisStep(require="no_harm"),
    WeightStep(permille=500),
    AnalysisStep(require="no_harm"),
    WeightStep(permille=1000),
)
"""Evaluation decides, on pairs of answers to the same documents; traffic guards."""

_STEPS: Final[dict[Strategy, tuple[Step, ...]]] = {
    "canary": CANARY_STEPS,
    "blue-green": BLUE_GREEN_STEPS,
    "paired": PAIRED_STEPS,
}

BY_HAND: Final = (
    "today: strategy: canary with steps [{weight: 50}, {analysis: {require: pass}}, {weight: 100}] and a bake, "
    "which asks traffic for the proof before all of it moves"
)


def steps_of(strategy: Strategy) -> tuple[Step, ...]:
    """What a rollout does that declares no steps."""
    return _STEPS[strategy]


def without_engine(strategy: Strategy) -> str:
    """Why a strategy cannot be followed today, and what can."""
    return f"canary: {strategy} begins with verify, an evaluation on data sets, which is not in this version; {BY_HAND}"


def engine_faults(plan: Plan) -> tuple[str, ...]:
    """The steps of a plan that nothing in this version carries out."""
    return tuple(
        f"step {index + 1}: {step_name(step)} is not in this version"
        for index, step in enumerate(plan.steps)
        if isinstance(step, PrepareStep | VerifyStep | ShadowStep)
    )
