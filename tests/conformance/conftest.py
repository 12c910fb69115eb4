"""One rig for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.conformance.calls import Calls
from tests.conformance.rig import Rig, running_rig


@pytest.fixture(scope="session")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running_rig(tmp_path_factory.mktemp("conformance")) as running:
        yield running


@pytest.fixture(scope="session")
def sdk() -> Iterator[Calls]:
    with Calls() as calls:
        yield calls
