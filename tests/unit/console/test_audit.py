"""``changeover audit``: what was done, by whom, and whether the log still says what it said."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.adapters.sql import open_store
from tests.contract.store_samples import TASK, proposing, seeded, split
from tests.unit.console.live import Live, call, live_server


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_server(tmp_path_factory.mktemp("audit")) as live:
        live.call("rollout", "start", "email", "--to", "new", "--reason", "cheaper")
        live.call("task", "split", "chat", "old=90", "other=10")
        live.call("rollback", "email", "--reason", "ada saw harm")
        yield live


def test_every_entry_says_who_why_and_what_moved(live: Live) -> None:
    result = live.call("audit", "ls")
    assert result.exit_code == 0, result.output
    for said in ("cheaper", "ada saw harm", "rollout started", "the log ends at"):
        assert said in result.stdout
    entries = json.loads(live.call("audit", "ls", "-o", "json").stdout)["entries"]
    assert [entry["what"] for entry in entries] == ["seeded", "rollout_started", "split_set", "rollout_moved"]
    moved = {place["path"]: (place["before"], place["after"]) for place in entries[-1]["moved"]}
    assert moved["rollouts.email-1.progress.permille"][1] == 0
    assert moved["rollouts.email-1.progress.phase"][0] == "running"


def test_a_change_is_a_line_and_the_places_are_shown_on_demand(live: Live) -> None:
    lines = live.call("audit", "ls").stdout.splitlines()
    assert len(lines) == 2 + 4 + 1
    assert "rolling back, weight 10 % → 0 %" in lines[5]
    assert not any("progress" in line for line in lines)
    assert "  rollouts.email-1.progress.permille: 100 → 0" in live.call("audit", "ls", "--detail").stdout.splitlines()


def test_a_task_that_never_was_is_refused_with_those_there_are(live: Live) -> None:
    result = live.call("audit", "ls", "--task", "nosuch")
    assert result.exit_code != 0
    assert "nosuch" in result.stderr
    assert "chat" in result.stderr


def test_entries_are_chosen_by_task_actor_time_and_number(live: Live) -> None:
    def revisions(*flags: str) -> list[int]:
        return [entry["revision"] for entry in json.loads(live.call("audit", "ls", "-o", "json", *flags).stdout)["entries"]]

    assert revisions("--task", "chat") == [3]
    assert revisions("--actor", "serve") == [1]
    assert revisions("--limit", "2") == [3, 4]
    assert revisions("--since", "2100-01-01..") == []
    assert revisions("--since", "1d") == [1, 2, 3, 4]
    assert "no entries" in live.call("audit", "ls", "--actor", "nobody").stdout


def test_a_whole_log_is_verified_by_the_server_and_from_an_export(live: Live, tmp_path: Path) -> None:
    verified = live.call("audit", "verify")
    assert verified.exit_code == 0, verified.output
    assert verified.stdout.startswith("✔ all 4 changes are as they were written; the log ends at 4:")
    exported = live.call("audit", "export", "-o", "jsonl")
    assert len(exported.stdout.splitlines()) == 5
    file = tmp_path / "audit.jsonl"
    file.write_text(exported.stdout)
    alone = call("audit", "verify", "--file", str(file), "-o", "json")
    assert alone.exit_code == 0, alone.output
    assert json.loads(alone.stdout)["checked"] == 4


def test_an_export_survives_another_program_and_not_a_change(live: Live, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in live.call("audit", "export").stdout.splitlines()]
    file = tmp_path / "audit.jsonl"
    file.write_text("\n".join(json.dumps(line, sort_keys=True, indent=None) for line in lines))
    assert call("audit", "verify", "--file", str(file)).exit_code == 0
    lines[3]["change"]["reason"] = "it was somebody else"
    file.write_text("\n".join(map(json.dumps, lines)))
    result = call("audit", "verify", "--file", str(file))
    assert result.exit_code == 3
    assert "✖ revision 4 was rewritten" in result.stdout
    assert "1 fault in the audit log" in result.stderr


def test_an_export_that_was_cut_off_is_no_whole_log(live: Live) -> None:
    text = live.call("audit", "export").stdout
    cut = call("audit", "verify", "--file", "-", stdin="\n".join(text.splitlines()[:3]))
    assert cut.exit_code == 3
    assert "the file was cut off" in cut.stderr
    assert "line 1 cannot be read" in call("audit", "verify", "--file", "-", stdin="{").stderr


def test_an_anchor_that_was_kept_is_compared(live: Live) -> None:
    head = json.loads(live.call("audit", "verify", "-o", "json").stdout)["head"]
    assert live.call("audit", "verify", "--anchor", f"{head['revision']}:{head['hash']}").exit_code == 0
    wrong = live.call("audit", "verify", "--anchor", f"2:{head['hash']}")
    assert wrong.exit_code == 3
    assert "✖ revision 2 has hash" in wrong.stdout
    assert live.call("audit", "verify", "--anchor", "2").exit_code == 2


@pytest.fixture
def state(tmp_path: Path) -> Path:
    store = open_store(tmp_path / "changeover.db")
    store.commit(proposing(seeded()), at=1.0)
    for permille in (100, 200, 300):
        store.commit(proposing(split(permille)), at=2.0)
    store.close()
    return tmp_path


def tamper(state: Path, *statements: str) -> None:
    """What somebody with the file can do: the triggers are dropped first."""
    connection = sqlite3.connect(state / "changeover.db")
    for trigger in ("update", "delete"):
        connection.execute(f"DROP TRIGGER changes_refuse_{trigger}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("statements", "fault"),
    [
        (["UPDATE changes SET body = replace(body, 'because', 'by accident') WHERE revision = 2"], "revision 2 was rewritten"),
        (["UPDATE changes SET actor = 'nobody' WHERE revision = 3"], "revision 3 was rewritten: its row says actor 'nobody'"),
        (["DELETE FROM changes WHERE revision = 4"], "the log ends at revision 3"),
        (["DELETE FROM changes WHERE revision = 2"], "revision 2 is missing"),
        (
            [
                "UPDATE changes SET revision = 99 WHERE revision = 2",
                "UPDATE changes SET revision = 2 WHERE revision = 3",
                "UPDATE changes SET revision = 3 WHERE revision = 99",
            ],
            "revision 2 was rewritten",
        ),
    ],
    ids=["a changed reason", "a changed actor", "the tail is gone", "one is gone", "two are swapped"],
)
def test_what_was_done_to_a_file_is_found_without_a_server(state: Path, statements: list[str], fault: str) -> None:
    whole = call("audit", "verify", "--state-dir", str(state))
    assert whole.exit_code == 0, whole.output
    tamper(state, *statements)
    result = call("audit", "verify", "--state-dir", str(state))
    assert result.exit_code == 3
    assert f"✖ {fault}" in result.stdout


def test_a_store_is_looked_at_while_a_server_has_it_open(state: Path) -> None:
    store = open_store(state / "changeover.db")
    try:
        store.commit(proposing(split(500)), at=3.0)
        assert "all 5 changes" in call("audit", "verify", "--state-dir", str(state)).stdout
        assert store.world().tasks[TASK].split == split(500).split
    finally:
        store.close()


def test_a_directory_without_a_store_is_said(tmp_path: Path) -> None:
    result = call("audit", "verify", "--state-dir", str(tmp_path))
    assert result.exit_code == 1
    assert "found no store at" in result.stderr
