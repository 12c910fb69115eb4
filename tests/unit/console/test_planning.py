"""``changeover plan``, ``apply`` and ``export``, against a real server over its socket."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.console import apply as applying
from tests.unit.api.bench import CONFIG, TOKEN
from tests.unit.console.live import Live, call, live_server

TAGS = CONFIG.replace("  chat: {stable: old}\n", "  chat: {stable: old}\n  tags: {stable: other}\n")
NO_CHAT = CONFIG.replace("  chat: {stable: old}\n", "")


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_server(tmp_path) as live:
        yield live


def test_a_plan_shows_each_place_and_says_by_its_exit_code_that_there_is_one(live: Live) -> None:
    same = live.call("plan", "--detailed-exitcode")
    assert (same.exit_code, same.stdout) == (0, "no changes: the store at revision 1 is as the file says\n")
    live.config.write_text(TAGS.replace("margin_pp: 2", "margin_pp: 3"))
    plan = live.call("plan")
    assert plan.exit_code == 0, plan.output
    lines = plan.stdout.splitlines()
    assert lines[0] == "+ tasks.tags  {stable: other}"
    assert lines[1] == "~ tasks.email.criteria.errors.margin_pp  2 -> 3"
    assert lines[-1] == "plan at revision 1: 1 new, 1 changed, 0 removed"
    assert "warning: tasks.chat: quality is left out" in plan.stderr
    assert live.call("plan", "--detailed-exitcode").exit_code == 2
    assert json.loads(live.call("plan", "-o", "json").stdout)["amendments"][0]["effect"] == "new"
    assert live.bench.world.revision == 1


def test_nothing_is_applied_that_nobody_agreed_to(live: Live) -> None:
    live.config.write_text(TAGS)
    asked = live.call("apply")
    assert asked.exit_code == 4
    assert "changeover apply --yes" in asked.stderr
    assert live.bench.world.revision == 1


def test_an_agreed_plan_is_applied_asked_for_and_told(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    live.acknowledge()
    live.config.write_text(TAGS)
    monkeypatch.setattr(applying, "is_interactive", lambda: True)
    assert "not applied" in live.call("apply", stdin="n\n").stderr
    monkeypatch.setattr(applying, "WAIT_EVERY_S", 0.01)
    waited = live.call("apply", "--reason", "tags", stdin="y\n")
    assert waited.exit_code == 5
    assert "p0 did not take up table 2" in waited.stderr
    assert live.bench.store.changes()[-1].reason == "tags"
    live.config.write_text(TAGS.replace("tags: {stable: other}", "tags: {stable: new}").replace("margin_pp: 2", "margin_pp: 3"))
    assert "all its traffic moves at once, without a trial" in live.call("plan").stdout


def test_an_applied_file_is_served_before_the_command_ends(live: Live) -> None:
    live.config.write_text(CONFIG.replace("margin_pp: 2", "margin_pp: 3"))
    live.acknowledge()
    done = live.call("apply", "--yes")
    assert done.exit_code == 0, done.output
    assert "served by 1 data plane" in done.stderr
    assert done.stdout.splitlines()[-1] == "revision 2: 0 new, 1 changed, 0 removed"
    again = live.call("apply", "--yes", "-o", "json")
    assert (again.exit_code, again.stdout) == (0, "")
    assert "nothing to apply" in again.stderr
    assert "the file was applied (1 changed)" in live.call("events", env={"COLUMNS": "200"}).stdout


def test_a_saved_plan_is_applied_as_it_was_looked_at_and_goes_stale(live: Live, tmp_path: Path) -> None:
    live.config.write_text(TAGS)
    saved = tmp_path / "changes.plan"
    assert live.call("plan", "--out", str(saved)).exit_code == 0
    live.config.write_text(CONFIG)
    assert live.call("apply", "--plan", str(saved)).exit_code == 0
    assert "tags" in live.bench.world.tasks
    stale = live.call("apply", "--plan", str(saved))
    assert stale.exit_code == 6
    assert "decided on revision 1, the present one is 2" in stale.stderr
    assert live.call("apply", "--plan", str(saved), "--allow-remove").exit_code == 2
    saved.write_text("{}")
    assert "is no saved plan" in live.call("apply", "--plan", str(saved)).stderr


def test_what_a_rollout_rests_on_fails_the_command_and_the_rest_is_applied(live: Live) -> None:
    assert live.call("rollout", "start", "email", "--to", "new", "--accept-undecided", "--skip-preflight", "--reason", "x").exit_code == 0
    live.config.write_text(TAGS.replace("margin_pp: 2", "margin_pp: 3"))
    done = live.call("apply", "--yes")
    assert done.exit_code == 1
    assert "! tasks.email.criteria.errors.margin_pp  2 -> 3" in done.stdout
    assert "a changed margin is a new attempt with empty evidence" in done.stderr
    assert "tags" in live.bench.world.tasks


def test_a_task_is_taken_out_only_when_that_is_allowed(live: Live) -> None:
    live.config.write_text(NO_CHAT)
    kept = live.call("apply", "--yes")
    assert "= tasks.chat  old, not in the file" in kept.stdout
    assert live.bench.world.revision == 1
    assert live.call("apply", "--yes", "--allow-remove").exit_code == 0
    assert "chat" not in live.bench.world.tasks


def test_what_is_exported_changes_nothing_and_overwrites_nothing_unasked(live: Live, tmp_path: Path) -> None:
    out = tmp_path / "live.yaml"
    assert live.call("export", "-o", str(out)).exit_code == 0
    assert live.call("export").stdout == out.read_text()
    assert call("check", "-c", str(out)).exit_code == 0
    assert live.call("plan", "-f", str(out), "--detailed-exitcode").exit_code == 0
    again = live.call("export", "-o", str(out))
    assert again.exit_code == 1
    assert "--force" in again.stderr
    assert live.call("export", "-o", str(out), "--force").exit_code == 0


def test_a_server_elsewhere_takes_the_prompts_of_this_machines_file(live: Live, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "brief.txt").write_text("Be brief.")
    (folder / "mine.yaml").write_text(CONFIG.replace('07-18"}', '07-18", request: {system_prompt: {file: brief.txt}}}'))
    done = call("apply", "-f", str(folder / "mine.yaml"), "--yes", "--url", live.url, "--token", TOKEN)
    assert done.exit_code == 0, done.output
    request = live.bench.world.deployments["other"].request
    assert request is not None
    assert request.system_prompt == "Be brief."


def test_a_file_with_faults_is_sent_nowhere(live: Live) -> None:
    live.config.write_text(CONFIG.replace("stable: old", "stable: odl"))
    done = live.call("apply", "--yes")
    assert done.exit_code == 1
    assert "did you mean old?" in done.stderr
