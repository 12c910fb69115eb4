"""Rule I7 for every store: who lost the lease commits nothing."""

import pytest

from changeover.ports.lease import CONTROLLER, Lease
from changeover.ports.store import LeaseLostError, Store
from tests.contract.store_samples import Shelf, proposing, seeded, split


def take(store: Store, holder: str, *, at: float = 10.0) -> Lease:
    taken = store.take_lease(CONTROLLER, holder=holder, seen=store.lease(CONTROLLER), expires_at=at + 5)
    assert taken is not None
    return taken


def test_nobody_holds_a_lease_that_was_never_taken(store: Store) -> None:
    assert store.lease(CONTROLLER) is None


def test_every_take_over_has_the_next_epoch(shelf: Shelf) -> None:
    one, other = shelf.open(), shelf.open()
    assert take(one, "one") == Lease(name=CONTROLLER, holder="one", epoch=1, expires_at=15.0)
    assert take(other, "other").epoch == 2
    assert take(one, "one").epoch == 3
    assert other.lease(CONTROLLER) == one.lease(CONTROLLER)


def test_of_two_who_saw_the_same_lease_one_gets_it(shelf: Shelf) -> None:
    one, other = shelf.open(), shelf.open()
    seen = take(one, "one")
    assert other.take_lease(CONTROLLER, holder="other", seen=seen, expires_at=20.0) is not None
    assert one.take_lease(CONTROLLER, holder="third", seen=seen, expires_at=21.0) is None
    assert one.take_lease(CONTROLLER, holder="third", seen=None, expires_at=21.0) is None


def test_a_lease_that_was_renewed_is_not_the_one_that_was_seen(shelf: Shelf) -> None:
    one, other = shelf.open(), shelf.open()
    seen = take(one, "one")
    assert one.renew_lease(seen, expires_at=30.0) == Lease(name=CONTROLLER, holder="one", epoch=1, expires_at=30.0)
    assert other.take_lease(CONTROLLER, holder="other", seen=seen, expires_at=40.0) is None


def test_a_lost_lease_is_not_renewed(shelf: Shelf) -> None:
    one, other = shelf.open(), shelf.open()
    lost = take(one, "one")
    take(other, "other")
    with pytest.raises(LeaseLostError, match="epoch 1 is over"):
        one.renew_lease(lost, expires_at=99.0)
    one.release_lease(lost)
    kept = other.lease(CONTROLLER)
    assert kept is not None
    assert kept.holder == "other"


def test_a_lease_given_back_has_no_holder_and_keeps_its_epoch(store: Store) -> None:
    store.release_lease(take(store, "one"))
    assert store.lease(CONTROLLER) == Lease(name=CONTROLLER, holder="", epoch=1, expires_at=15.0)
    assert take(store, "two").epoch == 2


def test_a_leader_that_lost_its_lease_commits_nothing(shelf: Shelf) -> None:
    one, other = shelf.open(), shelf.open()
    one.commit(proposing(seeded()), at=1.0)
    lost, present = take(one, "one"), take(other, "other")
    with pytest.raises(LeaseLostError, match="epoch 1 is over"):
        one.commit(proposing(split(100)), at=2.0, epoch=lost.epoch)
    assert (one.world().revision, len(one.changes())) == (1, 1)
    assert other.commit(proposing(split(100)), at=2.0, epoch=present.epoch).revision == 2


def test_an_epoch_without_any_lease_commits_nothing(store: Store) -> None:
    with pytest.raises(LeaseLostError):
        store.commit(proposing(seeded()), at=1.0, epoch=1)


def test_people_need_no_lease(shelf: Shelf) -> None:
    one, other = shelf.open(), shelf.open()
    take(one, "one")
    assert other.commit(proposing(seeded()), at=1.0).revision == 1
