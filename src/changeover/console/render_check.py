"""How does a check read in a terminal? Findings by rule, what to do under each, and one line that sums up. Pure."""

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from rich.console import Group
from rich.text import Text

from changeover.console.check_answer import CheckAnswer, Located
from changeover.settings.rules.book import BY_ID, RULES
from changeover.settings.rules.finding import NotAsked

STYLES: Final = {"error": "red", "warn": "yellow"}
_PLACES_MAX: Final = 4


def render_check(answer: CheckAnswer) -> Group:
    """Every finding, grouped; nothing where there is none."""
    return Group(*_groups(answer))


def summary(answer: CheckAnswer) -> str:
    """``2 errors, 1 warning, 1 silenced``."""
    errors, warnings = answer.count("error"), answer.count("warn")
    parts = [f"{errors} error{'' if errors == 1 else 's'}", f"{warnings} warning{'' if warnings == 1 else 's'}"]
    parts += [f"{len(answer.silenced)} silenced"] if answer.silenced else []
    return ", ".join(parts)


def not_asked_lines(not_asked: tuple[NotAsked, ...]) -> list[str]:
    """A line for each reason."""
    by_why: dict[str, list[str]] = {}
    for each in not_asked:
        by_why.setdefault(each.why, []).append(f"{each.rule} of {each.path}" if each.path else each.rule)
    return [f"not asked: {_some(what)} ({why})" for why, what in by_why.items()]


def rule_lines() -> Iterator[str]:
    """The whole book, a line a rule."""
    for rule in RULES:
        fixed = ", fixed" if rule.is_fixed else ""
        yield f"{rule.id}  {rule.title} (production: {rule.prod}, dev: {rule.dev}{fixed})"


def _groups(answer: CheckAnswer) -> Iterator[Text]:
    for rule, found in groupby(answer.findings, key=lambda each: each.rule):
        together = list(found)
        level = "error" if any(each.level == "error" for each in together) else "warn"
        yield Text.assemble((f"{level} {rule}", STYLES[level]), f" {BY_ID[rule].title}")
        for remedy, same in groupby(together, key=lambda each: each.remedy):
            yield from (Text(f"  {_line(each, answer)}") for each in same)
            yield Text(f"    -> {remedy}")


def _line(finding: Located, answer: CheckAnswer) -> str:
    return f"{answer.file}:{finding.line} {finding.path}: found {finding.found}; expected {finding.expected}"


def _some(what: list[str]) -> str:
    rest = len(what) - _PLACES_MAX
    return ", ".join(what[:_PLACES_MAX]) + (f" and {rest} more" if rest > 0 else "")
