"""Every store that ships, each behind the same door."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.ports.store import Store
from tests.contract.store_samples import MemoryShelf, Shelf, SqliteShelf, empty_database


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A store with its schema and nothing in it; copying it is quicker than making it."""
    return empty_database(tmp_path_factory.mktemp("empty"))


@pytest.fixture(params=["memory", "sqlite"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path, empty_file: bytes) -> Iterator[Shelf]:
    shelf = MemoryShelf() if request.param == "memory" else SqliteShelf(tmp_path, empty_file)
    yield shelf
    shelf.close()


@pytest.fixture
def store(shelf: Shelf) -> Store:
    return shelf.open()
