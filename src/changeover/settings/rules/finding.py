"""What does a check find? A finding names its rule, its place, what was found, what was expected and what to do, a line each."""

from typing import Literal

import msgspec

from changeover.settings.declared_check import Environment
from changeover.settings.paths import Path

Gravity = Literal["error", "warn"]


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule says before the file's levels and silences are asked. ``covers`` is the file's own warning that says the
    same.
    """

    rule: str
    path: Path
    environment: Environment
    found: str
    expected: str
    remedy: str
    covers: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """``path`` is as people write it: ``deployments.chat.upgrade``. With its rule it is what a silence names."""

    rule: str
    level: Gravity
    path: str
    found: str
    expected: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}: found {self.found}; expected {self.expected}; {self.remedy}"


class Silenced(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that is there and not told of."""

    finding: Finding
    reason: str
    until: str


class NotAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule could not be asked about. An empty ``path``: anything at all."""

    rule: str
    path: str = ""
    why: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Findings in the order of their rules and then of the file."""

    findings: tuple[Finding, ...] = ()
    silenced: tuple[Silenced, ...] = ()
    not_asked: tuple[NotAsked, ...] = ()

    def count(self, level: Gravity) -> int:
        return sum(finding.level == level for finding in self.findings)
