"""A server says at once why it cannot start, and keeps its state to itself."""

import stat
from pathlib import Path

import pytest

from changeover.adapters.memory import MemoryStore, SeededDice
from changeover.bootstrap.server import ServeError, read_settings, serve
from changeover.bootstrap.state_dir import StateDir, StateDirError
from changeover.ports.serving import ServeOptions, ServerRecord
from changeover.rollout.commands import seed
from changeover.rollout.world import TaskState, World
from changeover.settings.declared import SettingsError
from changeover.settings.differences import differences
from changeover.settings.file import parse

FILE = """
version: 1
accounts: {local: {kind: openai-compatible, endpoint: "http://127.0.0.1:9/v1"}}
deployments: {a: {model: m, version: "1"}, b: {model: m, version: "2"}}
tasks: {mail: {stable: a}}
"""
RECORD = ServerRecord(pid=1, gateway="http://127.0.0.1:1", control="http://127.0.0.1:2", socket="s", started_at=0.0)


def options(folder: Path, *, host: str = "127.0.0.1") -> ServeOptions:
    return ServeOptions(config=folder / "changeover.yaml", state=folder / "state", host=host, port=0, control_port=0)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "gateway.example"])
def test_a_public_address_is_refused_while_callers_have_no_keys(tmp_path: Path, host: str) -> None:
    with pytest.raises(ServeError, match="expected a loopback address"):
        serve(options(tmp_path, host=host), ready=lambda _: None)
    assert not (tmp_path / "state").exists()


def test_a_missing_file_is_one_fault_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="changeover init"):
        read_settings(tmp_path / "changeover.yaml")


def test_a_file_that_is_no_text_is_one_fault(tmp_path: Path) -> None:
    (tmp_path / "changeover.yaml").write_bytes(b"version: \xff")
    with pytest.raises(SettingsError, match="UTF-8"):
        read_settings(tmp_path / "changeover.yaml")


def test_a_state_directory_that_cannot_be_made_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateDirError, match="--state"):
        StateDir(tmp_path / "file" / "state")


def test_the_state_is_for_its_user_only(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "state")
    token = state.token(SeededDice(1))
    state.announce(RECORD)
    assert stat.S_IMODE(state.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(state.token_file.stat().st_mode) == 0o600
    assert stat.S_IMODE((state.path / "server.json").stat().st_mode) == 0o600
    assert state.token(SeededDice(2)) == token, "a second start keeps the first one's token"


def test_a_server_that_is_gone_is_not_announced(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "state")
    state.announce(RECORD)
    state.withdraw()
    assert not (state.path / "server.json").exists()


def test_a_path_too_long_for_a_socket_gets_a_private_one_that_goes_with_the_server(tmp_path: Path) -> None:
    state = StateDir(tmp_path / ("long" * 20) / ("longer" * 10))
    path = state.socket()
    assert len(str(path)) <= 100
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    state.withdraw()
    assert not path.parent.exists()


def stored_world() -> World:
    declared = parse(FILE)
    store = MemoryStore()
    store.commit(
        lambda world: seed(
            world,
            accounts=declared.accounts.values(),
            deployments=declared.deployments.values(),
            tasks=[TaskState(name="mail", stable="a")],
            actor="test",
            reason="",
        ),
        at=0.0,
    )
    return store.world()


def test_the_same_file_differs_in_nothing() -> None:
    assert differences(stored_world(), parse(FILE)) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("stable: a", "stable: b", "task mail: the file's stable is b, the store's is a"),
        ('version: "2"', 'version: "3"', "deployment b is declared otherwise than stored"),
        ("127.0.0.1:9", "127.0.0.1:10", "account local is declared otherwise than stored"),
        ("b: {model", "c: {model", "deployment c is in the file only"),
        ("b: {model", "c: {model", "deployment b is in the store only"),
        ("{stable: a}", "{stable: a, sticky_by: [user]}", "task mail: sticky_by or failover is declared otherwise than stored"),
    ],
)
def test_every_difference_between_file_and_store_is_named(old: str, new: str, words: str) -> None:
    assert words in differences(stored_world(), parse(FILE.replace(old, new)))
