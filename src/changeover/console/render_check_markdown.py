"""A check for a pull request or the summary of a pipeline, in GitHub's Markdown. Pure."""

from changeover.console.check_answer import CheckAnswer, Located
from changeover.console.markdown_text import listed, safe, table_of
from changeover.console.render_check import not_asked_lines, summary

_HEADS = ("", "rule", "where", "found", "expected", "what to do")
_SILENCED_HEADS = ("rule", "where", "found", "reason", "until")


def markdown_of(answer: CheckAnswer) -> str:
    """What comes from the file is shown as it is, never as markup."""
    verdict = "passed" if answer.ok else "failed"
    parts = [f"## changeover check: {verdict}", f"{safe(answer.file)}: {summary(answer)}"]
    parts += [table_of(_HEADS, [_row(each, answer) for each in answer.findings])] if answer.findings else []
    if answer.silenced:
        parts += ["### Silenced", table_of(_SILENCED_HEADS, [_silenced(each, answer) for each in answer.silenced])]
    aside = [*not_asked_lines(answer.not_asked), f"as of {answer.today}; retirement dates as published on {answer.dates_as_of}"]
    return "\n\n".join([*parts, listed(aside)])


def _row(finding: Located, answer: CheckAnswer) -> tuple[str, ...]:
    where = f"{answer.file}:{finding.line}\n{finding.path}"
    return finding.level, finding.rule, where, finding.found, finding.expected, finding.remedy


def _silenced(finding: Located, answer: CheckAnswer) -> tuple[str, ...]:
    return finding.rule, f"{answer.file}:{finding.line}\n{finding.path}", finding.found, finding.silenced, finding.until
