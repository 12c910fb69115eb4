"""What do ``strict``, ``standard``, ``cheaper-model`` and ``none`` mean, and what does a task's criteria come to?"""

from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from changeover.gates.criteria import (
    CostCriterion,
    Criteria,
    ErrorsCriterion,
    LatencyCriterion,
    QualityCriterion,
    SafetyCriterion,
    ScoreSource,
    TripRule,
)
from changeover.settings.declared import Fault
from changeover.settings.paths import Path, written
from changeover.settings.shape_base import Shape
from changeover.settings.shape_criteria import NO_SOURCE_WORD, CriteriaShape

T = TypeVar("T")
S = TypeVar("S", bound=Shape)

NO_SOURCE: Final = "no source: the preset asks for it, but no scores are named"
NO_ACCURACY: Final = "no source: the preset asks for it, but judging against ground truth is not in this version"

WAYS_OUT: Final = {
    "quality": "write criteria.quality.source to judge it",
    "accuracy": "write criteria.accuracy: {source: none} to settle it",
}
"""What to write about a criterion that is left out."""

NONE: Final = "none"
"""The base for exactly the criteria that are written; numbers that are not written are those of `_DEFAULT`."""

_SCALE_DEFAULT: Final = (1.0, 5.0)
_DEFAULT: Final = "standard"
_PERCENT: Final = 100


class QualityPreset(NamedTuple):
    """``margin_share`` is the accepted loss as a share of the scale's width."""

    margin_share: float
    trip: TripRule


QUALITY: Final = {
    "strict": QualityPreset(0.0125, TripRule.ANY),
    "standard": QualityPreset(0.025, TripRule.MARGIN),
    "cheaper-model": QualityPreset(0.1, TripRule.MARGIN),
}
ERRORS: Final = ErrorsCriterion(max_ratio=1.5, margin_points=0.5, trip=TripRule.ANY)
LATENCY: Final = LatencyCriterion(quantiles=(0.5, 0.95, 0.99), max_ratio=1.10, trip=TripRule.MARGIN)
INPUT_RATIO: Final = 1.10
OUTPUT_RATIO: Final = 1.25
COST: Final = CostCriterion(max_ratio=1.10, input_ratio=INPUT_RATIO, output_ratio=OUTPUT_RATIO, trip=TripRule.MARGIN)
SAFETY: Final = SafetyCriterion(max_ratio=1.5, margin_points=0.2, harmful=None, trip=TripRule.ANY)
"""These four are the same in every preset: traffic itself is their source."""


class Layers(NamedTuple):
    """What the file says about one task's criteria: for all tasks, and for this one. The nearer wins; a task's own
    preset wins over numbers written for all, while the sources and the scale written for all stay.
    """

    everywhere: CriteriaShape | None
    here: CriteriaShape | None

    @property
    def preset(self) -> str:
        return (self.here and self.here.preset) or (self.everywhere and self.everywhere.preset) or _DEFAULT

    def sources(self, criterion: Callable[[CriteriaShape], S | None]) -> list[S]:
        """All that is written about a criterion, the nearest first."""
        shapes = [shape for shape in (self.here, self.everywhere) if shape is not None]
        return [found for shape in shapes if (found := criterion(shape)) is not None]

    def numbers(self, criterion: Callable[[CriteriaShape], S | None]) -> list[S]:
        """The same, without what the task's own preset put aside."""
        shapes = (self.here,) if self.here is not None and self.here.preset else (self.here, self.everywhere)
        return [found for shape in shapes if shape is not None and (found := criterion(shape)) is not None]

    def asks(self, criterion: Callable[[CriteriaShape], S | None]) -> bool:
        """Whether the criterion is wanted at all: every preset but ``none`` wants all of them."""
        return self.preset != NONE or bool(self.numbers(criterion))


def resolve(layers: Layers, task: str) -> tuple[Criteria, list[tuple[Path, Fault]]]:
    """The criteria of ``task``, presets and overrides resolved, and what is wrong with them, where it is written."""
    quality, faults = _quality(layers, _place("quality", layers.here and layers.here.quality, task))
    latency, more = _latency(layers, _place("latency", layers.here and layers.here.latency, task))
    criteria = Criteria(
        quality=quality,
        errors=_errors(layers),
        latency=latency,
        cost=_cost(layers),
        safety=_safety(layers),
        min_samples=_nearest([shape.min_samples for shape in (layers.here, layers.everywhere) if shape is not None], 0),
        left_out=_left_out(layers, quality),
    )
    return criteria, faults + more


def _place(criterion: str, here: Shape | None, task: str) -> Path:
    return ("criteria", criterion) if here is None else ("tasks", task, "criteria", criterion)


def _fault(path: Path, found: str, expected: str) -> list[tuple[Path, Fault]]:
    return [(path, Fault(path=written(path), found=found, expected=expected))]


def _left_out(layers: Layers, quality: QualityCriterion | None) -> dict[str, str]:
    """What the preset alone asks for and nothing can answer. Written without a source it is a fault, or a decision."""
    if layers.preset == NONE:
        return {}
    found = {} if quality is not None or layers.sources(lambda shape: shape.quality) else {"quality": NO_SOURCE}
    return found if layers.sources(lambda shape: shape.accuracy) else found | {"accuracy": NO_ACCURACY}


def _quality(layers: Layers, path: Path) -> tuple[QualityCriterion | None, list[tuple[Path, Fault]]]:
    shapes = layers.sources(lambda shape: shape.quality)
    if not shapes or not layers.asks(lambda shape: shape.quality):
        return None, []
    source = _first([shape.source for shape in shapes])
    if source is None:
        words = "source: scores/NAME or human/NAME; a criterion without a source is no gate, so name one or take quality out"
        return None, _fault(path, "no source", words)
    low, high = _first([shape.scale for shape in shapes]) or _SCALE_DEFAULT
    preset = QUALITY[_DEFAULT if layers.preset == NONE else layers.preset]
    numbers = layers.numbers(lambda shape: shape.quality)
    criterion = QualityCriterion(
        score=_score(source),
        source=_scored_by(source),
        scale_low=float(low),
        scale_high=float(high),
        margin=float(_nearest([shape.margin for shape in numbers], preset.margin_share * (high - low))),
        trip=_trip([shape.trip for shape in numbers], preset.trip),
    )
    return criterion, _margin_faults(criterion, path)


def _margin_faults(criterion: QualityCriterion, path: Path) -> list[tuple[Path, Fault]]:
    width = criterion.scale_high - criterion.scale_low
    if criterion.margin < width:
        return []
    words = f"a margin below {width:g}, the width of the scale: it is in the scale's own units"
    return _fault((*path, "margin"), f"{criterion.margin:g}", words)


def _errors(layers: Layers) -> ErrorsCriterion | None:
    if not layers.asks(lambda shape: shape.errors):
        return None
    numbers = layers.numbers(lambda shape: shape.errors)
    return ErrorsCriterion(
        max_ratio=float(_nearest([shape.max_ratio for shape in numbers], ERRORS.max_ratio)),
        margin_points=float(_nearest([shape.margin_pp for shape in numbers], ERRORS.margin_points)),
        trip=_trip([shape.trip for shape in numbers], ERRORS.trip),
    )


def _latency(layers: Layers, path: Path) -> tuple[LatencyCriterion | None, list[tuple[Path, Fault]]]:
    if not layers.asks(lambda shape: shape.latency):
        return None, []
    numbers = layers.numbers(lambda shape: shape.latency)
    named = _first([shape.quantiles for shape in numbers])
    quantiles = LATENCY.quantiles if named is None else tuple(sorted(map(quantile, named)))
    guarding = _nearest([shape.guard_only for shape in numbers], [])
    criterion = LatencyCriterion(
        quantiles=quantiles,
        max_ratio=float(_nearest([shape.max_ratio for shape in numbers], LATENCY.max_ratio)),
        guard_only=tuple(sorted(map(quantile, guarding))),
        trip=_trip([shape.trip for shape in numbers], LATENCY.trip),
    )
    unknown = [name for name in guarding if quantile(name) not in quantiles]
    words = f"quantiles that are compared: {', '.join(f'p{one * _PERCENT:g}' for one in quantiles)}"
    return criterion, _fault((*path, "guard_only"), ", ".join(unknown), words) if unknown else []


def quantile(name: str) -> float:
    """``p95`` as a share: 0.95."""
    return round(float(name.removeprefix("p")) / _PERCENT, 6)


def _cost(layers: Layers) -> CostCriterion | None:
    if not layers.asks(lambda shape: shape.cost):
        return None
    numbers = layers.numbers(lambda shape: shape.cost)
    tokens = [shape.tokens for shape in numbers if shape.tokens is not None]
    return CostCriterion(
        max_ratio=float(_nearest([shape.max_ratio for shape in numbers], COST.max_ratio)),
        input_ratio=_nearest([shape.input for shape in tokens], INPUT_RATIO),
        output_ratio=_nearest([shape.output for shape in tokens], OUTPUT_RATIO),
        trip=_trip([shape.trip for shape in numbers], COST.trip),
    )


def _safety(layers: Layers) -> SafetyCriterion | None:
    if not layers.asks(lambda shape: shape.safety):
        return None
    numbers = layers.numbers(lambda shape: shape.safety)
    rates = [shape.filter for shape in numbers if shape.filter is not None]
    answers = [shape.harmful for shape in layers.sources(lambda shape: shape.safety) if shape.harmful is not None]
    source = _first([answer.source for answer in answers])
    return SafetyCriterion(
        max_ratio=float(_nearest([shape.max_ratio for shape in rates], SAFETY.max_ratio)),
        margin_points=float(_nearest([shape.margin_pp for shape in rates], SAFETY.margin_points)),
        harmful=None if source is None or source == NO_SOURCE_WORD else _score(source),
        harmful_source=_scored_by(source or ""),
        trip=_trip([shape.trip for shape in numbers], SAFETY.trip),
    )


def _score(source: str) -> str:
    return source.partition("/")[2]


def _scored_by(source: str) -> ScoreSource:
    return ScoreSource.HUMAN if source.startswith("human/") else ScoreSource.CLIENT


def _trip(said: list[str | None], otherwise: TripRule) -> TripRule:
    nearest = _first(said)
    return otherwise if nearest is None else TripRule(nearest)


def _nearest(values: list[T | None], otherwise: T) -> T:
    found = _first(values)
    return otherwise if found is None else found


def _first(values: list[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)
