"""Whatever a valid file declares, the rules answer; and a silence takes away its finding and nothing else."""

from collections.abc import Mapping

import msgspec
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from changeover.console.check_answer import CheckAnswer, answer_of
from changeover.console.render_check_junit import junit_of
from changeover.console.render_check_markdown import markdown_of
from changeover.console.render_check_sarif import sarif_of
from changeover.settings.declared import SettingsError
from changeover.settings.declared_check import Silence
from changeover.settings.file import parse
from changeover.settings.rules.book import SETTABLE
from changeover.settings.rules.checking import check_declared
from changeover.settings.rules.facts import Facts, ReadBack
from changeover.settings.rules.finding import Report
from tests.unit.settings.rules.checked import LISTED, TODAY

QUICK = settings(max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
DAY_S = 86_400.0
ABOUT = CheckAnswer(ok=True, file="changeover.yaml", today="2026-11-20", dates_as_of="2026-10-05")
NAMES = ("chat", "gpt4o-prod-v1120", "gpt4o-prod-v0513", "b", "gpt-4o")
VERSIONS = ("2024-05-13", "2024-11-20", "0613", "1", "turbo")
OPTIONS = ("NoAutoUpgrade", "OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired")


def said(**fields: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({}, optional=fields)


DEPLOYMENTS = st.builds(
    lambda most, rest: most | rest,
    st.fixed_dictionaries({"model": st.sampled_from(["gpt-4o", "<b>&]]>", "o1"]), "version": st.sampled_from(VERSIONS)}),
    said(
        environment=st.sampled_from(["prod", "dev"]),
        upgrade=st.sampled_from(OPTIONS),
        content_filter=st.sampled_from(["strict", "<b>&]]>"]),
        sku=st.sampled_from(["Standard", "ProvisionedManaged"]),
        capacity=st.integers(1, 100),
        called=st.sampled_from(NAMES),
        account=st.just("aoai"),
    ),
)
NAME = st.sampled_from(NAMES)
TASKS = st.builds(
    lambda most, rest: most | rest,
    st.fixed_dictionaries({"stable": NAME | st.lists(NAME, min_size=1, max_size=2, unique=True)}),
    said(failover=st.lists(NAME, max_size=3, unique=True), criteria=st.just({"preset": "none", "errors": {}})),
)
LEVELS = st.dictionaries(st.sampled_from(SETTABLE), st.sampled_from(["off", "warn", "error", {"dev": "error"}]), max_size=3)
FILES = st.builds(
    lambda kind, deployments, tasks, rollouts, levels: {
        "version": 1,
        "accounts": {"aoai": {"kind": kind, "endpoint": "https://aoai.openai.azure.com"}},
        "deployments": deployments,
        "tasks": tasks,
        "rollouts": rollouts,
        "check": {"rules": levels},
    },
    st.sampled_from(["azure-openai", "openai-compatible"]),
    st.fixed_dictionaries(dict.fromkeys(NAMES, DEPLOYMENTS)),
    st.dictionaries(st.sampled_from(["t", "u"]), TASKS, min_size=1),
    st.dictionaries(st.just("up"), st.fixed_dictionaries({"task": st.sampled_from(["t", "u"]), "candidate": NAME})),
    LEVELS,
)
READ = st.builds(
    ReadBack,
    upgrade=st.none() | st.sampled_from(OPTIONS),
    content_filter=st.none() | st.just("strict"),
    capacity=st.none() | st.integers(1, 100),
    retires_at=st.none() | st.floats(TODAY - 400 * DAY_S, TODAY + 400 * DAY_S),
    is_retired=st.booleans(),
)
FACTS = st.builds(
    lambda azure, peaks: Facts(listed=LISTED, azure=azure, peaks_tpm=peaks),
    st.none() | st.dictionaries(NAME, READ),
    st.dictionaries(st.sampled_from(["t", "u"]), st.integers(0, 10**6)),
)


def text_of(file: Mapping[str, object]) -> str:
    return yaml.safe_dump(file)


def identities(report: Report) -> list[tuple[str, str]]:
    return [(each.rule, each.path) for each in report.findings]


@QUICK
@given(FILES, FACTS)
def test_the_rules_answer_for_every_valid_file_and_every_form_can_be_written(file: dict[str, object], facts: Facts) -> None:
    text = text_of(file)
    try:
        declared = parse(text)
    except SettingsError:
        assume(False)
        return
    report = check_declared(declared, facts, now=TODAY)
    assert len(set(identities(report))) == len(report.findings)
    assert all(each.found.isprintable() and each.expected and each.remedy for each in report.findings)
    answer = answer_of(report, text, about=ABOUT)
    assert all(1 <= each.line <= text.count("\n") for each in answer.findings)
    for shown in (junit_of(answer), markdown_of(answer), msgspec.json.encode(sarif_of(answer, uri="a")).decode()):
        assert shown.encode()


@QUICK
@given(FILES, FACTS, st.data())
def test_a_silence_takes_away_its_finding_and_nothing_else(file: dict[str, object], facts: Facts, data: st.DataObject) -> None:
    try:
        declared = parse(text_of(file))
    except SettingsError:
        assume(False)
        return
    before = check_declared(declared, facts, now=TODAY)
    assume(before.findings)
    one = data.draw(st.sampled_from(before.findings))
    silence = Silence(rule=one.rule, at=one.path, reason="known", until_at=TODAY + DAY_S)
    quiet = msgspec.structs.replace(declared, check=msgspec.structs.replace(declared.check, silences=(silence,)))
    after = check_declared(quiet, facts, now=TODAY)
    assert after.findings == tuple(each for each in before.findings if each != one)
    assert [each.finding for each in after.silenced] == [one]
    assert after.not_asked == before.not_asked
    later = check_declared(quiet, facts, now=TODAY + DAY_S)
    assert ("CO902", "check.silence[0]") in identities(later)
