"""A disk that is full, may not be written or is damaged: nothing advances, nothing is lost, and a rollback still counts where it can."""

import asyncio
import resource
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from changeover.adapters.sql import SqlStore, open_database, open_store
from changeover.ports.store import Store, StoreError
from changeover.rollout.commands import roll_back
from changeover.rollout.state import Phase
from tests.integration.controller.stage import TASK, Stage
from tests.postgres import Cluster

EVIDENCE = ("enrolments", "summaries", "scores", "observations", "request_shapes", "response_issuers", "boots", "planes")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "changeover.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    store = open_store(path)
    yield store
    store.close()


def driver(store: SqlStore) -> sqlite3.Connection:
    connection = store._session._connection.connection.driver_connection
    assert isinstance(connection, sqlite3.Connection)
    return connection


@contextmanager
def full_disk(store: SqlStore, path: Path) -> Generator[None]:
    """No file may grow beyond what it is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.with_name(f"{path.name}-wal").stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def read_only(store: SqlStore, path: Path) -> Generator[None]:
    driver(store).execute("PRAGMA query_only=ON")
    try:
        yield
    finally:
        driver(store).execute("PRAGMA query_only=OFF")


@contextmanager
def held_by_another(store: SqlStore, path: Path) -> Generator[None]:
    driver(store).execute("PRAGMA busy_timeout=1")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


@pytest.mark.parametrize(
    ("fault", "said"),
    [(full_disk, r"make room|disk failed"), (read_only, "may not be written"), (held_by_another, "another program held it")],
    ids=["a full disk", "a read-only store", "a locked store"],
)
def test_a_store_that_cannot_be_written_advances_nothing_and_goes_on_afterwards(
    store: SqlStore, path: Path, fault: object, said: str
) -> None:
    async def night() -> None:
        stage = Stage(store)
        stage.begin()
        before, changes = store.world(), len(store.changes())
        stage.acknowledge()
        with fault(store, path):  # pyright: ignore[reportCallIssue]
            for _ in range(3):
                with pytest.raises(StoreError, match=said):
                    await stage.controller.tick()
            assert store.world() == before
        assert len(store.changes()) == changes
        assert list(store.verify()) == []
        await stage.controller.tick()
        assert stage.rollout.progress.step == 1

    asyncio.run(night())


def test_a_controller_outlives_a_store_that_fails(store: SqlStore, path: Path) -> None:
    """Its loop says what is wrong, does nothing, and asks again."""

    async def night() -> None:
        stage = Stage(store)
        stage.begin()
        stage.acknowledge()
        stop = asyncio.Event()
        with read_only(store, path):
            running = asyncio.create_task(stage.controller.run(stop))
            for _ in range(20):
                await stage.office.read(lambda store: store.world())
            assert not running.done()
        assert stage.rollout.progress.step == 0
        stop.set()
        await running

    asyncio.run(night())


def test_a_rollback_counts_although_every_table_of_evidence_is_gone(store: SqlStore) -> None:
    stage = Stage(store)
    stage.begin()
    assert stage.permille == 100
    driver(store).execute("PRAGMA foreign_keys=OFF")
    for table in EVIDENCE:
        driver(store).execute(f"DROP TABLE {table}")
    with pytest.raises(StoreError):
        asyncio.run(stage.controller.tick())
    change = store.commit(
        lambda world: roll_back(world, task=TASK, actor="ada", reason="harm", now=stage.clock.now()), at=stage.clock.now()
    )
    assert stage.permille == 0
    assert store.world().revision == change.revision
    assert stage.rollout.progress.phase is not Phase.RUNNING


def test_a_rollback_touches_the_ledger_alone(store: SqlStore) -> None:
    stage = Stage(store)
    stage.begin()
    said: list[str] = []
    driver(store).set_trace_callback(said.append)
    store.commit(lambda world: roll_back(world, task=TASK, actor="ada", reason="harm", now=stage.clock.now()), at=stage.clock.now())
    driver(store).set_trace_callback(None)
    touched = {table for line in said for table in (*EVIDENCE, "world", "changes", "routing_tables", "outbox") if f" {table}" in line}
    assert touched == {"world", "changes", "routing_tables", "outbox"}


def test_a_last_page_that_is_damaged_is_said_and_nothing_advances_on_it(path: Path) -> None:
    async def night() -> None:
        store = open_store(path)
        stage = Stage(store)
        stage.begin()
        await stage.serve()
        await stage.serve()
        step, changes = stage.rollout.progress.step, len(store.changes())
        await stage.office.close()
        with path.open("r+b") as file:
            file.seek(-4096, 2)
            file.write(b"\x7f" * 4096)
        again = open_store(path)
        stage.store = again
        stage.restart()
        faults = _faults(again)
        assert any("malformed" in fault or "page" in fault.lower() or "Tree" in fault for fault in faults), faults
        said: list[str] = []
        for _ in range(5):
            try:
                await stage.controller.tick()
            except StoreError as error:
                said.append(str(error))
        assert all("the file is damaged" in each or "changed by something else" in each for each in said)
        assert not said or (stage.rollout.progress.step, len(again.changes())) == (step, changes)
        await stage.office.close()

    asyncio.run(night())


def _faults(store: Store) -> list[str]:
    try:
        return list(store.verify())
    except StoreError as error:
        return [str(error)]


def test_harm_is_found_and_rolled_back_on_postgresql(cluster: Cluster) -> None:
    async def night() -> None:
        stage = Stage(open_database(cluster.fresh()))
        stage.begin()
        for _ in range(80):
            await stage.serve(errors=(0.0, 0.5))
            if stage.rollout.progress.phase.is_final:
                break
        assert stage.rollout.progress.phase.is_final
        assert stage.permille == 0
        assert list(stage.store.verify()) == []
        await stage.office.close()

    asyncio.run(night())
