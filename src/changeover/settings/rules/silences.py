"""Which findings are known and put off? Silences applied, and those that are themselves a finding."""

from collections.abc import Iterator, Sequence

from changeover.settings.dates import date_text
from changeover.settings.declared_check import Silence
from changeover.settings.paths import written
from changeover.settings.rules.book import BY_ID, SILENCE_IDLE, SILENCE_INCOMPLETE, SILENCE_OVER
from changeover.settings.rules.finding import Finding, Gravity, NotAsked, Report, Silenced


def silenced(report: Report, silences: Sequence[Silence], *, now: float) -> Report:
    """``report`` without what is silenced, and with what is wrong with the silences. Nothing else of it changes."""
    in_force = {(each.rule, each.at): each for each in reversed(silences) if each.is_in_force(now=now)}
    kept: list[Finding] = []
    hidden: list[Silenced] = []
    for finding in report.findings:
        silence = in_force.get((finding.rule, finding.path))
        if silence is None or silence.until_at is None:
            kept.append(finding)
        else:
            hidden.append(Silenced(finding=finding, reason=silence.reason, until=date_text(silence.until_at)))
    kept += _wrong(silences, {(each.finding.rule, each.finding.path) for each in hidden}, report.not_asked, now=now)
    return Report(findings=tuple(kept), silenced=tuple(hidden), not_asked=report.not_asked)


def _wrong(silences: Sequence[Silence], used: set[tuple[str, str]], not_asked: Sequence[NotAsked], *, now: float) -> Iterator[Finding]:
    unasked = {each.rule for each in not_asked}
    for index, each in enumerate(silences):
        what = f"a silence of {each.rule} at {each.at}"
        if not each.reason or each.until_at is None:
            lacks = " and ".join(word for word, has in (("reason", each.reason), ("until", each.until_at is not None)) if not has)
            remedy = f"write {lacks}, or take the silence out"
            yield _finding(SILENCE_INCOMPLETE, index, f"{what} without {lacks}", "a reason and a date, until", remedy)
        elif now >= each.until_at:
            found = f"{what} that was until {date_text(each.until_at)}"
            yield _finding(SILENCE_OVER, index, found, "a date to come", "do what was put off and take the silence out, or give a new date")
        elif (each.rule, each.at) not in used and each.rule not in unasked:
            remedy = "take it out; a finding is silenced by its own path, as the check prints it"
            yield _finding(SILENCE_IDLE, index, f"{what}, where nothing is found", "a silence of a finding", remedy)


def _finding(rule: str, index: int, found: str, expected: str, remedy: str) -> Finding:
    level: Gravity = "warn" if BY_ID[rule].prod == "warn" else "error"
    return Finding(rule=rule, level=level, path=written(("check", "silence", index)), found=found, expected=expected, remedy=remedy)
