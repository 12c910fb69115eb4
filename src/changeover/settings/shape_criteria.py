"""How does the file say what is asked of a candidate? One shape for each criterion, and all of them together."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from changeover.settings.shape_base import Shape, expected, later, matches

SOURCE_EXPECTED: Final = "scores/NAME, or human/NAME where people give them: the scores of that name decide"
RATIO_EXPECTED: Final = "a ratio above 1 and at most 100, such as 1.5"
POINTS_EXPECTED: Final = "percentage points above 0 and at most 100, such as 0.5"
QUANTILE_EXPECTED: Final = "a quantile such as p50, p95 or p99"
QUANTILES_MAX: Final = 3
QUANTILES_EXPECTED: Final = f"one to {QUANTILES_MAX} quantiles, each once, such as [p50, p95, p99]"
NO_SOURCE_WORD: Final = "none"
"""Written as a source: the decision to do without one."""
_QUANTILE: Final = r"^p([1-9][0-9]?|[1-9][0-9]\.[0-9])$"
_SOURCE: Final = r"^(scores|human)/[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_LATER_SOURCES: Final = ("judge/", "eval/")


def _no_dataset(value: object) -> object:
    return _known_source(value) if isinstance(value, str) else value


def _distinct(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise expected(QUANTILES_EXPECTED)
    return names


def _some_quantiles(names: list[str]) -> list[str]:
    """Every quantile takes its share of the error level that is left to all trips together."""
    if not 1 <= len(names) <= QUANTILES_MAX:
        raise expected(QUANTILES_EXPECTED, f"{len(names)} quantiles")
    return _distinct(names)


def _known_source(text: str) -> str:
    if text.startswith(_LATER_SOURCES):
        raise later(f"the source {text.partition('/')[0]}/...")
    return text


Source = Annotated[str, Field(json_schema_extra={"pattern": _SOURCE}), AfterValidator(_known_source), matches(_SOURCE, SOURCE_EXPECTED)]
SourceOrNone = Annotated[
    str,
    Field(json_schema_extra={"pattern": rf"^none$|{_SOURCE}"}),
    AfterValidator(_known_source),
    matches(rf"^none$|{_SOURCE}", f"{SOURCE_EXPECTED}; or none"),
]
Quantile = Annotated[str, Field(json_schema_extra={"pattern": _QUANTILE}), matches(_QUANTILE, QUANTILE_EXPECTED)]
Ratio = Annotated[float, Field(gt=1, le=100)]
Points = Annotated[float, Field(gt=0, le=100)]


class QualityShape(Shape):
    """the quality criterion: {source: scores/NAME, scale: [1, 5], margin: 0.1, trip: margin}"""

    source: Source | None = Field(None, description=SOURCE_EXPECTED)
    scale: list[float] | None = Field(None, description="[lowest, highest] value of a score, such as [1, 5]")
    margin: Annotated[float, Field(gt=0)] | None = Field(None, description="the accepted loss in the scale's own units, above 0")
    trip: Literal["margin", "any"] | None = Field(None, description="margin or any")

    @model_validator(mode="after")
    def _scale(self) -> "QualityShape":
        if self.scale is not None and (len(self.scale) != 2 or not self.scale[0] < self.scale[1]):
            raise expected("scale: [lowest, highest], the lowest first, such as [1, 5]", f"scale: {self.scale}")
        return self


class ErrorsShape(Shape):
    """the errors criterion: {max_ratio: 1.5, margin_pp: 0.5, trip: any}"""

    max_ratio: Ratio | None = Field(None, description=RATIO_EXPECTED)
    margin_pp: Points | None = Field(None, description=POINTS_EXPECTED)
    trip: Literal["margin", "any"] | None = Field(None, description="margin or any")


class LatencyShape(Shape):
    """the latency criterion: {quantiles: [p50, p95, p99], max_ratio: 1.1, guard_only: [p99], trip: margin}"""

    quantiles: Annotated[list[Quantile], AfterValidator(_some_quantiles)] | None = Field(None, description=QUANTILES_EXPECTED)
    max_ratio: Ratio | None = Field(None, description=RATIO_EXPECTED)
    guard_only: Annotated[list[Quantile], AfterValidator(_distinct)] | None = Field(
        None, description="quantiles of the list that may roll back but are no gate, such as [p99]"
    )
    trip: Literal["margin", "any"] | None = Field(None, description="margin or any")


class TokensShape(Shape):
    """how many times the stable's tokens are accepted: {input: 1.1, output: 1.25}"""

    input: Ratio | None = Field(None, description=RATIO_EXPECTED)
    output: Ratio | None = Field(None, description=RATIO_EXPECTED)


class CostShape(Shape):
    """the cost criterion: {max_ratio: 1.1, tokens: {input: 1.1, output: 1.25}, trip: margin}"""

    max_ratio: Ratio | None = Field(None, description=RATIO_EXPECTED)
    tokens: TokensShape | None = Field(None, description="{input: 1.1, output: 1.25}")
    trip: Literal["margin", "any"] | None = Field(None, description="margin or any")


class FilterShape(Shape):
    """the accepted share of content-filter triggers: {max_ratio: 1.5, margin_pp: 0.2}"""

    max_ratio: Ratio | None = Field(None, description=RATIO_EXPECTED)
    margin_pp: Points | None = Field(None, description=POINTS_EXPECTED)


class HarmfulShape(Shape):
    """where scores of harmful answers come from: {source: scores/NAME} of 0 or 1, or {source: none}"""

    source: SourceOrNone = Field(description=f"{SOURCE_EXPECTED}; or none")


class SafetyShape(Shape):
    """the safety criterion: {filter: {max_ratio: 1.5, margin_pp: 0.2}, harmful: {source: none}, trip: any}"""

    filter: FilterShape | None = Field(None, description="{max_ratio: 1.5, margin_pp: 0.2}")
    harmful: HarmfulShape | None = Field(None, description="{source: none} or {source: scores/NAME}")
    trip: Literal["margin", "any"] | None = Field(None, description="margin or any")


class AccuracyShape(Shape):
    """accuracy against ground truth: {source: none}, any other source is not in this version"""

    LATER = frozenset({"margin_pp", "trip"})

    source: Annotated[Literal["none"], BeforeValidator(_no_dataset)] = Field(description="none: accuracy is not asked")


class CriteriaShape(Shape):
    """criteria: {preset: standard, quality: {...}, latency: {...}, cost: {...}, safety: {...}, errors: {...}}"""

    preset: Literal["strict", "standard", "cheaper-model", "none"] | None = Field(
        None, description="strict, standard, cheaper-model, or none for exactly the criteria written"
    )
    quality: QualityShape | None = Field(None, description="{source: scores/NAME, scale: [1, 5], margin: 0.1, trip: margin}")
    accuracy: AccuracyShape | None = Field(None, description="{source: none}")
    latency: LatencyShape | None = Field(None, description="{quantiles: [p50, p95, p99], max_ratio: 1.1, trip: margin}")
    cost: CostShape | None = Field(None, description="{max_ratio: 1.1, tokens: {input: 1.1, output: 1.25}, trip: margin}")
    safety: SafetyShape | None = Field(None, description="{filter: {max_ratio: 1.5, margin_pp: 0.2}, harmful: {source: none}, trip: any}")
    errors: ErrorsShape | None = Field(None, description="{max_ratio: 1.5, margin_pp: 0.5, trip: any}")
    min_samples: Annotated[int, Field(ge=0, le=100_000_000)] | None = Field(
        None, description="a whole number: units on either side that every pass needs"
    )
