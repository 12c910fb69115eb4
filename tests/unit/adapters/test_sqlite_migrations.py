"""A store of an earlier release is moved up when it is opened, with everything in it."""

import sqlite3
from pathlib import Path

import pytest

from changeover.adapters.memory import MemoryStore
from changeover.adapters.sql import migration, open_store
from changeover.adapters.sql.session import as_text
from changeover.ports.planes import TaskShape
from changeover.rollout.audit_chain import chain_faults
from changeover.rollout.world import World, apply, routing_table
from changeover.traffic.table import RoutingTable
from changeover.wire.sent_shape import SentShape, SentValue, ValueKind
from changeover.wire.surface import Surface
from tests.contract.store_samples import proposing, seeded, split

SHAPE = SentShape(surface=Surface.CHAT, values={"n": (SentValue(kind=ValueKind.NUMBER, value=2),)})


def test_a_store_of_the_first_schema_keeps_what_it_holds_and_gets_its_new_shelves(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = written_by_the_first_version(path, monkeypatch, changes=3)
    store = open_store(path)
    store.keep_shapes([TaskShape(task="mail", shape=SHAPE)], at=2.0)
    assert (store.world(), list(store.shapes("mail")), list(store.verify())) == (world, [SHAPE], [])
    store.close()


def test_what_was_written_before_there_was_a_chain_is_tied_in_its_order(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written_by_the_first_version(path, monkeypatch, changes=3)
    store = open_store(path)
    assert [link.revision for link in store.links()] == [1, 2, 3]
    assert store.head().revision == 3
    store.commit(proposing(split(400)), at=9.0)
    assert list(chain_faults(store.links(), head=store.head())) == []
    store.close()


def test_the_log_is_guarded_again_after_it_was_tied(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written_by_the_first_version(path, monkeypatch, changes=2)
    open_store(path).close()
    connection = sqlite3.connect(path)
    for statement in ("UPDATE changes SET hash = ''", "DELETE FROM changes"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    connection.close()


def written_by_the_first_version(path: Path, monkeypatch: pytest.MonkeyPatch, *, changes: int) -> World:
    """A file of schema 0001 with so many changes in it, and the world that they make."""
    with monkeypatch.context() as earlier:
        earlier.setattr(migration, "REVISIONS", migration.REVISIONS[:1])
        open_store(path).close()
    twin = MemoryStore()
    twin.commit(proposing(seeded()), at=1.0)
    for number in range(1, changes):
        twin.commit(proposing(split(100 * number)), at=1.0 + number)
    connection = sqlite3.connect(path)
    for link in twin.links():
        connection.execute("INSERT INTO changes VALUES (?, ?, ?, ?)", (link.revision, link.at, link.actor, bytes(link.change).decode()))
    tables = routing_tables(twin)
    connection.executemany("INSERT INTO routing_tables VALUES (?, ?)", [(each.revision, as_text(each)) for each in tables])
    connection.execute("UPDATE world SET revision = ?, body = ?", (changes, as_text(twin.world())))
    connection.commit()
    connection.close()
    return twin.world()


def routing_tables(store: MemoryStore) -> list[RoutingTable]:
    world, tables = World(), list[RoutingTable]()
    for change in store.changes():
        world = apply(world, change)
        if world.table_revision == change.revision:
            tables.append(routing_table(world))
    return tables


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "changeover.db"
