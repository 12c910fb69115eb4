"""What is known and put off: by rule and path, with a reason, until a day."""

import pytest

from changeover.settings.declared import SettingsError
from changeover.settings.file import parse
from changeover.settings.written_file import file_text
from changeover.versions.dates import first_moment
from tests.unit.settings.files import faults_of
from tests.unit.settings.rules.checked import SOUND, found_in, report_of, with_deployment

NAMELESS = with_deployment('chat: {model: gpt-4o, version: "2024-05-13"}')
KNOWN = "rule: CO103, at: deployments.chat"


def silencing(said: str) -> str:
    return f"{NAMELESS}check: {{silence: [{{{said}}}]}}\n"


def test_a_silence_hides_its_finding_and_shows_it_as_silenced() -> None:
    report = report_of(silencing(f"{KNOWN}, reason: moving, until: 2026-12-01"))
    assert report.findings == ()
    assert [(each.finding.rule, each.finding.path, each.reason, each.until) for each in report.silenced] == [
        ("CO103", "deployments.chat", "moving", "2026-12-01")
    ]


@pytest.mark.parametrize(
    "said", [KNOWN, f"{KNOWN}, reason: moving", f"{KNOWN}, until: 2026-12-01", f'{KNOWN}, reason: " ", until: 2026-12-01']
)
def test_a_silence_without_a_reason_or_a_date_hides_nothing_and_is_an_error(said: str) -> None:
    assert found_in(silencing(said)) == [("CO103", "warn", "deployments.chat"), ("CO901", "error", "check.silence[0]")]


def test_a_silence_ends_with_the_first_moment_of_its_day() -> None:
    text = silencing(f"{KNOWN}, reason: moving, until: 2026-12-01")
    day_at = first_moment("2026-12-01") or 0.0
    assert found_in(text, now=day_at - 1) == []
    assert found_in(text, now=day_at) == [("CO103", "warn", "deployments.chat"), ("CO902", "error", "check.silence[0]")]


def test_a_silence_of_nothing_is_a_warning() -> None:
    assert found_in(f"{SOUND}check: {{silence: [{{{KNOWN}, reason: moving, until: 2026-12-01}}]}}\n") == [
        ("CO903", "warn", "check.silence[0]")
    ]


def test_a_silence_of_what_was_not_asked_is_left_in_peace() -> None:
    text = SOUND + "check: {silence: [{rule: CO102, at: deployments.gpt51-prod-v1113.upgrade, reason: later, until: 2026-12-01}]}\n"
    assert found_in(text) == []


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("rules: {CO001: off}", "check.rules.CO001"),
        ("rules: {CO901: warn}", "check.rules.CO901"),
        ("rules: {CO201: loud}", "check.rules.CO201"),
        ("rules: {CO201: {stage: off}}", "check.rules.CO201"),
        ("silence: [{rule: CO002, at: a}]", "check.silence[0].rule"),
        ("silence: [{rule: CO103, at: a, until: soon}]", "check.silence[0].until"),
        ('silence: [{rule: CO103, at: a, reason: "\\u0007"}]', "check.silence[0].reason"),
        ("silence: [{rule: CO103}]", "check.silence[0].at"),
        ("quiet: true", "check.quiet"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_path(said: str, path: str) -> None:
    assert list(faults_of(f"{SOUND}check: {{{said}}}\n")) == [path]


def test_what_is_said_of_the_check_is_written_back_as_it_was() -> None:
    text = f"{SOUND}check:\n  rules: {{CO201: off, CO103: {{dev: warn}}}}\n"
    text += "  silence: [{rule: CO103, at: a, until: 2026-12-01}, {rule: CO104, at: b, reason: r}]\n"
    declared = parse(text)
    assert parse(file_text(declared)) == declared


def test_a_date_that_is_none_is_no_silence_by_accident() -> None:
    with pytest.raises(SettingsError):
        parse(silencing(f"{KNOWN}, reason: moving, until: 2026-02-30"))
