"""What would a task's criteria be under another preset? For looking ahead only: nothing is written."""

from typing import Final

import msgspec

from changeover.gates.criteria import Criteria
from changeover.settings import presets
from changeover.settings.declared import Fault, SettingsError

NAMES: Final = tuple(presets.QUALITY)


def with_preset(criteria: Criteria, preset: str) -> Criteria:
    """The numbers of ``preset``; sources and scale stay, and so does what is not asked.

    Raises:
        SettingsError: there is no such preset.
    """
    if preset not in presets.QUALITY:
        raise SettingsError((Fault(path="preset", found=preset, expected=f"one of {', '.join(NAMES)}"),))
    return msgspec.structs.replace(
        criteria,
        quality=_quality(criteria, preset),
        errors=criteria.errors and presets.ERRORS,
        latency=criteria.latency and presets.LATENCY,
        cost=criteria.cost and presets.COST,
        safety=criteria.safety and msgspec.structs.replace(presets.SAFETY, harmful=criteria.safety.harmful),
    )


def _quality(criteria: Criteria, preset: str) -> presets.QualityCriterion | None:
    quality = criteria.quality
    if quality is None:
        return None
    numbers = presets.QUALITY[preset]
    margin = numbers.margin_share * (quality.scale_high - quality.scale_low)
    return msgspec.structs.replace(quality, margin=margin, trip=numbers.trip)
