"""Tasks and deployments one by one, and what helps an editor and a shell."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.console.live import Live, call, live_server


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_server(tmp_path_factory.mktemp("inventory")) as found:
        yield found


def test_deployments_are_listed_with_what_they_are_to_whom(live: Live) -> None:
    shown = live.call("deployment", "ls")
    assert shown.exit_code == 0
    (old,) = [line for line in shown.stdout.splitlines() if line.startswith("old ")]
    assert "gpt-4o" in old
    assert "chat (stable, 100 %)" in old
    assert [view["deployment"]["name"] for view in json.loads(live.call("deployment", "ls", "-o", "json").stdout)["deployments"]] == [
        "new",
        "old",
        "other",
    ]


def test_a_deployment_is_shown_with_where_its_secret_is_and_never_what_it_is(live: Live) -> None:
    shown = live.call("deployment", "show", "other").stdout
    for words in ("gpt-4o-mini", "https://acc.openai.azure.com", "AZURE_OPENAI_API_KEY", "no task", "as they are"):
        assert words in shown
    assert "kind: azure-openai" in live.call("deployment", "show", "other", "-o", "yaml").stdout


def test_a_task_is_shown_with_every_deployment_it_names(live: Live) -> None:
    shown = live.call("task", "show", "email").stdout
    assert "a unit is: the single request" in shown
    (stable,) = [line for line in shown.splitlines() if line.startswith("stable ")]
    assert stable.split()[1] == "old"
    assert stable.endswith("100 %")


@pytest.mark.parametrize("command", [("deployment", "show", "gone"), ("task", "show", "gone")])
def test_what_is_not_there_is_answered_with_what_is(live: Live, command: tuple[str, ...]) -> None:
    shown = live.call(*command)
    assert shown.exit_code == 1
    assert "of this server: " in shown.stderr


def test_the_schema_is_json_that_names_the_files_keys() -> None:
    assert {"accounts", "deployments", "tasks"} <= set(json.loads(call("schema").stdout)["properties"])


@pytest.mark.parametrize(("shell", "words"), [("bash", "complete "), ("zsh", "compdef"), ("fish", "complete ")])
def test_a_shell_gets_its_own_script(shell: str, words: str) -> None:
    shown = call("completion", shell)
    assert shown.exit_code == 0
    assert words in shown.stdout
    assert "_CHANGEOVER_COMPLETE" in shown.stdout


def test_a_script_completes_commands_and_their_options(tmp_path: Path) -> None:
    asked = {"_CHANGEOVER_COMPLETE": "bash_complete", "COMP_WORDS": "changeover deployment s", "COMP_CWORD": "2"}
    ran = subprocess.run(
        ["/bin/sh", "-c", "exec python -m changeover"], check=False, capture_output=True, text=True, env={**_path(), **asked}
    )
    assert ran.stdout.split() == ["plain,show"]


def _path() -> dict[str, str]:
    import sys

    return {"PATH": str(Path(sys.executable).parent)}
