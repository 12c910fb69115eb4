"""Looking ahead under another preset."""

import pytest

from changeover.gates.criteria import Criteria, ErrorsCriterion, QualityCriterion, SafetyCriterion, TripRule
from changeover.settings import presets
from changeover.settings.declared import SettingsError
from changeover.settings.preset_trial import with_preset

OWN = Criteria(
    quality=QualityCriterion(score="rating", scale_low=0.0, scale_high=10.0, margin=3.0),
    errors=ErrorsCriterion(margin_points=9.0),
    safety=SafetyCriterion(margin_points=9.0, harmful="harm"),
)


@pytest.mark.parametrize(
    ("preset", "margin", "trip"),
    [("strict", 0.125, TripRule.ANY), ("standard", 0.25, TripRule.MARGIN), ("cheaper-model", 1.0, TripRule.MARGIN)],
)
def test_numbers_are_the_presets_and_sources_stay(preset: str, margin: float, trip: TripRule) -> None:
    found = with_preset(OWN, preset)
    assert found.quality is not None
    assert (found.quality.margin, found.quality.trip) == (margin, trip)
    assert (found.quality.score, found.quality.scale_high) == ("rating", 10.0)
    assert found.errors == presets.ERRORS
    assert found.safety is not None
    assert (found.safety.margin_points, found.safety.harmful) == (0.2, "harm")


def test_what_is_not_asked_stays_so() -> None:
    found = with_preset(OWN, "strict")
    assert (found.latency, found.cost) == (None, None)


def test_an_unknown_preset_is_refused_with_those_there_are() -> None:
    with pytest.raises(SettingsError, match="expected one of strict, standard, cheaper-model"):
        with_preset(OWN, "lenient")
