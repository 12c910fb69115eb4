"""What every store promises about who made which response."""

import pytest

from changeover.adapters.memory import store as memory_store
from changeover.adapters.sql import issuer_shelf
from changeover.exchange.issuer import hash_response
from changeover.exchange.observation import Outcome
from changeover.ports.planes import Issuer
from changeover.ports.store import ISSUER_AGE_S, Store
from tests.contract.store_samples import CANDIDATE, STABLE, TASK, MemoryShelf, Shelf, batch, observation

FIRST, SECOND, THIRD = (hash_response(name) for name in ("resp_1", "resp_2", "resp_3"))
MAKER = Issuer(task=TASK, deployment=STABLE)


def test_who_made_a_response_is_known_by_its_hash(store: Store) -> None:
    store.take(batch(1, observation(1, response=FIRST, served=STABLE), observation(2, response=SECOND, served=CANDIDATE)), at=1.0)
    assert store.issuer(FIRST) == MAKER
    assert store.issuer(SECOND) == Issuer(task=TASK, deployment=CANDIDATE)
    assert store.issuer(THIRD) is None


def test_it_is_known_after_a_restart(shelf: Shelf) -> None:
    shelf.open().take(batch(1, observation(1, response=FIRST, served=STABLE)), at=1.0)
    assert shelf.open().issuer(FIRST) == MAKER


def test_the_first_report_stays(store: Store) -> None:
    store.take(batch(1, observation(1, response=FIRST, served=STABLE)), at=1.0)
    store.take(batch(2, observation(2, response=FIRST, served=CANDIDATE)), at=2.0)
    assert store.issuer(FIRST) == MAKER


def test_a_response_that_nobody_served_or_that_belongs_to_no_task_is_not_kept(store: Store) -> None:
    store.take(
        batch(
            1,
            observation(1, response=FIRST, served=None, outcome=Outcome.FAILED),
            observation(2, response=SECOND, served=STABLE, task=None, side=None),
        ),
        at=1.0,
    )
    assert [store.issuer(FIRST), store.issuer(SECOND)] == [None, None]


def test_what_is_too_old_is_forgotten(store: Store) -> None:
    store.take(batch(1, observation(1, response=FIRST, served=STABLE)), at=1.0)
    store.take(batch(2, observation(2, response=SECOND, served=STABLE)), at=1.0 + ISSUER_AGE_S)
    assert store.issuer(FIRST) == MAKER
    store.take(batch(3, observation(3, response=THIRD, served=STABLE)), at=2.0 + ISSUER_AGE_S)
    assert [store.issuer(FIRST), store.issuer(SECOND), store.issuer(THIRD)] == [None, MAKER, MAKER]


def test_of_too_many_those_reported_first_are_forgotten(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    module = memory_store if isinstance(shelf, MemoryShelf) else issuer_shelf
    monkeypatch.setattr(module, "ISSUERS_MAX", 2)
    store = shelf.open()
    for number, response in enumerate((FIRST, SECOND, THIRD), start=1):
        store.take(batch(number, observation(number, response=response, served=STABLE)), at=1.0)
    assert [store.issuer(FIRST), store.issuer(SECOND), store.issuer(THIRD)] == [None, MAKER, MAKER]
