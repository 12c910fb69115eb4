"""Commands before a server runs."""

import json
from pathlib import Path

import pytest

from changeover.settings.file import parse
from tests.unit.console.live import call


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_init_writes_a_file_that_check_accepts(folder: Path) -> None:
    result = call("init")
    assert (result.exit_code, result.stdout) == (0, "wrote changeover.yaml\n")
    assert "changeover serve" in result.stderr
    checked = call("check")
    assert checked.exit_code == 0
    assert "1 account, 2 deployments, 1 task, 0 rollouts" in checked.stdout


def test_init_takes_the_name_of_an_azure_resource(folder: Path) -> None:
    assert call("init", "--azure", "aoai-genai-prod", "--offline", "-c", "prod.yaml").exit_code == 0
    account = parse((folder / "prod.yaml").read_text()).accounts["aoai-genai-prod"]
    assert account.endpoint == "https://aoai-genai-prod.openai.azure.com"


@pytest.mark.parametrize("name", ["a b", "x: {y}", "", "-"])
def test_a_name_that_no_resource_can_have_writes_nothing(folder: Path, name: str) -> None:
    assert call("init", "--azure", name).exit_code == 2
    assert list(folder.iterdir()) == []


def test_init_never_overwrites_by_accident(folder: Path) -> None:
    (folder / "changeover.yaml").write_text("mine")
    refused = call("init")
    assert refused.exit_code == 1
    assert "found changeover.yaml already" in refused.stderr
    assert call("init", "--force").exit_code == 4
    assert (folder / "changeover.yaml").read_text() == "mine"
    assert call("init", "--force", "--yes").exit_code == 0
    assert (folder / "changeover.yaml").read_text() != "mine"


def test_init_into_a_place_that_is_not_there_says_so(folder: Path) -> None:
    result = call("init", "-c", "nowhere/changeover.yaml")
    assert result.exit_code == 1
    assert "cannot write nowhere/changeover.yaml" in result.stderr


BROKEN = """\
version: 1
accounts: {a: {kind: azure-openai, endpoint: nonsense}}
deployments: {d: {model: m, version: "1"}}
tasks: {t: {stable: gone}}
"""


def test_check_names_every_fault_by_its_path_and_exits_1(folder: Path) -> None:
    (folder / "changeover.yaml").write_text(BROKEN)
    result = call("check")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "changeover.yaml has 2 faults" in result.stderr
    assert "accounts.a.endpoint: found" in result.stderr
    assert "tasks.t.stable: found" in result.stderr


def test_check_answers_programs_on_stdout_with_the_same_exit_codes(folder: Path) -> None:
    (folder / "changeover.yaml").write_text(BROKEN)
    bad = call("check", "-o", "json")
    assert bad.exit_code == 1
    assert [fault["path"] for fault in json.loads(bad.stdout)["faults"]] == ["accounts.a.endpoint", "tasks.t.stable"]
    call("init", "-c", "good.yaml")
    good = call("check", "-c", "good.yaml", "-o", "json")
    assert good.exit_code == 0
    assert json.loads(good.stdout)["ok"] is True


def test_warnings_go_to_stderr_and_do_not_fail(folder: Path) -> None:
    call("init")
    result = call("check")
    assert result.exit_code == 0
    assert "warning: " in result.stderr


def test_a_file_that_is_not_there_or_not_text_says_what_to_do(folder: Path) -> None:
    missing = call("check")
    assert missing.exit_code == 1
    assert "changeover init" in missing.stderr
    (folder / "changeover.yaml").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in call("check").stderr


def test_serve_refuses_a_faulty_file_with_its_faults(folder: Path) -> None:
    (folder / "changeover.yaml").write_text(BROKEN)
    result = call("serve", "--port", "0", "--control-port", "0")
    assert result.exit_code == 1
    assert "tasks.t.stable: found" in result.stderr
    assert not (folder / ".changeover").exists()


def test_serve_without_a_file_says_how_to_get_one(folder: Path) -> None:
    result = call("serve", "--port", "0", "--control-port", "0")
    assert result.exit_code == 1
    assert "changeover init" in result.stderr
