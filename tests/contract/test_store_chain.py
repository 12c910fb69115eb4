"""Every store ties its changes together, in the same way."""

from changeover.adapters.memory import MemoryStore
from changeover.ports.store import Store
from changeover.rollout.audit_chain import GENESIS, Head, chain_faults, link_hash
from tests.contract.store_samples import PUBLISH, Shelf, proposing, seeded, split


def test_an_empty_log_ends_where_it_begins(store: Store) -> None:
    assert store.head() == Head() == Head(revision=0, hash=GENESIS)
    assert list(store.links()) == []


def test_every_change_is_tied_to_the_one_before(store: Store) -> None:
    store.commit(proposing(seeded(), PUBLISH), at=1.0)
    store.commit(proposing(split(100)), at=2.5)
    first, second = store.links()
    assert first.hash == link_hash(GENESIS, bytes(first.change))
    assert second.hash == link_hash(first.hash, bytes(second.change))
    assert (second.revision, second.at, second.actor) == (2, 2.5, "somebody")
    assert store.head() == Head(revision=2, hash=second.hash)
    assert list(chain_faults(store.links(), head=store.head())) == []


def test_two_stores_with_the_same_changes_have_the_same_chain(store: Store) -> None:
    twin = MemoryStore()
    for one in (store, twin):
        one.commit(proposing(seeded()), at=1.0)
        one.commit(proposing(split(250)), at=2.0)
    assert store.head() == twin.head()


def test_links_come_in_pages(shelf: Shelf) -> None:
    store = shelf.open()
    store.commit(proposing(seeded()), at=1.0)
    for permille in (100, 200, 300):
        shelf.open().commit(proposing(split(permille)), at=1.0)
    assert [link.revision for link in store.links(after=1, limit=2)] == [2, 3]
    assert store.head().revision == 4
