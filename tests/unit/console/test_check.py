"""The check as a pipeline and a person see it: forms, exit codes, lines."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from changeover.settings.rules.book import RULES
from tests.unit.console.live import call

DOCS = Path(__file__).parents[3] / "docs"
TODAY = ("--today", "2026-11-20")
FILE = """\
version: 1
accounts:
  aoai: {kind: azure-openai, endpoint: https://aoai.openai.azure.com}
deployments:
  gpt-4o: {model: gpt-4o, version: "2024-11-20", sku: Standard, capacity: 10}
  gpt4o-prod-v0513: {model: gpt-4o, version: "2024-05-13", upgrade: OnceCurrentVersionExpired}
tasks:
  email:
    stable: gpt-4o
    failover: [gpt4o-prod-v0513]
criteria: {preset: none, errors: {}}
check:
  silence:
    - {rule: CO103, at: deployments.gpt-4o, reason: "its successor <is> on trial", until: 2026-12-31}
"""
SOUND = FILE.replace(", upgrade: OnceCurrentVersionExpired", "")
FAULTY = FILE.replace("stable: gpt-4o", "stable: gone").replace("sku: Standard", "sku: sk-proj-0123456789abcdef")
SARIF_LEVELS = {"none", "note", "warning", "error"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "changeover.yaml").write_text(FILE)
    return tmp_path


def answered(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(call("check", *TODAY, *arguments).stdout)
    return found


def test_findings_are_grouped_by_rule_with_their_line_and_what_to_do() -> None:
    result = call("check", *TODAY)
    assert result.exit_code == 1
    assert "error CO101 not pinned\n  changeover.yaml:6 deployments.gpt4o-prod-v0513.upgrade: found upgrade: OnceCurrent" in result.stdout
    assert "    -> pin it: upgrade: NoAutoUpgrade" in result.stdout
    assert "changeover.yaml can be used: 1 account, 2 deployments, 1 task, 0 rollouts; 1 error, 1 warning, 1 silenced" in result.stdout
    assert "not asked: CO102, CO301 (Azure was not asked; --azure asks it)" in result.stdout


def test_exit_codes_follow_what_is_to_fail(folder: Path) -> None:
    assert call("check", *TODAY).exit_code == 1
    (folder / "changeover.yaml").write_text(SOUND)
    assert call("check", *TODAY).exit_code == 0
    assert call("check", *TODAY, "--fail-on", "warning").exit_code == 1
    assert call("check", "--today", "2026-06-01", "--fail-on", "warning").exit_code == 0
    assert call("check", "--today", "tomorrow").exit_code == 2
    assert call("check", "--format", "pdf").exit_code == 2
    assert call("check", "-c", "nowhere.yaml").exit_code == 1


@pytest.mark.parametrize("peak", ["email", "=5", "email=", "email=-5", "email=5.5", "email=٣", "letters=5"])
def test_a_peak_that_means_nothing_is_a_usage_error(peak: str) -> None:
    assert call("check", "--peak", peak).exit_code == 2


def test_a_peak_is_measured_against_the_stables_capacity() -> None:
    found = answered("--peak", "email=10001", "-o", "json")["findings"]
    assert "CO206" in {each["rule"] for each in found}
    found = answered("--peak", "email=10000", "-o", "json")["findings"]
    assert "CO206" not in {each["rule"] for each in found}


def test_json_says_what_was_found_hidden_and_not_asked_as_of_which_day() -> None:
    answer = answered("--format", "json")
    assert (answer["ok"], answer["today"], answer["dates_as_of"]) == (False, "2026-11-20", "2026-10-05")
    places = [(each["rule"], each["line"], each["column"]) for each in answer["findings"]]
    assert places == [("CO101", 6, FILE.splitlines()[5].index("upgrade:") + 1), ("CO302", 9, 5)]
    assert [(each["rule"], each["line"], each["until"]) for each in answer["silenced"]] == [("CO103", 5, "2026-12-31")]
    assert {each["rule"] for each in answer["not_asked"]} == {"CO102", "CO206", "CO301"}
    assert yaml.safe_load(call("check", *TODAY, "-o", "yaml").stdout) == answer


def test_sarif_has_the_parts_that_code_scanning_asks_for() -> None:
    log = answered("--format", "sarif")
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.id for rule in RULES]
    assert all(rule["defaultConfiguration"]["level"] in SARIF_LEVELS for rule in rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in SARIF_LEVELS
        assert result["message"]["text"]
        assert re.fullmatch(r"[0-9a-f]{32}", next(iter(result["partialFingerprints"].values())))
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"] == {"uri": "changeover.yaml"}
        assert place["region"]["startLine"] >= 1
        assert place["region"]["startColumn"] >= 1
    assert [(each["ruleId"], "suppressions" in each) for each in run["results"]] == [("CO101", False), ("CO302", False), ("CO103", True)]


def test_sarif_names_the_file_from_where_the_pipeline_stands(folder: Path) -> None:
    below = folder / "a b" / "changeover.yaml"
    below.parent.mkdir()
    below.write_text(FILE)
    for named in ("a b/changeover.yaml", "./a b/changeover.yaml", str(below)):
        result = answered("--format", "sarif", "-c", named)["runs"][0]["results"][0]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "a%20b/changeover.yaml"}


def test_junit_has_a_case_for_every_finding_and_every_rule_and_its_counts_are_true() -> None:
    suite = ElementTree.fromstring(call("check", *TODAY, "--format", "junit").stdout.encode()).find("testsuite")
    assert suite is not None
    cases = suite.findall("testcase")
    assert len(cases) == int(suite.attrib["tests"])
    failed = [case for case in cases if case.find("failure") is not None]
    assert [case.attrib["classname"] for case in failed] == ["changeover.check.CO101"]
    assert int(suite.attrib["failures"]) == 1
    skipped = {case.attrib["classname"][-5:]: case.find("skipped") for case in cases if case.find("skipped") is not None}
    assert set(skipped) == {"CO102", "CO103", "CO206", "CO301"}
    assert len(skipped) == int(suite.attrib["skipped"])
    assert skipped["CO103"] is not None
    assert "its successor <is> on trial" in skipped["CO103"].attrib["message"]
    assert {case.attrib["classname"][-5:] for case in cases} == {rule.id for rule in RULES}
    assert all(case.attrib["name"] and case.attrib["time"] for case in cases)


def test_junit_counts_a_warning_as_a_failure_only_where_it_fails_the_check() -> None:
    suites = ElementTree.fromstring(call("check", *TODAY, "--format", "junit", "--fail-on", "warning").stdout.encode())
    assert suites.attrib["failures"] == "2"


def test_markdown_shows_what_comes_from_the_file_as_it_is() -> None:
    text = call("check", *TODAY, "--format", "markdown").stdout
    assert text.startswith("## changeover check: failed\n")
    assert "| error | CO101 | changeover.yaml:6<br>deployments.gpt4o\\-prod\\-v0513.upgrade |" in text
    assert "its successor \\<is\\> on trial | 2026\\-12\\-31 |" in text
    assert "retirement dates as published on 2026\\-10\\-05" in text


@pytest.mark.parametrize("form", ["json", "junit", "sarif", "markdown"])
def test_a_file_with_faults_answers_in_every_form_and_shows_no_secret(folder: Path, form: str) -> None:
    (folder / "changeover.yaml").write_text(FAULTY)
    result = call("check", *TODAY, "--format", form)
    assert result.exit_code == 1
    assert "CO001" in result.stdout
    assert "CO002" in result.stdout
    assert "tasks.email.stable: found" in result.stderr
    assert "0123456789" not in result.output


def test_a_file_that_is_not_yaml_has_its_line_in_sarif(folder: Path) -> None:
    (folder / "changeover.yaml").write_text("version: 1\naccounts: [\ntasks: }\n")
    result = answered("--format", "sarif")["runs"][0]["results"][0]
    assert result["ruleId"] == "CO001"
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 3


def test_the_same_day_gives_the_same_answer() -> None:
    assert call("check", *TODAY, "--format", "sarif").stdout == call("check", *TODAY, "--format", "sarif").stdout


def test_every_rule_is_listed_and_has_its_page() -> None:
    listed = call("check", "--list-rules").stdout
    page = (DOCS / "reference" / "check-rules.md").read_text()
    for rule in RULES:
        assert f"{rule.id}  {rule.title}" in listed
        assert f"### {rule.id} {rule.title}\n" in page
        levels = f"production: {rule.prod} · dev: {rule.dev}" + (" · fixed" if rule.is_fixed else "")
        assert levels in page.partition(f"### {rule.id} ")[2].partition("\n### ")[0]
        assert rule.why in page


def test_the_files_of_the_documentation_can_be_checked(folder: Path) -> None:
    for page in ("howto/check-in-ci.md", "reference/check-rules.md"):
        blocks = re.findall(r"```yaml\n(check:.*?)```", (DOCS / page).read_text(), re.DOTALL)
        assert blocks
        for block in blocks:
            (folder / "changeover.yaml").write_text(FILE.partition("check:")[0] + block)
            assert "can be used" in call("check", *TODAY).stdout
