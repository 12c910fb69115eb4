"""How does the file declare a rollout and its steps?"""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from changeover.rollout.plan import Strategy
from changeover.rollout.plan_rules import APPROVING_ROLES, HOLDBACK_PERMILLE_MAX
from changeover.settings.dates import DATE_EXPECTED, day_at
from changeover.settings.durations import DURATION_EXPECTED, seconds
from changeover.settings.shape_base import Duration, Shape, expected
from changeover.settings.shape_names import POOL_EXPECTED, Pool
from changeover.settings.strategies import without_engine

_PERMILLE_GRAIN: Final = 1e-6
_HOLDBACK_MAX: Final = HOLDBACK_PERMILLE_MAX // 10
STEP_EXPECTED: Final = "{weight: PERCENT}, {analysis: {require: no_harm | pass}}, {approve: {roles: [owner]}} or {pause: {duration: 1h}}"


def _tenths(percent: float) -> float:
    if abs(percent * 10 - round(percent * 10)) > _PERMILLE_GRAIN:
        raise expected("a weight in percent with at most one decimal, such as 12.5")
    return percent


def _date(text: str) -> str:
    if day_at(text) is None:
        raise expected(DATE_EXPECTED)
    return text


def _available(strategy: Strategy) -> Strategy:
    """What needs an engine that is not there is named with what works today."""
    if strategy != "canary":
        raise expected(without_engine(strategy))
    return strategy


class AnalysisShape(Shape):
    """an analysis: {require: no_harm, min_duration: 24h}"""

    LATER = frozenset({"gates"})

    require: Literal["no_harm", "pass"] = Field(description="no_harm or pass")
    min_duration: Duration | None = Field(None, description=DURATION_EXPECTED)
    max_duration: Duration | None = Field(None, description=DURATION_EXPECTED)
    on_undecided: Literal["pause", "rollback"] = Field(
        "pause", description="pause or rollback, at max_duration: an undecided analysis never passes"
    )

    @model_validator(mode="after")
    def _bounded(self) -> "AnalysisShape":
        if self.on_undecided == "rollback" and self.max_duration is None:
            raise expected("a max_duration beside on_undecided: rollback, which acts when that has passed", "no max_duration")
        return self


class ApproveShape(Shape):
    """an approval: {roles: [owner]}"""

    roles: Annotated[list[Literal["operator", "owner"]], Field(min_length=1)] = Field(
        description=f"a list of one or more of {', '.join(APPROVING_ROLES)}"
    )


class PauseShape(Shape):
    """a pause: {duration: 1h}, or {} until somebody resumes"""

    duration: Duration | None = Field(None, description=f"{DURATION_EXPECTED}; without it somebody has to resume")


class StepShape(Shape):
    """one step: {weight: PERCENT}, {analysis: {require: no_harm | pass}}, {approve: {roles: [owner]}} or {pause: {duration: 1h}}"""

    LATER = frozenset({"verify", "shadow", "prepare"})

    weight: Annotated[float, Field(gt=0, le=100), AfterValidator(_tenths)] | None = Field(
        None, description="a weight in percent above 0 and at most 100, such as 10 or 12.5"
    )
    analysis: AnalysisShape | None = Field(None, description="{require: no_harm | pass, min_duration: ..., max_duration: ...}")
    approve: ApproveShape | None = Field(None, description="{roles: [owner]}")
    pause: PauseShape | None = Field(None, description="{duration: 1h}, or {} until somebody resumes")

    @model_validator(mode="after")
    def _one(self) -> "StepShape":
        named = [name for name in ("weight", "analysis", "approve", "pause") if getattr(self, name) is not None]
        if len(named) != 1:
            raise expected(f"one step an entry: {STEP_EXPECTED}", " and ".join(named) or "none of them")
        return self


class BakeShape(Shape):
    """{duration: 7d, holdback: 5}: how long the last weight is watched before promotion, with 5 % kept on the old version"""

    duration: Duration = Field(description=f"{DURATION_EXPECTED}; 0s for none")
    holdback: Annotated[float, Field(ge=0, le=_HOLDBACK_MAX), AfterValidator(_tenths)] = Field(
        0.0, description=f"percent that stay on the old version meanwhile, from 0 to {_HOLDBACK_MAX}"
    )

    @model_validator(mode="after")
    def _lasting(self) -> "BakeShape":
        if self.holdback and not seconds(self.duration):
            raise expected("a duration above 0s beside a holdback, such as {duration: 7d, holdback: 5}", "a holdback for no time")
        return self


class DeadlineShape(Shape):
    """{date: 2026-12-09, retires: stable}: a date from outside; past it the rollout pauses, or you are told what to do"""

    date: Annotated[str, AfterValidator(_date)] = Field(description=DATE_EXPECTED)
    retires: Literal["stable", "candidate", "neither"] = Field(
        "neither", description="which side is gone then: stable, candidate or neither"
    )
    reason: str = Field("", description="why, in a few words")


class RolloutShape(Shape):
    """a rollout: {task: TASK, candidate: DEPLOYMENT, steps: [...]}"""

    LATER = frozenset({"rollback", "schedule"})

    task: str = Field(description="the name of a task")
    candidate: Pool = Field(description=POOL_EXPECTED)
    strategy: Annotated[Literal["canary", "blue-green", "paired"], AfterValidator(_available)] = Field("canary", description="canary")
    steps: list[StepShape] | None = Field(None, description="a list of steps: weights up to 100 with an analysis between them")
    bake: BakeShape | None = Field(None, description="{duration: 7d, holdback: 5}")
    retain_old: Duration | None = Field(
        None,
        description=f"{DURATION_EXPECTED}: how long the old version stays the way back after promotion; without it as long as declared",
    )
    deadline: DeadlineShape | None = Field(None, description="{date: 2026-12-09, retires: stable | candidate | neither}")
