"""What did a check find, and where in the file? One value for every form of the answer."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from changeover.settings.declared import Fault
from changeover.settings.rules.finding import Finding, Gravity, NotAsked, Report, Silenced
from changeover.settings.rules.places import Places

FailOn = Literal["error", "warning"]


class Located(msgspec.Struct, frozen=True, kw_only=True):
    """A finding with the place of its key, counted from 1. ``silenced`` is the reason why it is not told of, ``until`` when."""

    rule: str
    level: Gravity
    path: str
    line: int
    column: int
    found: str
    expected: str
    remedy: str
    silenced: str = ""
    until: str = ""

    @property
    def words(self) -> str:
        """In one line, without the place."""
        return f"found {self.found}; expected {self.expected}; {self.remedy}"


class CheckAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What ``check -o json`` prints. ``ok``: nothing at or above ``fail_on`` was found. ``today`` is the day that was taken for
    today, ``dates_as_of`` the day of the shipped list of retirements.
    """

    ok: bool
    file: str
    today: str
    dates_as_of: str
    fail_on: FailOn = "error"
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()
    findings: tuple[Located, ...] = ()
    silenced: tuple[Located, ...] = ()
    not_asked: tuple[NotAsked, ...] = ()

    def fails(self, finding: Located) -> bool:
        return finding.level == "error" or self.fail_on == "warning"

    def count(self, level: Gravity) -> int:
        return sum(finding.level == level for finding in self.findings)


def answer_of(report: Report, text: str, *, about: CheckAnswer) -> CheckAnswer:
    """``about`` with what ``report`` says of the file's ``text``."""
    places = Places(text)
    told = msgspec.structs.replace(
        about,
        findings=tuple(_located(each, places) for each in report.findings),
        silenced=tuple(_hidden(report.silenced, places)),
        not_asked=report.not_asked,
    )
    return msgspec.structs.replace(told, ok=not any(map(told.fails, told.findings)))


def _hidden(silenced: Iterable[Silenced], places: Places) -> Iterable[Located]:
    for each in silenced:
        yield msgspec.structs.replace(_located(each.finding, places), silenced=each.reason, until=each.until)


def _located(finding: Finding, places: Places) -> Located:
    place = places.of(finding.path)
    return Located(
        rule=finding.rule,
        level=finding.level,
        path=finding.path,
        line=place.line,
        column=place.column,
        found=finding.found,
        expected=finding.expected,
        remedy=finding.remedy,
    )
