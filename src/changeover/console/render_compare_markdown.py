"""A comparison for a pull request, a ticket or a wiki. Pure."""

from changeover.api.answers import CompareAnswer
from changeover.console import render_compare_rows as told
from changeover.console.markdown_text import listed, safe, table_of


def markdown_of(answer: CompareAnswer) -> str:
    """GitHub's Markdown. The sides' names and every reason are shown as they are, never as markup."""
    rollout, assessment = answer.rollout, answer.assessment
    criteria = rollout.plan.criteria
    parts = [
        f"## {safe(rollout.task)}: {safe(rollout.stable)} → {safe(rollout.candidate)}",
        safe(told.headline(rollout)),
        safe(told.pair(answer)),
    ]
    parts += [listed(f"note: {warning}" for warning in answer.warnings)] if answer.warnings else []
    parts.append(_table(answer) if assessment.verdicts else "no criterion is asked")
    parts.append(listed([*told.sentences(assessment.verdicts), *told.asides(assessment), *told.left_out(criteria)]))
    parts += [safe(told.sample_ratio_words(assessment.sample_ratio)), safe(told.reach(assessment))]
    return "\n\n".join(part for part in parts if part)


def _table(answer: CompareAnswer) -> str:
    found = told.rows(answer.rollout.plan.criteria, answer.assessment.verdicts)
    return table_of(told.HEADS, [row.texts for row in found])
