"""A store of an earlier release is moved up when it is opened, with everything in it."""

from pathlib import Path

import pytest

from changeover.adapters.sqlite import migration, open_store
from changeover.ports.planes import TaskShape
from changeover.wire.sent_shape import SentShape, SentValue, ValueKind
from changeover.wire.surface import Surface
from tests.contract.store_samples import proposing, seeded

SHAPE = SentShape(surface=Surface.CHAT, values={"n": (SentValue(kind=ValueKind.NUMBER, value=2),)})


def test_a_store_of_the_first_schema_keeps_what_it_holds_and_gets_its_new_shelves(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(migration, "REVISIONS", migration.REVISIONS[:1])
        store = open_store(path)
        store.commit(proposing(seeded()), at=1.0)
        before = store.world()
        store.close()
    store = open_store(path)
    store.keep_shapes([TaskShape(task="mail", shape=SHAPE)], at=2.0)
    assert (store.world(), list(store.shapes("mail")), list(store.verify())) == (before, [SHAPE], [])
    store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "changeover.db"
