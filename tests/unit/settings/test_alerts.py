"""Who is told, about what, and when: as the file says it."""

import pytest

from changeover.rollout.topics import DEFAULT_TOPICS, TOPICS
from changeover.settings.declared_alert import DeclaredPolicy, SummaryMoment
from changeover.settings.file import parse
from changeover.settings.written_file import file_text
from changeover.versions import SecretReference
from tests.unit.settings.files import SMALLEST, faults_of, with_section

SLACK = "https://hooks.example.com/services/T0000/B0000/sEcReTsEcReT"


def test_a_webhook_is_named_by_where_its_address_is_found() -> None:
    (alert,) = parse(with_section("alerts: [{webhook: {env: HOOK}, secret: {file: /run/secret}, on: [rolled_back, paused]}]\n")).alerts
    assert (alert.name, alert.target, alert.secret) == (
        "webhook env:HOOK",
        SecretReference(source="env", name="HOOK"),
        SecretReference(source="file", name="/run/secret"),
    )
    assert alert.topics == ("paused", "rolled_back")


def test_without_topics_a_destination_hears_of_everything_but_steps() -> None:
    (alert,) = parse(with_section("alerts: [{apprise: {env: CHAT}}]\n")).alerts
    assert alert.topics == DEFAULT_TOPICS
    assert set(TOPICS) - set(DEFAULT_TOPICS) == {"step"}


def test_a_file_without_alerts_and_policy_has_the_usual_policy() -> None:
    declared = parse(SMALLEST)
    assert (declared.alerts, declared.policy) == ((), DeclaredPolicy(four_eyes=False, summary=SummaryMoment(day=4, minute=900)))


def test_the_policy_names_the_moment_of_the_summary() -> None:
    policy = parse(with_section('policy: {four_eyes: true, summary: {day: mon, at: "09:30"}}\n')).policy
    assert policy == DeclaredPolicy(four_eyes=True, summary=SummaryMoment(day=0, minute=570))


def test_an_unknown_topic_is_refused_with_the_list_of_all() -> None:
    fault = faults_of(with_section("alerts: [{webhook: {env: HOOK}, on: [paused, pauzed]}]\n"))["alerts[0].on[1]"]
    assert fault.found == '"pauzed"'
    assert all(topic in fault.expected for topic in TOPICS)


@pytest.mark.parametrize(
    ("section", "path"),
    [
        (f"alerts: [{SLACK}]\n", "alerts[0]"),
        (f"alerts: [{{webhook: {SLACK}}}]\n", "alerts[0].webhook"),
        (f"alerts: [{{webhook: {{env: '{SLACK}'}}}}]\n", "alerts[0].webhook.env"),
        (f"alerts: [{{webhook: {{url: {SLACK}}}}}]\n", "alerts[0].webhook.url"),
        (f"alerts: [{{webhook: {{env: A}}, secret: {SLACK}}}]\n", "alerts[0].secret"),
        (f"alerts: [{{apprise: {SLACK}}}]\n", "alerts[0].apprise"),
    ],
)
def test_an_address_written_into_the_file_is_refused_and_never_shown(section: str, path: str) -> None:
    faults = faults_of(with_section(section))
    assert path in faults
    assert "sEcReT" not in "".join(map(str, faults.values()))


@pytest.mark.parametrize(
    ("section", "path"),
    [
        ("alerts: [{}]\n", "alerts[0]"),
        ("alerts: [{webhook: {env: A}, apprise: {env: B}}]\n", "alerts[0]"),
        ("alerts: [{apprise: {env: B}, secret: {env: C}}]\n", "alerts[0]"),
        ("alerts: [{webhook: {env: A, file: b}}]\n", "alerts[0].webhook"),
        ("alerts: [{webhook: {env: A}, on: []}]\n", "alerts[0].on"),
        ("alerts: [{webhook: {env: A}, link: 'https://x.example/'}]\n", "alerts[0].link"),
        ("alerts: [{webhook: {env: A}}, {webhook: {env: A}, on: [step]}]\n", "alerts[1]"),
        ("alerts: {webhook: {env: A}}\n", "alerts"),
        ("policy: {summary: {day: friday}}\n", "policy.summary.day"),
        ('policy: {summary: {at: "24:00"}}\n', "policy.summary.at"),
        ("policy: {four_eyes: 2}\n", "policy.four_eyes"),
    ],
)
def test_what_is_no_destination_and_no_policy_is_refused_by_its_path(section: str, path: str) -> None:
    assert list(faults_of(with_section(section))) == [path]


@pytest.mark.parametrize(
    "section",
    [
        "",
        "alerts: [{webhook: {env: HOOK}, secret: {file: /run/secret}, on: [rolled_back], link: https://c.example}, {apprise: {env: A}}]\n",
        'policy: {four_eyes: true, summary: {day: sun, at: "00:05"}}\n',
    ],
)
def test_what_is_written_back_reads_as_the_same(section: str) -> None:
    declared = parse(with_section(section))
    again = parse(file_text(declared))
    assert (again.alerts, again.policy) == (declared.alerts, declared.policy)


@pytest.mark.parametrize("pattern", ["{model}-{yyyymmdd}", "{env}.{model}-{version}"])
def test_the_policy_says_what_deployments_are_called(pattern: str) -> None:
    declared = parse(with_section(f'policy: {{name: "{pattern}"}}\n'))
    assert declared.policy.name == pattern
    assert parse(file_text(declared)).policy.name == pattern


def test_a_name_that_tells_no_versions_apart_is_no_policy() -> None:
    fault = faults_of(with_section('policy: {name: "{model}-{env}"}\n'))["policy.name"]
    assert fault.found == "a pattern that does not name model and version"
    assert "{model}" in fault.expected
