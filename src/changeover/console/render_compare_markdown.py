"""A comparison for a pull request, a ticket or a wiki. Pure."""

import re
from collections.abc import Iterable
from typing import Final

from changeover.api.answers import CompareAnswer
from changeover.console import render_compare_rows as told

_SIGNS: Final = re.compile(r"([\\`*_{}\[\]<>()#+!|~&-])")
"""Signs that Markdown may take for its own. Names come from a file and from people."""


def markdown_of(answer: CompareAnswer) -> str:
    """GitHub's Markdown. The sides' names and every reason are shown as they are, never as markup."""
    rollout, assessment = answer.rollout, answer.assessment
    criteria = rollout.plan.criteria
    parts = [
        f"## {_safe(rollout.task)}: {_safe(rollout.stable)} → {_safe(rollout.candidate)}",
        _safe(told.headline(rollout)),
        _safe(told.pair(answer)),
    ]
    parts += [_listed(f"note: {warning}" for warning in answer.warnings)] if answer.warnings else []
    parts.append(_table(answer) if assessment.verdicts else "no criterion is asked")
    parts.append(_listed([*told.sentences(assessment.verdicts), *told.left_out(criteria)]))
    parts += [_safe(told.sample_ratio_words(assessment.sample_ratio)), _safe(told.reach(assessment))]
    return "\n\n".join(part for part in parts if part)


def _table(answer: CompareAnswer) -> str:
    found = told.rows(answer.rollout.plan.criteria, answer.assessment.verdicts)
    lines = [told.HEADS, ("---",) * len(told.HEADS)]
    lines += [tuple(_cell(text) for text in row.texts) for row in found]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {_safe(line)}" for line in lines)


def _cell(text: str) -> str:
    return "<br>".join(_safe(line) for line in text.split("\n"))


def _safe(text: str) -> str:
    return _SIGNS.sub(r"\\\1", " ".join(text.split()))
