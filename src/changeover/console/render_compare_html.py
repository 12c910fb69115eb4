"""A comparison as one page: fit to be sent by mail or kept beside a decision. Pure."""

from html import escape
from typing import Final

from changeover.api.answers import CompareAnswer
from changeover.console import render_compare_rows as told
from changeover.console.html_page import listed, page, row_of, table_of

_VERDICT: Final = told.HEADS.index("verdict")


def html_of(answer: CompareAnswer) -> str:
    """Colours only repeat what icon and word say."""
    rollout, assessment = answer.rollout, answer.assessment
    check = assessment.sample_ratio
    return page(
        f"{rollout.task}: {rollout.stable} → {rollout.candidate}",
        [
            f"<p>{escape(told.headline(rollout))}<br>{escape(told.pair(answer))}</p>",
            listed(f"note: {warning}" for warning in answer.warnings),
            _table(answer) if assessment.verdicts else "<p>no criterion is asked</p>",
            listed([*told.sentences(assessment.verdicts), *told.asides(assessment), *told.left_out(rollout.plan.criteria)]),
            f'<p class="{"red" if check.alarm else ""}">{escape(told.sample_ratio_words(check))}</p>',
            f'<p class="aside">{escape(told.reach(assessment))}</p>',
        ],
    )


def _table(answer: CompareAnswer) -> str:
    found = told.rows(answer.rollout.plan.criteria, answer.assessment.verdicts)
    return table_of(told.HEADS, [row_of(row.texts, style=row.style, styled=_VERDICT) for row in found])
