"""How does the file declare a rollout and its steps?"""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from changeover.settings.durations import DURATION_EXPECTED, seconds
from changeover.settings.shape_base import Duration, Shape, expected, later
from changeover.settings.shape_names import POOL_EXPECTED, Pool

_PERMILLE_GRAIN: Final = 1e-6


def _tenths(percent: float) -> float:
    if abs(percent * 10 - round(percent * 10)) > _PERMILLE_GRAIN:
        raise expected("a weight in percent with at most one decimal, such as 12.5")
    return percent


class AnalysisShape(Shape):
    """an analysis: {require: no_harm, min_duration: 24h}"""

    LATER = frozenset({"gates"})

    require: Literal["no_harm", "pass"] = Field(description="no_harm or pass")
    min_duration: Duration | None = Field(None, description=DURATION_EXPECTED)
    max_duration: Duration | None = Field(None, description=DURATION_EXPECTED)
    on_undecided: Literal["pause"] = Field("pause", description="pause: an undecided analysis never passes")


class StepShape(Shape):
    """one step: {weight: PERCENT} or {analysis: {require: no_harm | pass}}"""

    LATER = frozenset({"verify", "shadow", "approve", "prepare"})

    weight: Annotated[float, Field(gt=0, le=100), AfterValidator(_tenths)] | None = Field(
        None, description="a weight in percent above 0 and at most 100, such as 10 or 12.5"
    )
    analysis: AnalysisShape | None = Field(None, description="{require: no_harm | pass, min_duration: ..., max_duration: ...}")

    @model_validator(mode="after")
    def _one(self) -> "StepShape":
        if (self.weight is None) == (self.analysis is None):
            raise expected(
                "one step an entry: `- weight: 10` or `- analysis: {require: no_harm}`",
                "both a weight and an analysis" if self.weight else "neither",
            )
        return self


class BakeShape(Shape):
    """{duration: 0s, holdback: 0}: a bake is not in this version, promotion comes with the last weight"""

    duration: Duration = Field(description="0s: a bake is not in this version")
    holdback: Annotated[float, Field(ge=0, le=100)] = Field(description="0: a holdback is not in this version")

    @model_validator(mode="after")
    def _none(self) -> "BakeShape":
        if seconds(self.duration) or self.holdback:
            raise later("any other bake")
        return self


class RolloutShape(Shape):
    """a rollout: {task: TASK, candidate: DEPLOYMENT, steps: [...]}"""

    LATER = frozenset({"retain_old", "rollback", "schedule"})

    task: str = Field(description="the name of a task")
    candidate: Pool = Field(description=POOL_EXPECTED)
    strategy: Literal["canary"] = Field("canary", description="canary")
    steps: list[StepShape] | None = Field(None, description="a list of steps: weights up to 100 with an analysis between them")
    bake: BakeShape | None = Field(None, description="{duration: 0s, holdback: 0}")
