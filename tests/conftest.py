"""What tests of several folders share."""

from collections.abc import Iterator

import pytest

from tests.postgres import Cluster, running_cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL of this test run's own, started for the first test that asks."""
    with running_cluster() as running:
        yield running
