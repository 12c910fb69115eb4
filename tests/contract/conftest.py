"""Every store that ships, each behind the same door."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.adapters.sql import open_database
from changeover.ports.store import Store
from tests.contract.store_samples import MemoryShelf, PostgresShelf, Shelf, SqliteShelf, empty_database
from tests.postgres import Cluster


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A store with its schema and nothing in it; copying it is quicker than making it."""
    return empty_database(tmp_path_factory.mktemp("empty"))


@pytest.fixture(scope="session")
def database(cluster: Cluster) -> str:
    """The URL of a database with the schema."""
    url = cluster.fresh()
    open_database(url).close()
    return url


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path, empty_file: bytes) -> Iterator[Shelf]:
    match request.param:
        case "memory":
            shelf = MemoryShelf()
        case "sqlite":
            shelf = SqliteShelf(tmp_path, empty_file)
        case _:
            shelf = PostgresShelf(request.getfixturevalue("cluster"), request.getfixturevalue("database"))
    yield shelf
    shelf.close()


@pytest.fixture
def store(shelf: Shelf) -> Store:
    return shelf.open()
