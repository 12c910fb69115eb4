"""``changeover db``: a store that is moved up, kept, brought back and proven whole, in a file and in PostgreSQL."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

import pytest

from changeover.adapters.sql import migration, open_database, open_store
from changeover.evidence.score import Score
from changeover.ports.lease import CONTROLLER
from changeover.ports.store import Store
from tests.contract.store_samples import PUBLISH, TASK, batch, observation, proposing, seeded, split
from tests.postgres import Cluster, database_of
from tests.unit.console.live import call

PAGE: Final = 4096
"""SQLite's page, in bytes."""


class Place:
    """A store somewhere, and the options that name it."""

    def __init__(self, state: Path, url: str | None) -> None:
        self.state = state
        self.url = url
        self.options = ["--state", str(state), *(["--database", url] if url else [])]

    def open(self) -> Store:
        return open_store(self.state / "changeover.db") if self.url is None else open_database(self.url)


def fill(store: Store) -> None:
    store.commit(proposing(seeded(), PUBLISH, PUBLISH), at=1.0)
    store.commit(proposing(split(100), PUBLISH), at=2.0)
    store.done(store.owed(1)[0][0])
    store.take(batch(1, *map(observation, range(30))), at=3.0)
    store.add_scores([Score(request_id="req-0001", name="rating", value=0.5)])
    store.save_summary(rollout="r", stream="s", block=0, body=b"\x00\xff", units=["u"])
    store.take_lease(CONTROLLER, holder="one", seen=store.lease(CONTROLLER), expires_at=9.0)


def everything(store: Store) -> tuple[object, ...]:
    rows = store.rows(task=TASK, attempt=1, since=0.0, until=1e9, score="rating")
    return (
        store.world(),
        store.head(),
        [bytes(link.change) for link in store.links()],
        list(store.owed(100)),
        list(store.planes()),
        list(rows),
        list(store.summaries(rollout="r", stream="s")),
        store.enrolled(rollout="r", stream="s", units=["u", "v"]),
    )


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    url = request.getfixturevalue("cluster").fresh() if request.param == "postgres" else None
    return Place(tmp_path / "one", url)


@pytest.fixture(params=["sqlite", "postgres"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    url = request.getfixturevalue("cluster").fresh() if request.param == "postgres" else None
    return Place(tmp_path / "other", url)


@pytest.fixture
def filled(place: Place) -> Iterator[tuple[Place, tuple[object, ...]]]:
    store = place.open()
    fill(store)
    before = everything(store)
    yield place, before
    store.close()


def test_a_backup_is_made_beside_a_server_and_restored_into_either_database(
    filled: tuple[Place, tuple[object, ...]], other: Place, tmp_path: Path
) -> None:
    place, before = filled
    file = tmp_path / "backup.db"
    made = call("db", "backup", str(file), *place.options)
    assert made.exit_code == 0, made.output
    assert "2 changes, the log ends at 2:" in made.stdout
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir() if "backup" in each.name] == ["backup.db"]
    assert call("db", "verify", "--file", str(file)).exit_code == 0
    restored = call("db", "restore", str(file), *other.options)
    assert restored.exit_code == 0, restored.output
    store = other.open()
    try:
        assert everything(store) == before
        assert list(store.verify()) == []
        lease = store.lease(CONTROLLER)
        assert lease is not None
        assert lease.epoch >= 1
        (last, *_) = sorted((identity for identity, _ in store.owed(10)), reverse=True)
        assert store.commit(proposing(split(200), PUBLISH), at=5.0).revision == 3
        assert max(identity for identity, _ in store.owed(10)) > last
    finally:
        store.close()
    assert call("db", "verify", *other.options).exit_code == 0


def test_a_store_that_holds_something_is_replaced_only_when_told(place: Place, tmp_path: Path) -> None:
    store = place.open()
    fill(store)
    store.close()
    file = tmp_path / "backup.db"
    assert call("db", "backup", str(file), *place.options).exit_code == 0
    store = place.open()
    store.commit(proposing(split(900)), at=9.0)
    store.close()
    refused = call("db", "restore", str(file), *place.options)
    assert refused.exit_code == 1
    assert "is not empty; what is there would be replaced: say so with --yes" in refused.stderr
    assert call("db", "restore", str(file), *place.options, "--yes").exit_code == 0
    store = place.open()
    assert store.world().revision == 2
    store.close()
    if place.url is None:
        kept = open_store(place.state / "changeover.db.replaced-1", lock=False)
        assert kept.world().revision == 3
        kept.close()


def test_an_epoch_never_comes_twice_after_a_restore(cluster: Cluster, tmp_path: Path) -> None:
    place = Place(tmp_path / "one", cluster.fresh())
    store = place.open()
    fill(store)
    store.close()
    file = tmp_path / "backup.db"
    call("db", "backup", str(file), *place.options)
    store = place.open()
    for _ in range(5):
        store.take_lease(CONTROLLER, holder="x", seen=store.lease(CONTROLLER), expires_at=1.0)
    store.close()
    assert call("db", "restore", str(file), *place.options, "--yes").exit_code == 0
    store = place.open()
    lease = store.lease(CONTROLLER)
    assert lease is not None
    assert (lease.epoch, lease.holder) == (7, "")
    store.close()


def test_a_store_that_servers_have_open_is_not_replaced(filled: tuple[Place, tuple[object, ...]], tmp_path: Path) -> None:
    place, _ = filled
    file = tmp_path / "backup.db"
    call("db", "backup", str(file), *place.options)
    result = call("db", "restore", str(file), *place.options, "--yes")
    assert result.exit_code == 1
    assert "in use" in result.stderr


def test_a_backup_overwrites_nothing(filled: tuple[Place, tuple[object, ...]], tmp_path: Path) -> None:
    file = tmp_path / "backup.db"
    file.write_text("precious")
    result = call("db", "backup", str(file), *filled[0].options)
    assert result.exit_code == 1
    assert "is there already; a backup overwrites nothing" in result.stderr
    assert file.read_text() == "precious"


def test_a_backup_of_nothing_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    result = call("db", "backup", str(tmp_path / "backup.db"), "--state", str(tmp_path / "empty"))
    assert result.exit_code == 1
    assert "found no store at" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = Place(tmp_path / "state", None)
    store = place.open()
    fill(store)
    store.close()
    made = tmp_path / "backup.db"
    assert call("db", "backup", str(made), *place.options).exit_code == 0
    return made


def test_a_backup_whose_last_page_is_damaged_is_named_and_not_restored(file: Path, tmp_path: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(-4096, 2)
        opened.write(b"\x7f" * 4096)
    verified = call("db", "verify", "--file", str(file))
    assert verified.exit_code == 3
    assert "malformed" in verified.output or "page" in verified.output.lower()
    restored = call("db", "restore", str(file), "--state", str(tmp_path / "new"))
    assert restored.exit_code == 3
    assert not (tmp_path / "new" / "changeover.db").exists()


def test_random_bytes_in_any_page_are_found_and_named(file: Path, tmp_path: Path) -> None:
    whole = file.read_bytes()
    noise = Random(7)
    for page in range(len(whole) // PAGE):
        damaged = tmp_path / "damaged.db"
        damaged.write_bytes(whole[: page * PAGE] + noise.randbytes(PAGE) + whole[(page + 1) * PAGE :])
        result = call("db", "verify", "--file", str(damaged))
        assert result.exit_code == 3, (page, result.output)


@pytest.mark.parametrize("what", ["nothing", "a database without tables", "tables of others", "a text"])
def test_a_file_that_is_no_backup_is_not_taken_for_one(tmp_path: Path, what: str) -> None:
    place, found = Place(tmp_path / "state", None), tmp_path / "found.db"
    store = place.open()
    fill(store)
    store.close()
    found.write_text("dear diary\n" * 500 if what == "a text" else "")
    if "tables" in what:
        connection = sqlite3.connect(found)
        connection.execute("CREATE TABLE diary (day TEXT)")
        if what != "tables of others":
            connection.execute("DROP TABLE diary")
        connection.close()
    before = (tmp_path / "state" / "changeover.db").read_bytes()
    for command in (["verify", "--file", str(found)], ["restore", str(found), "--yes"]):
        result = call("db", *command, *place.options)
        assert result.exit_code == 3, result.output
        if what == "nothing":
            assert "found an empty file, expected a backup made by changeover db backup" in result.stderr
        if what == "a database without tables":
            assert f"found {what}, expected a backup" in result.stderr
    assert (tmp_path / "state" / "changeover.db").read_bytes() == before


@pytest.mark.parametrize(("table", "named"), [("observations", "observation of request req-"), ("scores", "score 1")])
def test_an_observation_or_a_score_that_cannot_be_read_is_named(file: Path, table: str, named: str) -> None:
    assert "observations and scores can all be read (no chain holds them)" in call("db", "verify", "--file", str(file)).stdout
    connection = sqlite3.connect(file)
    connection.execute(f"UPDATE {table} SET body = replace(body, 'request_id', 'request_ix')")
    connection.commit()
    connection.close()
    verified = call("db", "verify", "--file", str(file), "-o", "json")
    assert verified.exit_code == 3
    assert named in json.loads(verified.stdout)["faults"][0]


def test_a_backup_that_was_changed_is_not_restored(file: Path, tmp_path: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("DROP TRIGGER changes_refuse_update")
    connection.execute("UPDATE changes SET body = replace(body, 'because', 'by accident') WHERE revision = 1")
    connection.commit()
    connection.close()
    verified = call("db", "verify", "--file", str(file), "-o", "json")
    assert verified.exit_code == 3
    assert "revision 1 was rewritten" in json.loads(verified.stdout)["faults"][0]
    restored = call("db", "restore", str(file), "--state", str(tmp_path / "new"))
    assert "is not whole, nothing was restored: revision 1 was rewritten" in restored.stderr


def test_data_planes_beside_a_restored_store_forget_their_newer_table(file: Path, tmp_path: Path) -> None:
    table = tmp_path / "state" / "planes" / "local-0" / "table.json"
    table.parent.mkdir(parents=True)
    table.write_text("{}")
    result = call("db", "restore", str(file), "--state", str(tmp_path / "state"), "--yes", "-o", "json")
    assert json.loads(result.stdout)["forgotten"] == ["local-0"]
    assert not table.exists()


def test_an_upgrade_says_what_is_due_and_does_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(migration, "REVISIONS", migration.REVISIONS[:3])
        place.open().close()
    dry = call("db", "upgrade", "--dry-run", *place.options)
    assert dry.exit_code == 0, dry.output
    assert "would move from schema 0003 to " in dry.stdout
    assert "  0005  Who acts for all control planes of one store." in dry.stdout
    again = json.loads(call("db", "upgrade", *place.options, "-o", "json").stdout)
    assert (again["found"], again["done"]) == ("0003", True)
    assert "nothing to do: the schema is" in call("db", "upgrade", *place.options).stdout
    store = place.open()
    store.commit(proposing(seeded()), at=1.0)
    assert list(store.verify()) == []
    store.close()


def test_a_database_in_use_is_not_upgraded(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = cluster.fresh()
    with monkeypatch.context() as earlier:
        earlier.setattr(migration, "REVISIONS", migration.REVISIONS[:3])
        store = open_database(url)
    result = call("db", "upgrade", "--state", str(tmp_path), "--database", url)
    assert result.exit_code == 1
    assert "is in use: 1 connections of control planes; stop them all first" in result.stderr
    store.close()


def test_a_backup_of_an_older_schema_can_be_restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = Place(tmp_path / "old", None), Place(tmp_path / "new", None)
    with monkeypatch.context() as earlier:
        earlier.setattr(migration, "REVISIONS", migration.REVISIONS[:3])
        old.open().close()
    made = call("db", "backup", str(tmp_path / "backup.db"), *old.options)
    assert made.exit_code == 0, made.output
    assert call("db", "restore", str(tmp_path / "backup.db"), *new.options).exit_code == 0
    store = new.open()
    assert list(store.verify()) == []
    store.close()


def test_the_password_of_a_database_is_in_no_message(tmp_path: Path) -> None:
    url = f"postgresql://ada:s3cret@/ledger?host={tmp_path}"
    for command in (["verify"], ["upgrade"], ["backup", str(tmp_path / "b.db")]):
        result = call("db", *command, "--state", str(tmp_path), "--database", url)
        assert result.exit_code == 1
        assert "cannot open postgresql://ada@" in result.stderr
        assert "s3cret" not in result.output


def test_the_database_is_taken_from_the_environment(cluster: Cluster, tmp_path: Path) -> None:
    url = cluster.fresh()
    store = open_database(url)
    store.commit(proposing(seeded()), at=1.0)
    store.close()
    result = call("db", "verify", "--state", str(tmp_path), env={"CHANGEOVER_DATABASE": url})
    assert result.exit_code == 0, result.output
    assert f"/{database_of(url)} is whole: 1 changes" in result.stdout
