"""In which part of the traffic does the candidate do worst? Folds of the task's slices beside the whole, shown and never deciding.

A slice goes through the same summaries and gates as the whole: only the exact tests, which hold for few units too.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from changeover.gates.errors import NAME as ERRORS
from changeover.gates.levels import ALPHA_TRIP_ERRORS, ALPHA_TRIP_QUALITY, level
from changeover.gates.quality import NAME as QUALITY
from changeover.gates.rare import RareFold
from changeover.gates.streams import FilterStream, HarmfulStream, OutcomeStream, Row, ScoreStream, Stream
from changeover.gates.verdict import WorstSlice

LABELS_MAX: Final = 20
"""So many labels have a slice of their own, those that come first; all others are one slice together."""

OTHER: Final = "(other)"


class Harm(NamedTuple):
    """How far the test for any loss has come in one slice, with so many units in it."""

    criterion: str
    log_e: float
    alpha: float
    units: int


class SliceFolds(msgspec.Struct, frozen=True, kw_only=True):
    """By stream, and then by label in the order in which they came. ``begun`` are streams with nothing folded."""

    begun: Mapping[str, Stream] = {}
    folds: Mapping[str, Mapping[str, Stream]] = {}

    @classmethod
    def begin(cls, streams: Mapping[str, Stream]) -> "SliceFolds":
        """Nothing seen yet of the streams with exact tests among ``streams``."""
        return cls(begun={name: stream for name, stream in streams.items() if harm_of(stream) is not None})

    def summarised(self, whole: Stream, rows: Sequence[Row], *, block: int) -> dict[str, msgspec.Raw]:
        """A block's slices, summed up as ``whole`` sums up all of it: with what that has frozen for the block. Empty where no
        request says its slice.
        """
        if whole.name not in self.begun:
            return {}
        labels = dict.fromkeys(self.folds.get(whole.name, {}))
        parts: dict[str, list[Row]] = {}
        for row in rows:
            label = row[0].slice
            if not label:
                continue
            if label not in labels:
                label = label if len(labels) < LABELS_MAX else OTHER
                labels[label] = None
            parts.setdefault(label, []).append(row)
        return {label: msgspec.Raw(whole.summarise(part, block=block)) for label, part in parts.items()}

    def folded(self, stream: str, slices: Mapping[str, msgspec.Raw], *, at: float) -> "SliceFolds":
        """The next block's slices taken in.

        Raises:
            ValueError: one is not a summary of this stream.
        """
        if not slices:
            return self
        known = dict(self.folds.get(stream, {}))
        for label, content in slices.items():
            known[label] = known.get(label, self.begun[stream]).fold(bytes(content), at=at)
        return replace(self, folds={**self.folds, stream: known})

    def worst(self) -> tuple[WorstSlice, ...]:
        """One for each stream that has slices."""
        return tuple(_worst(known) for known in self.folds.values() if known)


NO_SLICES: Final = SliceFolds()


def harm_of(stream: Stream) -> Harm | None:
    """``None`` for a stream without an exact test."""
    match stream:
        case OutcomeStream(errors=gate) if gate is not None:
            return Harm(ERRORS, gate.evidence().harming, ALPHA_TRIP_ERRORS, _rare_units(gate.fold))
        case ScoreStream(quality=gate):
            units = sum(here.stable.gains.count + here.candidate.gains.count for here in gate.strata)
            return Harm(QUALITY, gate.evidence().harming, ALPHA_TRIP_QUALITY, units)
        case FilterStream(filters=gate) | HarmfulStream(harmful=gate):
            question = gate.question()
            return Harm(question.name, gate.fold.evidence(question).harming, question.alpha_trip, _rare_units(gate.fold))
        case _:
            return None


def _worst(known: Mapping[str, Stream]) -> WorstSlice:
    harms = {label: _harm(stream) for label, stream in known.items()}
    label = max(harms, key=lambda each: (harms[each].log_e, harms[each].units))
    harm, verdict = harms[label], known[label].verdicts()[0]
    alpha = harm.alpha / len(known)
    return WorstSlice(
        criterion=harm.criterion,
        label=label,
        slices=len(known),
        stable=verdict.stable,
        candidate=verdict.candidate,
        estimate=verdict.estimate,
        alpha=harm.alpha,
        harm=level(harm.log_e, alpha=alpha, reached_at=None),
    )


def _harm(stream: Stream) -> Harm:
    found = harm_of(stream)
    assert found is not None, "only streams with an exact test are folded by slice"
    return found


def _rare_units(fold: RareFold) -> int:
    return sum(here.stable.units + here.candidate.units for here in fold.strata)
