"""How do stable and candidate compare? Every verdict with the numbers that made it. Pure."""

from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from changeover.api.answers import CompareAnswer
from changeover.console import words
from changeover.console.tables import cell, plain_table
from changeover.gates.criteria import Criteria
from changeover.gates.verdict import Assessment, Level, SampleRatio, SideFigures, Verdict
from changeover.rollout.state import Rollout

RATIO_CRITERIA: Final = frozenset({"errors"})
"""Criteria whose estimate is candidate over stable; the others' is candidate minus stable."""


def render_compare(answer: CompareAnswer) -> RenderableType:
    rollout = answer.rollout
    models = (
        f"stable {rollout.stable} ({answer.stable_model or 'gone'}), candidate {rollout.candidate} ({answer.candidate_model or 'gone'})"
    )
    return Group(
        cell(headline(rollout), words.phase_style(rollout.progress.phase)),
        cell(models),
        cell(""),
        render_evidence(rollout, answer.assessment),
    )


def headline(rollout: Rollout) -> str:
    progress = rollout.progress
    reason = f": {progress.reason}" if progress.reason else ""
    return f"{rollout.id} {words.phase_words(progress.phase)}, candidate at {words.percent(progress.permille / 10)}{reason}"


def render_evidence(rollout: Rollout, assessment: Assessment) -> RenderableType:
    """The table of criteria, a sentence for each, the check of the draw, and what is not asked at all."""
    left_out = [cell(f"{name}: not asked, {reason}", "dim") for name, reason in sorted(rollout.plan.criteria.left_out.items())]
    sentences = [cell(f"{verdict.criterion}: {verdict.sentence}") for verdict in assessment.verdicts]
    dwell = f"{assessment.blocks} closed blocks ({assessment.served_s:g} s) at this weight; "
    until = f"evidence up to {words.moment(assessment.closed_until)} UTC"
    body = criteria_table(rollout.plan.criteria, assessment) if assessment.verdicts else cell("no criterion is asked")
    return Group(
        body,
        cell(""),
        *sentences,
        *left_out,
        sample_ratio_line(assessment.sample_ratio),
        cell(until if rollout.progress.phase.is_final else dwell + until, "dim"),
    )


def criteria_table(criteria: Criteria, assessment: Assessment) -> RenderableType:
    """Counts and evidence take two lines: stable over candidate, toward pass over toward trip."""
    heads = ("criterion", "stable", "candidate", "difference", "margin", "n", "verdict", "evidence")
    table = plain_table(*heads, right=("stable", "candidate", "difference", "n"), whole=("difference", "n", "verdict", "evidence"))
    for verdict in assessment.verdicts:
        table.add_row(
            cell(verdict.criterion, "bold"),
            cell(_figures(verdict.stable)),
            cell(_figures(verdict.candidate)),
            cell(difference(verdict)),
            cell(margin_words(criteria, verdict)),
            cell(f"{verdict.stable.count}\n{verdict.candidate.count}"),
            cell(verdict_words(verdict), words.decision_style(verdict.decision, tripped=verdict.tripped)),
            cell(f"pass {level(verdict.to_pass)}\ntrip {level(verdict.to_trip)}"),
        )
    return table


def difference(verdict: Verdict) -> str:
    """Candidate against stable with its interval: a signed difference, or a ratio, which may have no upper end."""
    if not verdict.stable.count or not verdict.candidate.count:
        return words.NOTHING
    write = _ratio if verdict.criterion in RATIO_CRITERIA else words.signed
    if verdict.low is None:
        return write(verdict.estimate)
    upper = "no end" if verdict.high is None else write(verdict.high)
    return f"{write(verdict.estimate)}\n{write(verdict.low)} to {upper}"


def margin_words(criteria: Criteria, verdict: Verdict) -> str:
    """The margin as numbers; the verdict's sentence has it in words."""
    match verdict.criterion:
        case "quality" if criteria.quality is not None:
            return f"{criteria.quality.margin:g}"
        case "errors" if criteria.errors is not None:
            return f"{criteria.errors.max_ratio:g}x or\n+{criteria.errors.margin_points:g} points"
        case _:
            return verdict.margin


def level(value: Level) -> str:
    """How far a test has come: log E over its threshold."""
    return f"{value.log_e:.2f}/{value.threshold:.2f}"


def verdict_words(verdict: Verdict) -> str:
    said = words.decision_words(verdict.decision, tripped=verdict.tripped)
    return f"{said}\nworse, accepted" if verdict.worse_inside and not verdict.tripped else said


def sample_ratio_line(check: SampleRatio) -> Text:
    counts = f"sample ratio: {check.stable} units on the stable, {check.candidate} on the candidate"
    if check.alarm:
        return cell(f"✖ {counts}: not as drawn (log E {level(check.level)}); the plumbing is to be checked, not the candidate", "red")
    return cell(f"{counts}: as drawn (log E {level(check.level)})")


def _figures(figures: SideFigures) -> str:
    """A mean, or events of units with their share; units whose outcome never came below."""
    if not figures.count:
        said = words.NOTHING
    elif figures.events is None:
        said = words.number(figures.mean)
    else:
        share = "" if figures.mean is None else f"\n{figures.mean * 100:.3g} %"
        said = f"{figures.events} of {figures.count}{share}"
    return f"{said}\n{figures.missing} missing" if figures.missing else said


def _ratio(value: float | None) -> str:
    return words.NOTHING if value is None else f"{value:.3g}x"
