"""What does the whole book say of a file? Every rule asked, levels and silences applied; pure, for a day that is given."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import msgspec

from changeover.settings.declared import Declared, Fault
from changeover.settings.declared_check import Environment, Level
from changeover.settings.paths import Path, written
from changeover.settings.rules.book import BY_ID, FAULT, REMARK, SECRET
from changeover.settings.rules.calling import calling
from changeover.settings.rules.candidates import candidates
from changeover.settings.rules.capacity import capacity
from changeover.settings.rules.facts import Case, Facts
from changeover.settings.rules.finding import Finding, NotAsked, Noted, Report
from changeover.settings.rules.pinning import pinning
from changeover.settings.rules.plain_signs import in_plain_signs
from changeover.settings.rules.retiring import retiring
from changeover.settings.rules.silences import silenced
from changeover.settings.rules.sources import sources
from changeover.settings.rules.standing_in import standing_in
from changeover.settings.rules.twins import twins
from changeover.settings.secrecy import HIDDEN

ASKED: Final[tuple[Callable[[Case], Iterable[Noted | NotAsked]], ...]] = (
    pinning,
    calling,
    twins,
    standing_in,
    sources,
    candidates,
    capacity,
    retiring,
)
_CORRECT: Final = "correct it; nothing else is asked until the file can be used"
_OUT_WITH_IT: Final = "take it out, name where it is found, and change the secret if others saw the file"


def check_declared(declared: Declared, facts: Facts, *, now: float) -> Report:
    """Everything that the rules find in a file that can be used."""
    case = Case(declared, facts, now)
    said = [each for rule in ASKED for each in rule(case)]
    noted = [each for each in said if isinstance(each, Noted)]
    covered = {each.covers for each in noted}
    noted += _remarks(warning for warning in declared.warnings if warning not in covered)
    levels = declared.check.levels
    found = _joined(finding for each in noted if (finding := _finding(each, levels.get(each.rule, {}))) is not None)
    not_asked = tuple(each for each in said if isinstance(each, NotAsked) and not _is_off(each.rule, declared))
    report = silenced(Report(findings=tuple(found), not_asked=not_asked), declared.check.silences, now=now)
    return msgspec.structs.replace(report, findings=tuple(sorted(report.findings, key=lambda each: each.rule)))


def check_faults(faults: Iterable[Fault]) -> Report:
    """The same for a file that cannot be used: its faults, and which of them are or may be a secret."""
    return Report(findings=tuple(map(_of_fault, faults)))


def _of_fault(fault: Fault) -> Finding:
    """Whatever a fault hides is a secret, or may be one."""
    is_secret = HIDDEN.strip("()") in fault.found
    rule, remedy = (SECRET, _OUT_WITH_IT) if is_secret else (FAULT, _CORRECT)
    return Finding(rule=rule, level="error", path=fault.path, found=fault.found, expected=fault.expected, remedy=remedy)


def _remarks(warnings: Iterable[str]) -> Iterator[Noted]:
    """A warning names its place before its first colon and blank."""
    for warning in warnings:
        place, _, words = warning.partition(": ")
        yield Noted(
            rule=REMARK,
            path=(place,),
            environment="prod",
            found=words or warning,
            expected="nothing to remark",
            remedy="change it, or silence it with the reason",
        )


def _finding(noted: Noted, said: Mapping[Environment, Level]) -> Finding | None:
    """``said`` are the file's own levels of the rule."""
    level = said.get(noted.environment) or BY_ID[noted.rule].level(noted.environment)
    if level == "off":
        return None
    return Finding(
        rule=noted.rule,
        level="error" if level == "error" else "warn",
        path=_place(noted),
        found=in_plain_signs(noted.found),
        expected=in_plain_signs(noted.expected),
        remedy=in_plain_signs(noted.remedy),
    )


def _place(noted: Noted) -> str:
    path: Path = noted.path
    return str(path[0]) if noted.rule == REMARK else written(path)


def _joined(findings: Iterable[Finding]) -> list[Finding]:
    """A rule says one thing of a place: several are one finding, the gravest first."""
    by_place: dict[tuple[str, str], Finding] = {}
    for each in findings:
        before = by_place.get((each.rule, each.path))
        if before is None:
            by_place[each.rule, each.path] = each
        elif each.found not in before.found:
            level = "error" if "error" in (before.level, each.level) else "warn"
            by_place[each.rule, each.path] = msgspec.structs.replace(before, level=level, found=f"{before.found}; and {each.found}")
    return list(by_place.values())


def _is_off(rule: str, declared: Declared) -> bool:
    """Everywhere: what nobody wants to know need not be told of as not asked."""
    said = declared.check.levels.get(rule, {})
    return all((said.get(each) or BY_ID[rule].level(each)) == "off" for each in ("prod", "dev"))
