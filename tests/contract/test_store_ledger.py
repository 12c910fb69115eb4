"""What every store promises about changes, the world and what they owe."""

import threading

import msgspec
import pytest

from changeover.gates.verdict import Decision, Level, SideFigures, Verdict
from changeover.ports.store import Store, StoreError
from changeover.rollout.state import Command, Phase
from changeover.rollout.world import Change, Proposal, World, routing_table
from tests.contract.store_samples import (
    CANDIDATE,
    PUBLISH,
    TASK,
    Shelf,
    moved,
    proposing,
    seeded,
    split,
    started,
)


class SomebodyRefusedError(Exception):
    pass


def test_an_empty_store_is_at_revision_0(store: Store) -> None:
    assert store.world() == World()
    assert list(store.changes()) == []
    assert list(store.verify()) == []


def test_a_commit_makes_the_next_revision_and_the_world_of_it(store: Store) -> None:
    first = store.commit(proposing(seeded()), at=5.5)
    second = store.commit(proposing(split(100)), at=6.5)
    assert first == Change(revision=1, at=5.5, actor="somebody", reason="because", body=seeded())
    assert (second.revision, store.world().revision) == (2, 2)
    assert routing_table(store.world()).routes[TASK].candidate == CANDIDATE


def test_a_decision_sees_the_world_as_it_is_at_that_moment(shelf: Shelf) -> None:
    one, other = shelf.open(), shelf.open()
    one.commit(proposing(seeded()), at=1.0)
    other.commit(proposing(split(100)), at=2.0)
    seen: list[World] = []

    def decide(world: World) -> Proposal:
        seen.append(world)
        return proposing(split(200))(world)

    one.commit(decide, at=3.0)
    assert [world.revision for world in seen] == [2]
    assert other.world() == one.world()


def test_a_decision_that_refuses_writes_nothing_and_its_refusal_passes(store: Store) -> None:
    store.commit(proposing(seeded()), at=1.0)
    before = store.world()

    def refuse(_world: World) -> Proposal:
        raise SomebodyRefusedError

    with pytest.raises(SomebodyRefusedError):
        store.commit(refuse, at=2.0)
    assert store.world() == before
    assert len(store.changes()) == 1
    assert store.commit(proposing(split(100)), at=3.0).revision == 2


def test_a_change_that_cannot_apply_writes_nothing(store: Store) -> None:
    with pytest.raises(KeyError):
        store.commit(proposing(split(100), PUBLISH), at=1.0)
    assert store.world() == World()
    assert list(store.owed(10)) == []
    assert list(store.changes()) == []


@pytest.mark.parametrize("number", [float("-inf"), float("nan"), float("inf")])
def test_a_number_that_would_not_come_back_is_refused(store: Store, number: float) -> None:
    store.commit(proposing(seeded()), at=1.0)
    store.commit(proposing(started()), at=1.0)
    level = Level(log_e=number, threshold=3.0)
    verdict = Verdict(
        criterion="errors",
        decision=Decision.UNDECIDED,
        tripped=False,
        able_to_trip=False,
        worse_inside=False,
        stable=SideFigures(),
        candidate=SideFigures(),
        estimate=None,
        low=None,
        high=None,
        method="m",
        margin="m",
        to_pass=level,
        to_trip=level,
        sentence="s",
    )
    body = msgspec.structs.replace(moved("r-1", Phase.PAUSED, permille=100), verdicts=(verdict,))
    with pytest.raises(StoreError, match=r"change 3 cannot be stored as it is.*expected finite numbers"):
        store.commit(proposing(body), at=2.0)
    assert store.world().revision == 2
    assert len(store.changes()) == 2


def test_an_optional_number_that_would_come_back_as_nothing_is_refused(store: Store) -> None:
    store.commit(proposing(seeded()), at=1.0)
    body = started()
    endless = msgspec.structs.replace(body.rollout.progress, finished_at=float("inf"))
    body = msgspec.structs.replace(body, rollout=msgspec.structs.replace(body.rollout, progress=endless))
    with pytest.raises(StoreError, match="expected finite numbers"):
        store.commit(proposing(body), at=2.0)
    assert store.world().revision == 1


def test_changes_come_oldest_first_after_a_revision_and_up_to_a_limit(store: Store) -> None:
    store.commit(proposing(seeded()), at=1.0)
    for permille in (100, 200, 300, 400):
        store.commit(proposing(split(permille)), at=1.0)
    assert [change.revision for change in store.changes()] == [1, 2, 3, 4, 5]
    assert [change.revision for change in store.changes(after=2, limit=2)] == [3, 4]
    assert list(store.changes(after=5)) == []


def test_commits_from_two_threads_come_one_after_the_other(shelf: Shelf) -> None:
    stores = [shelf.open(), shelf.open()]
    stores[0].commit(proposing(seeded()), at=1.0)
    begin = threading.Barrier(2)
    raised: list[Exception] = []

    def count_up(world: World) -> Proposal:
        split_now = world.tasks[TASK].split
        return proposing(split(1 if split_now is None else split_now.permille + 1))(world)

    def commit(store: Store) -> None:
        begin.wait()
        try:
            for _ in range(20):
                store.commit(count_up, at=2.0)
        except StoreError as error:
            raised.append(error)

    threads = [threading.Thread(target=commit, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == []
    for store in stores:
        assert store.world().revision == 41
        assert store.world().tasks[TASK].split == split(40).split
        assert list(store.verify()) == []


def test_what_a_change_owes_is_owed_with_it_until_it_is_done(store: Store) -> None:
    alert = Command(kind="alert", subject=TASK, text="rolled back", topic="rolled_back")
    store.commit(proposing(seeded()), at=1.0)
    store.commit(proposing(split(100), PUBLISH, alert), at=1.0)
    owed = list(store.owed(10))
    assert [command for _, command in owed] == [PUBLISH, alert]
    store.done(owed[0][0])
    assert list(store.owed(10)) == owed[1:]


def test_the_oldest_debts_come_first_and_within_the_limit(store: Store) -> None:
    store.commit(proposing(seeded(), *(Command(kind="alert", subject=TASK, text=str(number)) for number in range(5))), at=1.0)
    assert [command.text for _, command in store.owed(3)] == ["0", "1", "2"]


def test_settling_twice_never_settles_a_later_debt(store: Store) -> None:
    store.commit(proposing(seeded(), PUBLISH), at=1.0)
    ((identity, _),) = store.owed(10)
    store.done(identity)
    store.commit(proposing(split(100), PUBLISH), at=1.0)
    store.done(identity)
    assert len(store.owed(10)) == 1
    assert store.owed(10)[0][0] != identity


def test_a_refused_decision_owes_nothing(store: Store) -> None:
    store.commit(proposing(seeded()), at=1.0)
    with pytest.raises(KeyError):
        store.commit(proposing(moved("nobody", Phase.PAUSED, permille=0), PUBLISH), at=2.0)
    assert list(store.owed(10)) == []
