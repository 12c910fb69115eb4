"""Opening the store on disk: for this user only, by one process, of the right schema, or not at all."""

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from changeover.adapters.sql import migration, open_store, schema
from changeover.ports.store import StoreError
from changeover.rollout.world import World
from tests.contract.store_samples import proposing, seeded


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "changeover.db"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def execute(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_store_and_all_its_files_are_for_this_user_only(path: Path) -> None:
    before = os.umask(0)
    try:
        store = open_store(path)
        store.commit(proposing(seeded()), at=1.0)
        files = {file.name: mode(file) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    store.close()
    assert mode(path.parent) == 0o700
    assert files == dict.fromkeys(["changeover.db", "changeover.db-wal", "changeover.db-shm", "changeover.db.lock"], 0o600)


def test_a_store_that_others_could_read_is_closed_to_them(path: Path) -> None:
    open_store(path).close()
    path.chmod(0o644)
    open_store(path).close()
    assert mode(path) == 0o600


def test_a_second_server_is_refused_and_told_who_holds_the_store(path: Path) -> None:
    store = open_store(path)
    with pytest.raises(StoreError, match=rf"changeover\.db is in use by the process with pid {os.getpid()}; one server writes a store"):
        open_store(path)
    store.close()
    open_store(path).close()


def test_closing_twice_gives_the_lock_back_once(path: Path) -> None:
    store = open_store(path)
    store.close()
    holder = open_store(path)
    store.close()
    with pytest.raises(StoreError, match="in use"):
        open_store(path)
    holder.close()


def test_what_was_committed_is_there_after_closing_and_opening(path: Path) -> None:
    store = open_store(path)
    store.commit(proposing(seeded()), at=1.0)
    world = store.world()
    store.close()
    again = open_store(path)
    assert again.world() == world != World()
    again.close()


def test_a_newer_schema_is_refused_with_what_was_found_and_what_to_do(path: Path) -> None:
    open_store(path).close()
    execute(path, "UPDATE alembic_version SET version_num = '9042'")
    for _ in range(2):  # the refusal gives the lock back
        with pytest.raises(StoreError, match=r"has schema 9042, this version of changeover knows 0001 to \d{4}.*newer version.*backup"):
            open_store(path)


def test_a_database_of_something_else_is_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    execute(path, "CREATE TABLE albums (title TEXT)")
    with pytest.raises(StoreError, match=r"holds tables of something else \(albums\)"):
        open_store(path)
    tables = sqlite3.connect(path).execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("albums",)]


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"dear diary, " * 500)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"cannot open .*changeover\.db: file is not a database.*restore a backup"):
            open_store(path)
    assert path.read_bytes() == b"dear diary, " * 500


def test_a_directory_that_cannot_be_is_refused(path: Path) -> None:
    path.parent.write_text("a file where the directory should be")
    with pytest.raises(StoreError, match=r"cannot open .*: (Not a directory|File exists); expected a file that this user may write"):
        open_store(path)
    directory = path.parent.parent / "directory.db"
    directory.mkdir()
    with pytest.raises(StoreError, match="Is a directory"):
        open_store(directory)


def test_an_upgrade_that_breaks_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade = migration._upgrade

    def upgrade_and_break(connection: sa.Connection) -> None:
        upgrade(connection)
        raise InterruptedError("the power went")

    monkeypatch.setattr(migration, "_upgrade", upgrade_and_break)
    with pytest.raises(InterruptedError):
        open_store(path)
    assert sqlite3.connect(path).execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    monkeypatch.undo()
    store = open_store(path)
    assert store.world() == World()
    store.close()


def test_the_migrations_make_exactly_the_tables_that_the_code_uses(path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    open_store(path).close()
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
        made = sa.inspect(connection)
        for table in schema.metadata.tables.values():
            keys = {tuple(key["constrained_columns"]) for key in made.get_foreign_keys(table.name)}
            assert keys == {tuple(constraint.column_keys) for constraint in table.foreign_key_constraints}
            assert made.get_pk_constraint(table.name)["constrained_columns"] == [column.name for column in table.primary_key]
    engine.dispose()


def test_the_known_revisions_are_the_migrations_in_their_order() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "changeover.adapters.sql:migrations")
    found = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(found)) == migration.REVISIONS


def test_alembic_is_not_imported_to_open_a_store_that_needs_no_migration(path: Path) -> None:
    open_store(path).close()
    program = (
        "import sys; from pathlib import Path; from changeover.adapters.sql import open_store\n"
        "open_store(Path(sys.argv[1])).close(); print('alembic' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"
