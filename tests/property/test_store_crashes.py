"""The real store, killed before and after any statement it sends: after every step it is the twin in memory that was never killed."""

import contextlib
import sqlite3
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, ClassVar

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from changeover.adapters.memory import MemoryStore
from changeover.adapters.sql import SqlStore, open_database
from changeover.evidence.score import Score
from changeover.ports.lease import CONTROLLER
from changeover.ports.store import LeaseLostError, Store, StoreError
from changeover.rollout.state import Phase
from changeover.rollout.world import ChangeBody, PairReleased, World, apply
from tests.contract.store_samples import (
    PUBLISH,
    TASK,
    PostgresShelf,
    Shelf,
    SqliteShelf,
    batch,
    empty_database,
    ids,
    moved,
    observation,
    proposing,
    seeded,
    split,
    started,
)
from tests.postgres import Cluster

CRASHES = st.one_of(st.none(), st.tuples(st.integers(0, 6) | st.integers(0, 14), st.sampled_from(["before", "after"])))
"""At which statement of the next call the process dies, and on which side of it; ``None``: it lives."""

Crash = tuple[int, str] | None


class KilledError(BaseException):
    """The process is gone. No handler of ours may catch it."""


KILLED = (KilledError, StoreError, SQLAlchemyError, sqlite3.Error, psycopg.Error)
"""What may come up when a process is killed: closing down stumbles over the connection that is gone."""


class Killer:
    """Cuts a store's connection at a statement: nothing more is sent. What a SIGKILL leaves on a disk, other tests look at."""

    def __init__(self, store: SqlStore, crash: Crash) -> None:
        self._connection = store._session._connection
        self._crash = crash
        self._count = 0

    @contextlib.contextmanager
    def armed(self) -> Generator[None]:
        hooks: list[tuple[str, Callable[..., None]]] = [
            ("before_cursor_execute", self._before),
            ("after_cursor_execute", self._after),
            ("commit", self._at_commit),
        ]
        for name, hook in hooks:
            event.listen(self._connection, name, hook)
        try:
            yield
        finally:
            for name, hook in hooks:
                event.remove(self._connection, name, hook)

    def _before(self, *_: Any) -> None:
        self._count += 1
        self._die_if("before")

    def _after(self, *_: Any) -> None:
        self._die_if("after")

    def _at_commit(self, _: sa.Connection) -> None:
        self._count += 1
        self._die_if("before")

    def _die_if(self, side: str) -> None:
        if self._crash == (self._count - 1, side):
            driver = self._connection.connection.driver_connection
            assert driver is not None
            if isinstance(driver, sqlite3.Connection):
                driver.rollback()  # in a living process the file's locks would stay with statements that are not finalised
            driver.close()
            raise KilledError


class CrashingStore(RuleBasedStateMachine):
    """``makers`` is set by whoever runs it: where the store stands."""

    makers: ClassVar[list[Callable[[], tuple[Shelf, contextlib.ExitStack]]]]
    seen: ClassVar[set[str]]

    def __init__(self) -> None:
        super().__init__()
        self.shelf, self.closing = self.makers[0]()
        self.store = self.opened()
        self.twin = MemoryStore()
        self.sequence = 0
        self.blocks = 0
        self.do("seed", None, lambda store: store.commit(proposing(seeded(), PUBLISH), at=1.0))

    def opened(self) -> SqlStore:
        store = self.shelf.open()
        assert isinstance(store, SqlStore)
        return store

    def do(self, name: str, crash: Crash, call: Callable[[Store], object]) -> None:
        """To the store, and if that was not killed, to the twin; they answer alike."""
        try:
            with Killer(self.store, crash).armed():
                answer = call(self.store)
        except KILLED:
            if crash is None:
                raise
            self.seen.add(f"{name} killed")
            self.store = self.opened()
            return
        assert answer == call(self.twin)
        self.seen.add(name)

    @rule(choice=st.integers(0, 9), number=st.integers(0, 1000), crash=CRASHES)
    def change(self, choice: int, number: int, crash: Crash) -> None:
        body = self.body(choice, number)
        self.do("change", crash, lambda store: store.commit(proposing(body, PUBLISH, PUBLISH), at=2.0))

    def body(self, choice: int, number: int) -> ChangeBody:
        task = self.twin.world().tasks[TASK]
        if task.rollout is not None:
            phases = (Phase.RUNNING, Phase.PAUSED, Phase.ROLLED_BACK, Phase.COMPLETED)
            return moved(task.rollout, phases[choice % len(phases)], permille=number)
        if task.blocked and choice % 3 == 0:
            return PairReleased(task=TASK, stable=task.blocked[0][0], candidate=task.blocked[0][1])
        if choice % 3 == 1:
            return started(f"r-{task.attempts + 1}", attempt=task.attempts + 1)
        return split(number)

    @precondition(lambda self: self.twin.owed(1))
    @rule(crash=CRASHES)
    def settle(self, crash: Crash) -> None:
        """What is settled twice, or was settled when the process died, harms nobody: it is the oldest of what is owed."""
        place = 0
        self.do("settle", crash, lambda store: store.done(store.owed(10)[place][0]))

    @rule(crash=CRASHES)
    def take(self, crash: Crash) -> None:
        self.sequence += 1
        sent = batch(self.sequence, *(observation(10 * self.sequence + number) for number in range(3)))
        self.do("take", crash, lambda store: store.take(sent, at=float(self.sequence)))

    @rule(number=st.integers(0, 60), crash=CRASHES)
    def score(self, number: int, crash: Crash) -> None:
        given = Score(request_id=f"req-{number:04}", name="rating", value=float(number))
        self.do("score", crash, lambda store: store.add_scores([given]))

    @rule(crash=CRASHES)
    def close_block(self, crash: Crash) -> None:
        block, unit = self.blocks, f"u-{self.blocks}"
        self.do("close", crash, lambda store: store.save_summary(rollout="r", stream="s", block=block, body=b"x", units=[unit]))
        self.blocks = len(self.twin.summaries(rollout="r", stream="s"))

    @rule(crash=CRASHES)
    def take_over(self, crash: Crash) -> None:
        def taken(store: Store) -> object:
            return store.take_lease(CONTROLLER, holder="h", seen=store.lease(CONTROLLER), expires_at=float(self.sequence))

        self.do("take over", crash, taken)

    @precondition(lambda self: self.twin.lease(CONTROLLER))
    @rule(number=st.integers(0, 1000))
    def commit_as_somebody_who_lost_the_lease(self, number: int) -> None:
        lease = self.twin.lease(CONTROLLER)
        assert lease is not None
        for store in (self.store, self.twin):
            with pytest.raises(LeaseLostError):
                store.commit(proposing(split(number)), at=3.0, epoch=lease.epoch - 1)
        self.seen.add("fenced")

    @invariant()
    def the_store_is_the_twin(self) -> None:
        store, twin = self.store, self.twin
        assert store.world() == twin.world()
        assert store.head() == twin.head()
        assert [command for _, command in store.owed(1000)] == [command for _, command in twin.owed(1000)]
        assert ids(store) == ids(twin)
        assert store.summaries(rollout="r", stream="s") == twin.summaries(rollout="r", stream="s")
        assert store.lease(CONTROLLER) == twin.lease(CONTROLLER)

    @invariant()
    def the_state_is_the_replay_of_its_changes(self) -> None:
        replayed = World()
        for change in self.store.changes():
            replayed = apply(replayed, change)
        assert replayed == self.store.world()
        assert list(self.store.verify()) == []

    def teardown(self) -> None:
        self.closing.close()


VERBS = {"change", "settle", "take", "score", "close", "take over"}


def run(make: Callable[[], tuple[Shelf, contextlib.ExitStack]], *, examples: int) -> None:
    seen: set[str] = set()
    machine = type("Machine", (CrashingStore,), {"makers": [make], "seen": seen})
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=16, deadline=None, database=None))
    assert seen >= VERBS | {"change killed", "take killed", "take over killed"}


def test_a_store_in_a_file_that_is_killed_at_any_statement_is_whole(tmp_path: Path) -> None:
    empty = empty_database(tmp_path)

    def make() -> tuple[Shelf, contextlib.ExitStack]:
        closing = contextlib.ExitStack()
        shelf = SqliteShelf(Path(closing.enter_context(tempfile.TemporaryDirectory())), empty)
        closing.callback(shelf.close)
        return shelf, closing

    run(make, examples=20)


def test_a_store_in_postgresql_that_is_killed_at_any_statement_is_whole(cluster: Cluster) -> None:
    url = cluster.fresh()
    open_database(url).close()

    def make() -> tuple[Shelf, contextlib.ExitStack]:
        closing = contextlib.ExitStack()
        shelf = PostgresShelf(cluster, url)
        closing.callback(shelf.close)
        return shelf, closing

    run(make, examples=12)
