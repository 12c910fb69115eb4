"""Commands that talk to a running server: a real one, over its socket."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import yaml

from changeover.console import rollout
from changeover.ports.serving import SERVER_FILE_NAME, ServerRecord
from changeover.rollout.state import Phase
from tests.unit.api.bench import GATEWAY, TOKEN
from tests.unit.console.live import Live, call, live_server


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_server(tmp_path) as live:
        yield live


def test_status_shows_tasks_and_that_no_data_plane_has_reported(live: Live) -> None:
    result = live.call("status")
    assert result.exit_code == 0
    assert GATEWAY in result.stdout
    assert "email" in result.stdout
    assert "no data plane has reported yet" in result.stdout
    assert result.stderr == ""


def test_answers_come_as_json_and_yaml_on_stdout_alone(live: Live) -> None:
    for parse, form in ((json.loads, "json"), (yaml.safe_load, "yaml")):
        found = parse(live.call("status", "-o", form).stdout)
        assert [task["name"] for task in found["tasks"]] == ["chat", "email"]


def test_a_split_is_committed_by_the_user_of_this_machine(live: Live) -> None:
    result = live.call("task", "split", "email", "old=87.5", "--weight", "new=12.5%", "--reason", "a look")
    assert result.exit_code == 0, result.output
    assert "12.5 %" in result.stdout
    assert result.stderr == "done: revision 2\n"
    change = live.bench.store.changes(after=1)[0]
    assert change.reason == "a look"
    assert change.actor not in ("", "api")


@pytest.mark.parametrize(
    "weights", [(), ("old",), ("old=x",), ("=10",), ("old=90", "old=10"), ("old=101",), ("old=nan",), ("old=inf",), ("old=-1",)]
)
def test_weights_that_cannot_be_read_are_a_usage_error(live: Live, weights: tuple[str, ...]) -> None:
    result = live.call("task", "split", "email", *weights)
    assert result.exit_code == 2
    assert "expected" in result.stderr
    assert live.bench.world.revision == 1


def test_a_refusal_says_what_was_found_and_what_to_do_and_exits_1(live: Live) -> None:
    result = live.call("task", "split", "email", "old=90", "new=20")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: found old 90 %, new 20 %")
    assert "sum to 100 %" in result.stderr


def test_a_rollout_is_started_shown_paused_and_rolled_back(live: Live) -> None:
    started = live.call("rollout", "start", "email", "--to", "new", "--reason", "cheaper")
    assert started.exit_code == 0, started.output
    assert "1. weight 10 %" in started.stdout
    assert "changeover rollback email" in started.stderr
    shown = live.call("rollout", "show", "email")
    assert "▶ 1. weight 10 %" in shown.stdout
    assert "not yet confirmed by every data plane" in shown.stdout
    assert "email-1" in live.call("rollout", "ls").stdout
    assert "paused" in live.call("rollout", "pause", "email-1", "--reason", "freeze").stdout
    assert "running" in live.call("rollout", "resume", "email").stdout
    back = live.call("rollback", "email", "--reason", "customers complain")
    assert back.exit_code == 0
    assert "rolling back" in back.stdout
    assert live.bench.world.rollouts["email-1"].progress.phase is Phase.ROLLING_BACK


def test_rolling_back_what_is_back_already_is_no_error(live: Live) -> None:
    result = live.call("rollback", "email")
    assert result.exit_code == 0
    assert "old serves all of email" in result.stderr


def test_a_blocked_pair_can_be_released_with_the_command_that_the_refusal_prints(live: Live) -> None:
    live.call("rollout", "start", "email", "--to", "new")
    live.call("rollback", "email")
    refused = live.call("rollout", "start", "email", "--to", "new")
    assert refused.exit_code == 1
    command = refused.stderr.partition("changeover ")[2].split()
    assert live.call(*command).exit_code == 0, command
    assert live.call("rollout", "start", "email", "--to", "new").exit_code == 0


def test_the_one_pair_that_is_blocked_needs_no_name_to_be_released(live: Live) -> None:
    live.call("rollout", "start", "email", "--to", "new")
    rolled_back = live.call("rollback", "email")
    assert "changeover rollout release email --to new" in rolled_back.stdout
    assert live.call("rollout", "release", "email").exit_code == 0
    again = live.call("rollout", "release", "email")
    assert again.exit_code == 1
    assert "no candidate of email is blocked" in again.stderr
    assert "tasks of this server: chat, email" in live.call("rollout", "release", "nosuch").stderr


def test_a_script_is_told_how_to_go_on_without_a_criterion(live: Live) -> None:
    refused = live.call("rollout", "start", "chat", "--to", "new")
    assert refused.exit_code == 1
    command = refused.stderr.partition("changeover ")[2].split()
    assert "--without" in command
    assert live.call(*command).exit_code == 0
    assert live.bench.world.rollouts["chat-1"].plan.criteria.left_out


@pytest.mark.parametrize(("said", "exit_code"), [("y\n", 0), ("n\n", 1), ("", 1)])
def test_a_person_is_asked_whether_to_go_on_without_a_criterion(
    live: Live, monkeypatch: pytest.MonkeyPatch, said: str, exit_code: int
) -> None:
    monkeypatch.setattr(rollout, "is_interactive", lambda: True)
    result = live.call("rollout", "start", "chat", "--to", "new", stdin=said)
    assert result.exit_code == exit_code
    assert "start without quality, accuracy? [y/N]" in result.stderr
    assert ("chat-1" in live.bench.world.rollouts) is (exit_code == 0)


def test_compare_without_a_rollout_exits_1_and_with_one_0(live: Live) -> None:
    assert live.call("compare", "email").exit_code == 1
    live.call("rollout", "start", "email", "--to", "new")
    live.acknowledge()
    live.serve(400, sequence=1)
    result = live.call("compare", "email")
    assert result.exit_code == 0
    assert "… undecided" in result.stdout
    assert "sample ratio" in result.stdout


def test_watching_ends_with_the_rollout(live: Live) -> None:
    live.call("rollout", "start", "email", "--to", "new")
    live.call("rollback", "email")
    assert live.call("compare", "email", "--watch", "-o", "json").exit_code == 0


def test_events_read_as_a_log(live: Live) -> None:
    live.call("rollout", "start", "email", "--to", "new", "--reason", "cheaper")
    live.call("rollback", "email", "--reason", "customers complain")
    shown = live.call("events", "--task", "email", env={"COLUMNS": "200"}).stdout
    assert "taken over from the file: 2 tasks, 3 deployments" in shown
    assert "customers complain" in shown
    found = json.loads(live.call("events", "--after", "2", "-o", "json").stdout)
    assert [event["change"]["type"] for event in found["events"]] == ["rollout_moved"]


def test_scores_are_posted_from_a_pipe_in_parts(live: Live) -> None:
    lines = "\n".join(json.dumps({"request_id": f"r{number}", "name": "rating", "value": 1}) for number in range(1500)) + "\n\n"
    assert live.call("score", "post", "-", stdin=lines).stdout == "1500 scores sent, 1500 of them new\n"
    again = live.call("score", "post", "-", "-o", "json", stdin=lines)
    assert json.loads(again.stdout) == {"taken": 1500, "new": 0}


def test_scores_that_nobody_reads_are_taken_and_told(live: Live) -> None:
    lines = "\n".join(json.dumps({"request_id": f"r{number}", "name": "ratng", "value": 1}) for number in range(3))
    result = live.call("score", "post", "-", stdin=lines)
    assert (result.exit_code, result.stdout) == (0, "3 scores sent, 3 of them new, 3 of them read by no criterion\n")
    assert "warning: 3 scores named 'ratng'" in result.stderr
    assert "did you mean rating?" in result.stderr
    assert "note: 3 scores named 'ratng' by client" in live.call("status", env={"COLUMNS": "200"}).stdout


def test_faulty_scores_are_named_by_their_line(live: Live, tmp_path: Path) -> None:
    file = tmp_path / "scores.jsonl"
    file.write_text('{"request_id": "r1", "name": "rating", "value": 1}\n\n{"request_id": "", "name": "rating", "value": 1}\nnonsense\n')
    result = live.call("score", "post", str(file))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "line 3.request_id: found nothing" in result.stderr
    assert "line 4: found" in result.stderr
    assert "1 new scores were taken all the same" in result.stderr


def test_a_server_is_found_by_its_file_its_state_directory_or_its_url(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    state = live.config.parent / ".changeover"
    assert call("status", env={"CHANGEOVER_STATE": str(state)}).exit_code == 0
    assert call("status", "--url", live.url, "--token", TOKEN).exit_code == 0
    assert call("status", env={"CHANGEOVER_URL": live.url, "CHANGEOVER_TOKEN": TOKEN}).exit_code == 0
    monkeypatch.chdir(live.config.parent)
    assert call("status").exit_code == 0


def test_without_the_token_the_answer_is_not_allowed(live: Live) -> None:
    result = call("status", "--url", live.url, "--token", "wrong")
    assert result.exit_code == 4
    assert "changeover token create" in result.stderr


def test_names_with_odd_characters_are_looked_up_not_interpreted(live: Live) -> None:
    for name in ("../status", "a/b", "a?b", "x#y", "é"):
        result = live.call("compare", name)
        assert result.exit_code == 1
        assert result.stderr.startswith("error: found no "), name


def test_where_no_server_runs_it_is_said_how_to_start_one(tmp_path: Path) -> None:
    result = call("status", "-c", str(tmp_path / "changeover.yaml"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: no server is running here")
    assert "changeover serve" in result.stderr


def test_a_server_that_died_is_not_running_either(tmp_path: Path) -> None:
    with live_server(tmp_path) as live:
        config = live.config
    result = call("status", "-c", str(config))
    assert result.exit_code == 1
    assert "no server is running here" in result.stderr


def test_a_server_that_was_killed_is_started_again_by_the_command_it_had(tmp_path: Path) -> None:
    (tmp_path / ".changeover").mkdir()
    command = "changeover serve -c /srv/changeover.yaml --port 18400 --control-port 18401"
    record = ServerRecord(pid=1, gateway=GATEWAY, control="", socket=str(tmp_path / "gone"), started_at=0, command=command)
    (tmp_path / ".changeover" / SERVER_FILE_NAME).write_bytes(msgspec.json.encode(record))
    result = call("status", "-c", str(tmp_path / "changeover.yaml"))
    assert result.exit_code == 1
    assert f"start it again: {command};" in result.stderr


def test_the_server_of_another_user_is_named_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / ".changeover").mkdir()
    monkeypatch.setattr(Path, "read_bytes", refuse)
    result = call("status", "-c", str(tmp_path / "changeover.yaml"))
    assert result.exit_code == 4
    assert f"is {tmp_path.owner()}'s, and" in result.stderr
    assert "become that user" in result.stderr
    assert "--url URL and a token of yours in CHANGEOVER_TOKEN" in result.stderr
    assert "changeover serve" not in result.stderr


@pytest.mark.parametrize(("token", "said"), [((), "found no token"), (("--token", "wrong"), "the token is not the right one")])
def test_a_missing_and_a_wrong_token_are_told_apart_with_the_ways_in(live: Live, token: tuple[str, ...], said: str) -> None:
    result = call("status", "--url", live.url, *token)
    assert result.exit_code == 4
    assert said in result.stderr
    assert "CHANGEOVER_TOKEN" in result.stderr
    assert "changeover token create NAME --role ROLE" in result.stderr
    assert "on the server's own machine, as its user, leave out --url" in result.stderr


def test_a_damaged_server_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".changeover").mkdir()
    (tmp_path / ".changeover" / "server.json").write_text("{")
    result = call("status", "-c", str(tmp_path / "changeover.yaml"))
    assert result.exit_code == 1
    assert "server.json cannot be used" in result.stderr


def test_a_url_of_something_else_is_not_mistaken_for_a_server() -> None:
    assert call("status", "--url", "http://127.0.0.1:1").exit_code == 1
    for url in ("ftp://127.0.0.1", "127.0.0.1:8401", "nonsense"):
        assert call("status", "--url", url).exit_code == 2
