"""The store in PostgreSQL where it differs from the others: several at work, a server that goes away, and what is never said."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from changeover.adapters.sql import SqlStore, migration, open_database, schema
from changeover.adapters.sql.database_url import database_url, shown
from changeover.ports.store import StoreError
from changeover.rollout.world import Proposal, World
from tests.contract.store_samples import batch, ids, observation, proposing, seeded, split
from tests.postgres import Cluster, database_of

PASSWORD = "s3cret%2Fword"


@pytest.fixture(scope="module")
def filled(cluster: Cluster) -> str:
    """A database with a first change in it, to copy."""
    url = cluster.fresh()
    store = open_database(url)
    store.commit(proposing(seeded()), at=1.0)
    store.close()
    return database_of(url)


@pytest.fixture
def url(cluster: Cluster, filled: str) -> str:
    return cluster.fresh(template=filled)


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    store = open_database(url)
    yield store
    store.close()


def tell(store: SqlStore, statement: str) -> object:
    """Say something to the store's own session, outside its transactions."""
    driver = store._session._connection.connection.driver_connection
    assert driver is not None
    cursor = driver.execute(statement)
    return cursor.fetchone() if cursor.description else None


def test_the_migrations_make_exactly_the_tables_that_the_code_uses(url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = sa.create_engine(database_url(url), use_native_hstore=False)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
    engine.dispose()


@pytest.mark.parametrize("statement", ["UPDATE changes SET actor = 'nobody'", "DELETE FROM changes", "TRUNCATE changes CASCADE"])
def test_the_log_of_changes_can_only_grow(cluster: Cluster, url: str, statement: str) -> None:
    import psycopg

    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
        cluster.sql(database_of(url), statement)


def test_a_decision_waits_for_the_one_before_it_and_sees_what_that_made(url: str, store: SqlStore) -> None:
    """Nothing comes between what is read and what is written: who is in the middle holds the row."""
    other = open_database(url)
    refused: list[str] = []

    def decide(world: World) -> Proposal:
        tell(other, "SET lock_timeout = 50")
        with pytest.raises(StoreError, match="another session held it for too long") as caught:
            other.commit(proposing(split(900)), at=2.0)
        refused.append(str(caught.value))
        return proposing(split(100))(world)

    assert store.commit(decide, at=2.0).revision == 2
    assert len(refused) == 1
    assert other.commit(proposing(split(200)), at=3.0).revision == 3
    other.close()


def test_a_rollback_does_not_wait_for_evidence_that_is_being_written(cluster: Cluster, url: str, store: SqlStore) -> None:
    import psycopg

    with psycopg.connect(cluster.url(database_of(url))) as writer:
        writer.execute("SELECT pg_advisory_xact_lock(%s)", [0x6368616E67656F76])
        tell(store, "SET lock_timeout = 50")
        with pytest.raises(StoreError, match="another session held it"):
            store.take(batch(1, observation(1)), at=1.0)
        assert store.commit(proposing(split(100)), at=2.0).revision == 2
    assert store.take(batch(1, observation(1)), at=3.0)


def test_a_connection_that_was_lost_is_made_again(cluster: Cluster, url: str, store: SqlStore) -> None:
    name = database_of(url)
    cluster.sql("postgres", f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    with pytest.raises(StoreError, match=r"cannot write postgresql://changeover@.*asked again"):
        store.commit(proposing(split(100)), at=2.0)
    assert store.commit(proposing(split(100)), at=2.0).revision == 2
    assert list(store.verify()) == []


def test_a_process_that_stands_still_in_a_transaction_does_not_hold_the_others_for_ever(store: SqlStore) -> None:
    assert tell(store, "SHOW idle_in_transaction_session_timeout") == ("4s",)
    assert tell(store, "SHOW lock_timeout") == ("8s",)


def test_an_older_schema_is_refused_until_somebody_upgrades_it(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    url = cluster.fresh()
    with monkeypatch.context() as earlier:
        earlier.setattr(migration, "REVISIONS", migration.REVISIONS[:3])
        open_database(url).close()
    with pytest.raises(StoreError, match=r"has schema 0003, this version of changeover needs \d{4}.*changeover db upgrade"):
        open_database(url)


def test_a_newer_schema_is_refused_and_one_that_moves_meanwhile_too(cluster: Cluster, url: str, store: SqlStore) -> None:
    cluster.sql(database_of(url), "UPDATE alembic_version SET version_num = '9042'")
    with pytest.raises(StoreError, match=r"was moved to schema 9042 while this control plane runs"):
        store.commit(proposing(split(100)), at=2.0)
    with pytest.raises(StoreError, match=r"has schema 9042.*written by a newer version"):
        open_database(url)


def test_tables_of_something_else_are_left_alone(cluster: Cluster) -> None:
    url = cluster.fresh()
    cluster.sql(database_of(url), "CREATE TABLE albums (title text)")
    with pytest.raises(StoreError, match=r"holds tables of something else \(albums\)"):
        open_database(url)


def test_a_database_that_may_not_be_written_is_said_and_can_be_read(cluster: Cluster, url: str, store: SqlStore) -> None:
    tell(store, "SET default_transaction_read_only = on")
    with pytest.raises(StoreError, match="read-only transaction: it may not be written"):
        store.commit(proposing(split(100)), at=2.0)
    assert store.world().revision == 1


def test_the_order_is_that_of_bytes_whatever_the_database_speaks(store: SqlStore) -> None:
    names = ["Zebra", "apple", "Äpfel", "_x"]
    store.take(batch(1, *(observation(1, request_id=name) for name in names)), at=1.0)
    assert ids(store) == sorted(names)


@pytest.mark.parametrize(
    "text",
    [
        "mysql://u:s3cret@h/d",
        "postgresql://u:s3cret@h",
        "postgresql://u:s3/cret@h/d",
        "postgresql://u:p@s3cret@h:x/d",
        "postgresql://u@h/d?password=s3cret",
        "s3cret",
    ],
)
def test_a_url_that_cannot_be_used_is_not_repeated(text: str) -> None:
    with pytest.raises(StoreError) as caught:
        open_database(text)
    assert "s3cret" not in str(caught.value)
    assert "cret" not in str(caught.value)


def test_a_password_is_in_no_error_and_in_no_name(tmp_path: Path) -> None:
    text = f"postgresql://ada:{PASSWORD}@/ledger?host={tmp_path}"
    assert shown(database_url(text)) == f"postgresql://ada@{tmp_path}/ledger"
    with pytest.raises(StoreError, match=r"cannot open postgresql://ada@.*it cannot be reached; check that it runs") as caught:
        open_database(text)
    seen = f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert "s3cret" not in seen


def test_a_wrong_password_is_said_without_it(cluster: Cluster) -> None:
    with pytest.raises(StoreError, match=r"does not exist: this user may not come in so") as caught:
        open_database(f"postgresql://nobody-here:{PASSWORD}@/postgres?host={cluster.socket}")
    assert "s3cret" not in str(caught.value)
