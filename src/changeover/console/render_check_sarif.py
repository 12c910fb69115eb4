"""A check as code scanning reads it: SARIF 2.1.0, a result for every finding with the line of its key. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from changeover import __version__
from changeover.console.check_answer import CheckAnswer, Located
from changeover.settings.declared_check import Level
from changeover.settings.rules.book import RULES, Rule

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
VERSION: Final = "2.1.0"
_LEVELS: Final[Mapping[Level, str]] = {"error": "error", "warn": "warning", "off": "none"}
_INDEX: Final = {rule.id: index for index, rule in enumerate(RULES)}
_FINGERPRINT: Final = "changeoverRuleAndPath/v1"
_DIGEST_BYTES: Final = 16


def sarif_of(answer: CheckAnswer, *, uri: str) -> dict[str, object]:
    """``uri`` is the file, seen from the top of the repository. What is silenced is told of as suppressed."""
    notes = [
        {"level": "note", "message": {"text": f"{each.rule}{f' of {each.path}' if each.path else ''} was not asked: {each.why}"}}
        for each in answer.not_asked
    ]
    run: dict[str, object] = {
        "tool": {"driver": {"name": "changeover", "version": __version__, "rules": [_rule(each) for each in RULES]}},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notes}],
        "results": [_result(each, uri) for each in (*answer.findings, *answer.silenced)],
    }
    return {"$schema": SCHEMA, "version": VERSION, "runs": [run]}


def uri_of(path: str) -> str:
    """A path as an address: with slashes, and what an address cannot have written as escapes."""
    return quote(path.replace("\\", "/").removeprefix("./"))


def _rule(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": f"{rule.asks} {rule.why}"},
        "help": {"text": f"{rule.asks} {rule.why}"},
        "defaultConfiguration": {"enabled": rule.prod != "off", "level": _LEVELS[rule.prod]},
    }


def _fingerprint(finding: Located) -> str:
    """The same for as long as the finding is, whatever its line."""
    return hashlib.blake2b(f"{finding.rule} {finding.path}".encode(), digest_size=_DIGEST_BYTES).hexdigest()


def _result(finding: Located, uri: str) -> dict[str, object]:
    place = {"artifactLocation": {"uri": uri}, "region": {"startLine": finding.line, "startColumn": finding.column}}
    result: dict[str, object] = {
        "ruleId": finding.rule,
        "ruleIndex": _INDEX[finding.rule],
        "level": _LEVELS[finding.level],
        "message": {"text": f"{finding.path}: {finding.words}"},
        "locations": [{"physicalLocation": place, "logicalLocations": [{"fullyQualifiedName": finding.path}]}],
        "partialFingerprints": {_FINGERPRINT: _fingerprint(finding)},
    }
    if finding.silenced:
        result["suppressions"] = [{"kind": "external", "justification": f"until {finding.until}: {finding.silenced}"}]
    return result
