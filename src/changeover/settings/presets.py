"""What do ``strict``, ``standard`` and ``cheaper-model`` mean, and what does a task's criteria come to?"""

from typing import Final, NamedTuple, TypeVar

from changeover.gates.criteria import Criteria, ErrorsCriterion, QualityCriterion, TripRule
from changeover.settings.declared import Fault
from changeover.settings.shape import CriteriaShape, ErrorsShape, QualityShape

T = TypeVar("T")

NO_SOURCE: Final = "no source: the preset asks for it, but no scores are named"

_SCALE_DEFAULT: Final = (1.0, 5.0)
_DEFAULT: Final = "standard"


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
"""The same in every preset."""


class Layers(NamedTuple):
    """What the file says about one task's criteria: for all tasks, and for this one. The nearer wins; a task's own
    preset wins over numbers written for all, while the source and the scale written for all stay.
    """

    everywhere: CriteriaShape | None
    here: CriteriaShape | None

    @property
    def preset(self) -> str:
        return (self.here and self.here.preset) or (self.everywhere and self.everywhere.preset) or _DEFAULT

    @property
    def quality(self) -> list[QualityShape]:
        """What is written about quality, the nearest first."""
        return [shape.quality for shape in (self.here, self.everywhere) if shape is not None and shape.quality is not None]

    @property
    def errors(self) -> list[ErrorsShape]:
        return [shape.errors for shape in self._numbers if shape.errors is not None]

    @property
    def quality_numbers(self) -> list[QualityShape]:
        return [shape.quality for shape in self._numbers if shape.quality is not None]

    @property
    def _numbers(self) -> list[CriteriaShape]:
        shapes = (self.here,) if self.here is not None and self.here.preset else (self.here, self.everywhere)
        return [shape for shape in shapes if shape is not None]


def resolve(layers: Layers, path: str) -> tuple[Criteria, list[Fault]]:
    """The criteria of the task, presets and overrides resolved, and what is wrong with them at ``path``."""
    quality, faults = _quality(layers, path)
    left_out = {} if quality is not None or faults else {"quality": NO_SOURCE}
    return Criteria(quality=quality, errors=_errors(layers), left_out=left_out), faults


def _quality(layers: Layers, path: str) -> tuple[QualityCriterion | None, list[Fault]]:
    if not layers.quality:
        return None, []
    source = _first([shape.source for shape in layers.quality])
    if source is None:
        words = "source: scores/NAME; a criterion without a source is no gate, so name one or take quality out"
        return None, [Fault(path=f"{path}.quality", found="no source", expected=words)]
    low, high = _first([shape.scale for shape in layers.quality]) or _SCALE_DEFAULT
    preset = QUALITY[layers.preset]
    trip = _first([shape.trip for shape in layers.quality_numbers])
    margin = _first([shape.margin for shape in layers.quality_numbers]) or preset.margin_share * (high - low)
    criterion = QualityCriterion(
        score=source.removeprefix("scores/"),
        scale_low=float(low),
        scale_high=float(high),
        margin=float(margin),
        trip=TripRule(trip) if trip else preset.trip,
    )
    return criterion, _margin_faults(criterion, path)


def _margin_faults(criterion: QualityCriterion, path: str) -> list[Fault]:
    width = criterion.scale_high - criterion.scale_low
    if criterion.margin < width:
        return []
    words = f"a margin below {width:g}, the width of the scale: it is in the scale's own units"
    return [Fault(path=f"{path}.quality.margin", found=f"{criterion.margin:g}", expected=words)]


def _errors(layers: Layers) -> ErrorsCriterion:
    trip = _first([shape.trip for shape in layers.errors])
    return ErrorsCriterion(
        max_ratio=float(_first([shape.max_ratio for shape in layers.errors]) or ERRORS.max_ratio),
        margin_points=float(_first([shape.margin_pp for shape in layers.errors]) or ERRORS.margin_points),
        trip=TripRule(trip) if trip else ERRORS.trip,
    )


def _first(values: list[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)
