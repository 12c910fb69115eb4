"""Where alerts go is what the file says now; while it has faults, what it said before."""

import os
from pathlib import Path

import pytest

from changeover.bootstrap.alerting import AlertSettings
from changeover.settings.declared import Declared
from changeover.settings.declared_alert import SummaryMoment
from changeover.settings.file import parse
from tests.unit.settings.files import SMALLEST


class File:
    """A settings file, and how often it was read."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "changeover.yaml"
        self.reads = 0
        self._written = 0
        self.write("")

    def write(self, section: str) -> None:
        self._written += 1
        self.path.write_text(SMALLEST + section)
        os.utime(self.path, (self._written, self._written))

    def read(self, path: Path) -> Declared:
        self.reads += 1
        return parse(path.read_text())


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path)


def names(settings: AlertSettings) -> list[str]:
    return [each.name for each in settings.destinations()]


def test_an_edit_counts_at_once_and_an_unchanged_file_is_not_read_again(file: File) -> None:
    settings = AlertSettings(file.path, file.read)
    assert names(settings) == names(settings) == []
    assert file.reads == 1
    file.write('alerts: [{webhook: {env: HOOK}}, {apprise: {env: CHAT}}]\npolicy: {summary: {day: mon, at: "08:00"}}\n')
    assert names(settings) == ["webhook env:HOOK", "apprise env:CHAT"]
    assert settings.moment() == SummaryMoment(day=0, minute=480)
    assert file.reads == 2


def test_while_the_file_has_faults_or_is_away_what_it_said_before_holds(file: File) -> None:
    settings = AlertSettings(file.path, file.read)
    file.write("alerts: [{webhook: {env: HOOK}}]\n")
    assert names(settings) == ["webhook env:HOOK"]
    file.write("alerts: [{webhook: nonsense}]\n")
    assert names(settings) == ["webhook env:HOOK"]
    file.path.unlink()
    assert names(settings) == ["webhook env:HOOK"]
    file.write("")
    assert names(settings) == []
