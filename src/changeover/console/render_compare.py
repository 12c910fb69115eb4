"""How do stable and candidate compare? Every verdict with the numbers that made it, for a terminal. Pure."""

from rich.console import Group, RenderableType

from changeover.api.answers import CompareAnswer
from changeover.console import render_compare_rows as told
from changeover.console import words
from changeover.console.tables import cell, plain_table
from changeover.gates.criteria import Criteria
from changeover.gates.verdict import Assessment
from changeover.rollout.state import Rollout


def render_compare(answer: CompareAnswer) -> RenderableType:
    rollout = answer.rollout
    return Group(
        cell(told.headline(rollout), words.phase_style(rollout.progress.phase)),
        cell(told.pair(answer)),
        *(cell(f"note: {warning}", "yellow") for warning in answer.warnings),
        cell(""),
        render_evidence(rollout, answer.assessment),
    )


def render_evidence(rollout: Rollout, assessment: Assessment) -> RenderableType:
    """The table of criteria, a sentence for each, the check of the draw, and what is not asked at all."""
    criteria = rollout.plan.criteria
    return Group(
        criteria_table(criteria, assessment) if assessment.verdicts else cell("no criterion is asked"),
        cell(""),
        *map(cell, told.sentences(assessment.verdicts)),
        *map(cell, told.asides(assessment)),
        *(cell(line, "dim") for line in told.left_out(criteria)),
        cell(told.sample_ratio_words(assessment.sample_ratio), "red" if assessment.sample_ratio.alarm else ""),
        cell(told.reach(assessment), "dim"),
    )


def criteria_table(criteria: Criteria, assessment: Assessment) -> RenderableType:
    right = ("stable", "candidate", "difference", "n")
    table = plain_table(*told.HEADS, right=right, whole=("n", "verdict", "evidence"))
    for row in told.rows(criteria, assessment.verdicts):
        styles = {"criterion": "bold", "verdict": row.style}
        table.add_row(*(cell(text, styles.get(head, "")) for head, text in zip(told.HEADS, row.texts, strict=True)))
    return table
