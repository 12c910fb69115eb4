"""What stands in each cell of a comparison? The same words for the terminal, for Markdown and for HTML. Pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from changeover.api.answers import CompareAnswer
from changeover.console import words
from changeover.gates.criteria import Criteria
from changeover.gates.verdict import Assessment, Level, SampleRatio, SideFigures, Verdict
from changeover.rollout.state import Rollout

HEADS: Final = ("criterion", "stable", "candidate", "difference", "margin", "n", "verdict", "evidence")
DIFFERENCE_CRITERIA: Final = frozenset({"quality", "accuracy"})
"""Criteria whose estimate is candidate minus stable; the others' is candidate over stable."""

_MONEY: Final = "cost"
_LATENCY: Final = "latency "
_SECONDS_FROM_MS: Final = 10_000.0
_WHOLE_FROM: Final = 100.0


class Cells(NamedTuple):
    """One verdict, in the order of `HEADS`. A cell may have several lines. ``style`` colours the verdict."""

    criterion: str
    stable: str
    candidate: str
    difference: str
    margin: str
    n: str
    verdict: str
    evidence: str
    style: str

    @property
    def texts(self) -> tuple[str, ...]:
        return self[: len(HEADS)]


def rows(criteria: Criteria, verdicts: Sequence[Verdict]) -> list[Cells]:
    """Counts and evidence take two lines: stable over candidate, toward pass over toward trip."""
    return [
        Cells(
            criterion=verdict.criterion,
            stable=_figures(verdict, verdict.stable),
            candidate=_figures(verdict, verdict.candidate),
            difference=difference(verdict),
            margin=margin_words(criteria, verdict),
            n=f"{verdict.stable.count}\n{verdict.candidate.count}",
            verdict=verdict_words(verdict),
            evidence=f"pass {level(verdict.to_pass)}\ntrip {level(verdict.to_trip)}",
            style=words.decision_style(verdict.decision, tripped=verdict.tripped),
        )
        for verdict in verdicts
    ]


def headline(rollout: Rollout) -> str:
    progress = rollout.progress
    reason = f": {progress.reason}" if progress.reason else ""
    return f"{rollout.id} {words.phase_words(progress.phase)}, candidate at {words.percent(progress.permille / 10)}{reason}"


def pair(answer: CompareAnswer) -> str:
    """Whom the comparison is about."""
    rollout = answer.rollout
    return f"stable {rollout.stable} ({answer.stable_model or 'gone'}), candidate {rollout.candidate} ({answer.candidate_model or 'gone'})"


def sentences(verdicts: Sequence[Verdict]) -> list[str]:
    return [f"{verdict.criterion}: {verdict.sentence}" for verdict in verdicts]


def asides(assessment: Assessment) -> list[str]:
    """What decides nothing by itself, or has decided everything: the outage brake, and the worst slice of each criterion."""
    braked = [] if assessment.brake is None else [assessment.brake.sentence]
    return [*braked, *(worst.sentence for worst in assessment.slices)]


def left_out(criteria: Criteria) -> list[str]:
    return [f"{name}: not asked, {reason}" for name, reason in sorted(criteria.left_out.items())]


def sample_ratio_words(check: SampleRatio) -> str:
    counts = f"sample ratio: {check.stable} units on the stable, {check.candidate} on the candidate"
    if check.alarm:
        return f"✖ {counts}: not as drawn (log E {level(check.level)}); the plumbing is to be checked, not the candidate"
    return f"{counts}: as drawn (log E {level(check.level)})"


def reach(assessment: Assessment) -> str:
    """How far the evidence reaches, and under which configuration it stands."""
    dwell = f"{assessment.blocks} closed blocks ({assessment.served_s:g} s) at this weight"
    until = f"evidence up to {words.moment(assessment.closed_until)} UTC"
    return f"{dwell}; {until}" + (f"; config {assessment.config_hash[:8]}" if assessment.config_hash else "")


def difference(verdict: Verdict) -> str:
    """Candidate against stable with its interval: a signed difference, or a ratio, which may have no upper end."""
    if not verdict.stable.count or not verdict.candidate.count:
        return words.NOTHING
    write = words.signed if verdict.criterion in DIFFERENCE_CRITERIA else _ratio
    if verdict.low is None:
        return write(verdict.estimate)
    upper = "no end" if verdict.high is None else write(verdict.high)
    return f"{write(verdict.estimate)}\n{write(verdict.low)} to {upper}"


def margin_words(criteria: Criteria, verdict: Verdict) -> str:
    """The margin as numbers; the verdict's sentence has it in words."""
    quality, errors, latency, cost, safety = criteria.quality, criteria.errors, criteria.latency, criteria.cost, criteria.safety
    match verdict.criterion:
        case "quality" if quality is not None:
            return f"{quality.margin:g}"
        case "errors" if errors is not None:
            return _wider(errors.max_ratio, errors.margin_points)
        case "filter" | "harmful" if safety is not None:
            return _wider(safety.max_ratio, safety.margin_points)
        case "cost" if cost is not None:
            return f"{cost.max_ratio:g}x"
        case "input tokens" if cost is not None and cost.input_ratio is not None:
            return f"{cost.input_ratio:g}x"
        case "output tokens" if cost is not None and cost.output_ratio is not None:
            return f"{cost.output_ratio:g}x"
        case name if latency is not None and name.startswith(_LATENCY):
            return f"{latency.max_ratio:g}x"
        case _:
            return verdict.margin


def level(value: Level) -> str:
    """How far a test has come: log E over its threshold."""
    decimals = 2 if abs(value.log_e) < _WHOLE_FROM else 0
    return f"{value.log_e:.{decimals}f}/{value.threshold:.2f}"


def verdict_words(verdict: Verdict) -> str:
    """Icon and word, then what else must be known of it."""
    said = [words.decision_words(verdict.decision, tripped=verdict.tripped)]
    if verdict.worse_inside and not verdict.tripped:
        said.append("worse, accepted")
    if verdict.guard_only:
        said.append("guard, no gate")
    return "\n".join(said)


def _figures(verdict: Verdict, figures: SideFigures) -> str:
    """A mean, a quantile, or events with their share of n; units whose outcome never came below."""
    return f"{_value(verdict, figures)}\n{figures.missing} missing" if figures.missing else _value(verdict, figures)


def _value(verdict: Verdict, figures: SideFigures) -> str:
    if not figures.count:
        return words.NOTHING
    if figures.quantile_ms is not None:
        return _time(figures.quantile_ms)
    if figures.events is not None:
        share = "" if figures.mean is None else f"\n{figures.mean * 100:.3g} %"
        return f"{figures.events}{share}"
    if verdict.criterion == _MONEY and figures.mean is not None:
        return f"${figures.mean:.3g}"
    return words.number(figures.mean)


def _time(quantile_ms: float) -> str:
    return f"{quantile_ms:.4g} ms" if quantile_ms < _SECONDS_FROM_MS else f"{quantile_ms / 1000:.4g} s"


def _wider(max_ratio: float, points: float) -> str:
    return f"{max_ratio:g}x or\n+{points:g} pp"


def _ratio(value: float | None) -> str:
    return words.NOTHING if value is None else f"{value:.3g}x"
