"""A check as JUnit reads it: a case for every finding, and one for every rule that found nothing. Pure."""

from collections.abc import Iterator
from xml.etree import ElementTree as Xml

from changeover.console.check_answer import CheckAnswer, Located
from changeover.settings.rules.book import RULES, Rule

SUITE = "changeover check"
_NO_TIME = "0"


def junit_of(answer: CheckAnswer) -> str:
    """Findings that do not fail the check are cases that pass and say so; what is silenced or was not asked is skipped."""
    cases = list(_cases(answer))
    counted = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": "0",
        "skipped": str(sum(case.find("skipped") is not None for case in cases)),
        "time": _NO_TIME,
    }
    suites = Xml.Element("testsuites", {"name": SUITE, **counted})
    suite = Xml.SubElement(suites, "testsuite", {"name": SUITE, **counted})
    suite.extend(cases)
    Xml.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Xml.tostring(suites, encoding="unicode")}'


def _cases(answer: CheckAnswer) -> Iterator[Xml.Element]:
    for rule in RULES:
        told = [each for each in (*answer.findings, *answer.silenced) if each.rule == rule.id]
        left = [each for each in answer.not_asked if each.rule == rule.id]
        yield from (_case_of(each, rule, answer) for each in told)
        yield from (_skipped(rule, each.path or rule.asks, each.why) for each in left)
        if not told and not left:
            yield _skipped(rule, rule.asks, "the file cannot be used") if answer.faults else _case(rule, rule.asks)


def _case_of(finding: Located, rule: Rule, answer: CheckAnswer) -> Xml.Element:
    case = _case(rule, finding.path)
    where = f"{answer.file}:{finding.line}"
    if finding.silenced:
        Xml.SubElement(case, "skipped", {"message": f"silenced until {finding.until}: {finding.silenced}"})
    elif answer.fails(finding):
        failure = Xml.SubElement(case, "failure", {"type": finding.level, "message": f"{finding.path}: found {finding.found}"})
        failure.text = f"{where}: {finding.words}"
    else:
        Xml.SubElement(case, "system-out").text = f"{where}: {finding.level}: {finding.words}"
    return case


def _skipped(rule: Rule, about: str, why: str) -> Xml.Element:
    case = _case(rule, about)
    Xml.SubElement(case, "skipped", {"message": why})
    return case


def _case(rule: Rule, about: str) -> Xml.Element:
    return Xml.Element("testcase", {"classname": f"changeover.check.{rule.id}", "name": f"{rule.name}: {about}", "time": _NO_TIME})
