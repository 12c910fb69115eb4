"""The store on disk where it differs from the one in memory: damage, disks that are full, and what reaches the disk."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.adapters.sql import SqlStore, open_store
from changeover.evidence.score import Score
from changeover.ports.store import StoreError
from changeover.rollout.world import Proposal, World
from tests.contract.store_samples import PUBLISH, TASK, batch, ids, observation, proposing, seeded, split


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = open_store(tmp_path / "changeover.db")
    store.commit(proposing(seeded()), at=1.0)
    yield store
    store.close()


def driver(store: SqlStore) -> sqlite3.Connection:
    connection = store._session._connection.connection.driver_connection
    assert isinstance(connection, sqlite3.Connection)
    return connection


def statements(store: SqlStore) -> list[str]:
    """What the database is told from now on."""
    said: list[str] = []
    driver(store).set_trace_callback(said.append)
    return said


def modes(said: list[str]) -> list[tuple[str, str]]:
    """For every transaction in ``said``: how it syncs and how it begins."""
    return [(said[index - 1], line) for index, line in enumerate(said) if line.startswith("BEGIN")]


DURABLE = ("PRAGMA synchronous=FULL", "BEGIN IMMEDIATE")
WRITE = ("PRAGMA synchronous=NORMAL", "BEGIN IMMEDIATE")
READ = ("PRAGMA synchronous=NORMAL", "BEGIN")


def test_a_change_is_on_disk_when_its_commit_returns(store: SqlStore) -> None:
    said = statements(store)
    store.commit(proposing(split(100)), at=2.0)
    assert modes(said) == [DURABLE]


def test_a_score_is_on_disk_when_its_sender_is_told(store: SqlStore) -> None:
    said = statements(store)
    store.add_scores([Score(request_id="r", name="n", value=1.0)])
    assert modes(said) == [DURABLE]


def test_observations_are_synced_once_a_second_even_when_the_clock_is_set_back(store: SqlStore) -> None:
    said = statements(store)
    for sequence, at in enumerate([10.0, 10.5, 10.9, 11.0, 11.5, 3.0, 3.5], start=1):
        store.take(batch(sequence), at=at)
    assert modes(said) == [DURABLE, WRITE, WRITE, DURABLE, WRITE, DURABLE, WRITE]


def test_reading_takes_no_write_lock(store: SqlStore) -> None:
    said = statements(store)
    store.world()
    store.owed(1)
    ids(store)
    assert modes(said) == [READ, READ, READ]


def test_a_reader_sees_the_last_commit_while_a_decision_is_being_made(store: SqlStore, tmp_path: Path) -> None:
    reader = open_store(tmp_path / "changeover.db", lock=False)
    seen: list[int] = []

    def decide(world: World) -> Proposal:
        seen.append(reader.world().revision)
        return proposing(split(100))(world)

    store.commit(decide, at=2.0)
    seen.append(reader.world().revision)
    reader.close()
    assert seen == [1, 2]


@pytest.mark.parametrize("statement", ["UPDATE changes SET actor = 'nobody'", "DELETE FROM changes"])
def test_the_log_of_changes_can_only_grow(store: SqlStore, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        driver(store).execute(statement)
    assert store.changes()[0].actor == "somebody"


def test_a_full_disk_is_said_and_nothing_is_half_written(store: SqlStore) -> None:
    (pages,) = driver(store).execute("PRAGMA page_count").fetchone()
    driver(store).execute(f"PRAGMA max_page_count={pages}")
    before = store.world()
    long = "x" * 100_000
    with pytest.raises(StoreError, match=r"cannot write .*changeover\.db: database or disk is full: .*make room"):
        store.commit(lambda _world: Proposal(actor="a", reason=long, body=split(100), commands=(PUBLISH,)), at=2.0)
    with pytest.raises(StoreError, match="disk is full"):
        store.take(batch(1, *(observation(number, error=long) for number in range(3))), at=2.0)
    assert store.world() == before
    assert list(store.owed(10)) == []
    assert ids(store) == []
    driver(store).execute("PRAGMA max_page_count=100000")
    assert store.commit(proposing(split(100)), at=3.0).revision == 2
    assert store.take(batch(1, observation(1)), at=3.0)
    assert list(store.verify()) == []


def test_a_store_that_may_not_be_written_is_said_and_can_be_read(store: SqlStore) -> None:
    driver(store).execute("PRAGMA query_only=ON")
    with pytest.raises(StoreError, match=r"cannot write .*readonly database: it may not be written; check the owner and mode"):
        store.commit(proposing(split(100)), at=2.0)
    assert store.world().revision == 1


def test_a_store_that_another_program_holds_is_said(store: SqlStore, tmp_path: Path) -> None:
    driver(store).execute("PRAGMA busy_timeout=1")
    other = sqlite3.connect(tmp_path / "changeover.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="database is locked: another program held it"):
        store.commit(proposing(split(100)), at=2.0)
    other.close()
    assert store.commit(proposing(split(100)), at=2.0).revision == 2


@pytest.mark.parametrize(
    ("statement", "read", "what"),
    [
        ("UPDATE world SET revision = 7, body = '{'", "world", "the world"),
        ("INSERT INTO changes VALUES (2, 1.0, 'a', '[]', '')", "changes", "change 2"),
        ("INSERT INTO outbox VALUES (5, 1, '{}')", "owed", "command 5"),
        ("UPDATE boots SET body = 'x'", "planes", "data plane local-0"),
        ("UPDATE observations SET body = 'x'", "rows", "an observation of task email-summarisation, attempt 1,"),
    ],
)
def test_a_value_that_cannot_be_read_is_named(store: SqlStore, statement: str, read: str, what: str) -> None:
    store.take(batch(1, observation(1)), at=1.0)
    driver(store).execute(statement)
    reads = {
        "world": store.world,
        "changes": store.changes,
        "owed": lambda: store.owed(10),
        "planes": store.planes,
        "rows": lambda: ids(store),
    }
    with pytest.raises(StoreError, match=rf"cannot read {what} in .*changeover\.db"):
        reads[read]()


def test_pages_that_are_damaged_are_found(store: SqlStore, tmp_path: Path) -> None:
    for number in range(1, 5):
        store.take(batch(number, *(observation(100 * number + index) for index in range(100))), at=1.0)
    store.close()
    path = tmp_path / "changeover.db"
    (root,) = sqlite3.connect(path).execute("SELECT rootpage FROM sqlite_master WHERE name = 'observations'").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\x7f" * 4096)
    damaged = open_store(path)
    with pytest.raises(StoreError, match="malformed: the file is damaged"):
        ids(damaged)
    with pytest.raises(StoreError, match="malformed: the file is damaged"):
        damaged.take(batch(9, observation(901)), at=1.0)
    assert damaged.world().revision == 1
    assert any("observations" in fault or "page" in fault.lower() for fault in damaged.verify())
    damaged.close()


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE world SET body = '{\"revision\":1}'", "the stored world is not what its changes make up to revision 1"),
        ("UPDATE routing_tables SET body = replace(body, 'gpt4o', 'gpt5o')", "the stored routing table 1 is not what the changes make"),
        ("DELETE FROM routing_tables", "the stored routing table 1 is not what the changes make"),
        ("INSERT INTO outbox VALUES (5, 77, '{}')", "table outbox row 5 points to a missing row of changes"),
    ],
)
def test_verify_names_what_disagrees_with_the_changes(store: SqlStore, statement: str, fault: str) -> None:
    assert list(store.verify()) == []
    driver(store).execute("PRAGMA foreign_keys=OFF")
    driver(store).execute(statement)
    assert list(store.verify()) == [fault]


def test_a_table_is_kept_for_every_revision_that_moved_it_and_no_other(store: SqlStore) -> None:
    store.commit(proposing(split(100)), at=2.0)
    store.commit(proposing(split(100)), at=3.0)
    store.commit(proposing(split(200)), at=4.0)
    assert driver(store).execute("SELECT revision FROM routing_tables ORDER BY revision").fetchall() == [(1,), (2,), (4,)]


def test_a_window_of_an_attempt_is_found_by_index(store: SqlStore) -> None:
    said = statements(store)
    store.rows(task=TASK, attempt=1, since=0.0, until=1e9, score="rouge-l")
    query = next(line for line in said if line.startswith("SELECT"))
    plan = " ".join(str(row[3]) for row in driver(store).execute(f"EXPLAIN QUERY PLAN {query}"))
    assert "observations_by_attempt (task=? AND attempt=? AND started_at>? AND started_at<?)" in plan
    assert "SCAN" not in plan
