"""A store whose process may die before, after and within every write: what it acknowledged is there, what it did not is there whole or
not at all, and replaying its events gives its state.

A crash leaves what a killed process leaves: the files as they are at that statement are copied, and the next store is opened from the
copy. PostgreSQL undoes a broken transaction itself; there the next store is another connection.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import event

from changeover.adapters.sql import SqlStore, open_database, open_store
from changeover.evidence.score import Score
from changeover.ports.alerts import Delivery
from changeover.ports.lease import CONTROLLER, Lease
from changeover.ports.store import LeaseLostError
from changeover.rollout.commands import NothingToDo, Refusal, move
from changeover.rollout.state import Acknowledged, Assessed, Event, RetentionPassed
from changeover.rollout.world import Proposal, Seeded, World, apply
from changeover.versions import Account, Deployment, ModelVersion, SecretReference
from tests.contract.store_samples import PostgresShelf, acknowledgement, batch, empty_database, observation
from tests.model.parts import COMMANDS, decided_on
from tests.model.subject import CANDIDATE, NOW, STABLE, TASK, TICK_S, assessment
from tests.postgres import Cluster

T = TypeVar("T")

POINTS = range(24)
"""Where in a write the process dies; past its last point, just after it."""
JUST_AFTER = 99
EARLIER = NOW - 10 * TICK_S
CRASHES = st.sampled_from([*[None] * 6, *POINTS, *[JUST_AFTER] * 6])

reached: Counter[str] = Counter()


class CrashError(BaseException):
    """The process is gone."""


class SqliteHome:
    """Every crash moves to a copy of the files as they are at that moment."""

    def __init__(self, empty: bytes) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="changeover-store-"))
        self._life = 0
        self.path = self._folder / "0.db"
        self.path.write_bytes(empty)

    def open(self) -> SqlStore:
        return open_store(self.path)

    def dies(self) -> None:
        self._life += 1
        copy = self._folder / f"{self._life}.db"
        shutil.copyfile(self.path, copy)
        log = self.path.with_name(f"{self.path.name}-wal")
        if log.exists():
            shutil.copyfile(log, copy.with_name(f"{copy.name}-wal"))
        self.path = copy

    def close(self) -> None:
        shutil.rmtree(self._folder)


class PostgresHome:
    def __init__(self, cluster: Cluster, url: str) -> None:
        PostgresShelf(cluster, url).close()
        self._url = url

    def open(self) -> SqlStore:
        return open_database(self._url)

    def dies(self) -> None:
        return

    def close(self) -> None:
        return


class Process:
    """A store with a fuse: ``burn`` runs something that dies at its n-th point, a point being the moment before and after each
    statement, and before each commit.
    """

    def __init__(self, home: "SqliteHome | PostgresHome") -> None:
        self._home = home
        self._left: int | None = None
        self.store = self._opened()

    def burn(self, crash: int | None, do: Callable[[SqlStore], T]) -> T:
        """Raises ``CrashError`` where it died; then the next process has been started already."""
        self._left = crash
        try:
            found = do(self.store)
        except CrashError:
            reached["died within"] += 1
            self._again()
            raise
        finally:
            is_due, self._left = self._left is not None, None
        if is_due:
            reached["died just after"] += 1
            self._home.dies()
            self._again()
            raise CrashError
        return found

    def reopen(self) -> None:
        self.store.close()
        self.store = self._opened()

    def _again(self) -> None:
        self._left = None
        self.store.close()
        self.store = self._opened()

    def _opened(self) -> SqlStore:
        store = self._home.open()
        connection = store._session._connection
        event.listen(connection, "before_cursor_execute", self._at_point)
        event.listen(connection, "after_cursor_execute", self._at_point)
        event.listen(connection, "commit", self._at_point)
        return store

    def _at_point(self, *_: object) -> None:
        if self._left is None:
            return
        self._left -= 1
        if self._left < 0:
            self._left = None
            self._home.dies()
            raise CrashError


def seeding(_world: World) -> Proposal:
    account = Account(name="acc", kind="azure-openai", endpoint="https://a.openai.azure.com", auth=SecretReference(source="env", name="K"))
    deployments = tuple(Deployment(name=name, account="acc", model=ModelVersion(name="m", version=name)) for name in (STABLE, CANDIDATE))
    from changeover.rollout.world import TaskState

    body = Seeded(accounts=(account,), deployments=deployments, tasks=(TaskState(name=TASK, stable=STABLE),))
    return Proposal(actor="serve", reason="first start", body=body)


class StoreMachine(RuleBasedStateMachine):
    """``model`` is the world as it was acknowledged; ``owed`` counts the commands that its changes owe."""

    home: Any

    def __init__(self) -> None:
        super().__init__()
        self.place = type(self).home()
        self.process = Process(self.place)
        self.model = World()
        self.owed = 0
        self.seen: dict[int, int] = {}
        self.answered: set[str] = set()
        self.scored: set[tuple[str, str]] = set()
        self.heard = 0
        self.sequence = 0
        self.lease: Lease | None = None

    def teardown(self) -> None:
        assert list(self.process.store.verify()) == []
        everything = {identity for identity, _ in self.process.store.owed(10_000)} | self.seen.keys()
        assert len(everything) == self.owed, "I13: every side effect is owed or done, none was lost or made up"
        self.process.store.close()
        self.place.close()

    # What is done to it.

    @initialize()
    def seed(self) -> None:
        self._commit(None, seeding)

    @rule(kind=st.sampled_from([*COMMANDS, "start", "start", "release", "override", "promote without"]), crash=CRASHES)
    def command(self, kind: str, crash: int | None) -> None:
        """Who got no answer asks again, decided on the same revision: it takes effect once. Rolling back carries no revision."""
        before = self.model.revision
        order = decided_on(self.model, is_fresh=True)
        for again in (crash,) if kind == "roll back" else (crash, None):
            try:
                self._commit(again, lambda world: COMMANDS[kind](world, order))
            except CrashError:
                continue
            except Refusal as refusal:
                if refusal.code == "stale":
                    reached["asked again in vain"] += 1
            break
        assert self.model.revision <= before + 1, "no command takes effect twice"

    @rule(kind=st.sampled_from(["start", "pause", "resume", "release", "split", "unsplit"]))
    def an_answer_is_lost(self, kind: str) -> None:
        self.command(kind=kind, crash=JUST_AFTER)

    @rule(stretches=st.integers(0, 2), crash=CRASHES)
    def walk_on_and_back(self, stretches: int, crash: int | None) -> None:
        self.walk_on(stretches=stretches, crash=None)
        self.command(kind="roll back", crash=crash)

    @rule(findings=st.sampled_from(["pass", "pass", "pass", "undecided", "trip", "alarm"]), crash=CRASHES)
    def assess(self, findings: Any, crash: int | None) -> None:
        self._moves(Assessed(assessment(findings, served=2, ago=0)), crash)

    @rule(crash=CRASHES)
    def acknowledged_everywhere(self, crash: int | None) -> None:
        self._moves(Acknowledged(), crash)

    @rule(crash=CRASHES)
    def retention_passes(self, crash: int | None) -> None:
        self._moves(RetentionPassed(), crash)

    @rule(stretches=st.integers(1, 6), crash=CRASHES)
    def walk_on(self, stretches: int, crash: int | None) -> None:
        """The happy path, where a process dies at every step and the next one does it again."""
        for _ in range(stretches):
            self.command(kind="start", crash=crash)
            self._moves(Acknowledged(), crash)
            self._moves(Acknowledged(), None)
            self._moves(Assessed(assessment("pass", served=2, ago=0)), crash)
            self._moves(Assessed(assessment("pass", served=2, ago=0)), None)

    @rule(count=st.integers(0, 3), crash=CRASHES)
    def report(self, count: int, crash: int | None) -> None:
        """A data plane tells a batch again until it is acknowledged; it counts once."""
        self.sequence += 1
        first = len(self.answered)
        told = batch(self.sequence, *(observation(first + each) for each in range(count)))
        for again in (crash, None):
            try:
                self.process.burn(again, lambda store: store.take(told, at=float(self.sequence)))
            except CrashError:
                continue
            break
        self.answered |= {each.request_id for each in told.observations}

    @rule(crash=CRASHES)
    def serve_the_table(self, crash: int | None) -> None:
        revision = self.model.table_revision
        try:
            self.process.burn(crash, lambda store: store.acknowledge(acknowledgement(revision), at=1.0))
        except CrashError:
            return
        self.heard = max(self.heard, revision)

    @rule(number=st.integers(0, 5), name=st.sampled_from(["a", "b"]), crash=CRASHES)
    def score(self, number: int, name: str, crash: int | None) -> None:
        score = Score(request_id=f"req-{number:04}", name=name, value=4.0, scorer="s")
        try:
            self.process.burn(crash, lambda store: store.add_scores([score]))
        except CrashError:
            return
        self.scored.add((score.request_id, name))

    @rule(most=st.integers(1, 4), crash=CRASHES)
    def settle(self, most: int, crash: int | None) -> None:
        """Send first, strike off afterwards: dying in between sends it again, under the same number."""
        for identity, _ in self.process.store.owed(most):
            self.seen[identity] = self.seen.get(identity, 0) + 1
            reached["sent again"] += self.seen[identity] > 1
            try:
                self.process.burn(crash, lambda store, identity=identity: _struck_off(store, identity))
            except CrashError:
                return

    @rule(crash=CRASHES)
    def lead(self, crash: int | None) -> None:
        """A lease that was taken is kept; who was not told that it has it asks again, and who had it before commits nothing more."""
        for again in (crash, None):
            try:
                taken = self._take_lease(again)
            except CrashError:
                continue
            self._assert_lost(self.lease)
            self.lease = taken
            break

    def _take_lease(self, crash: int | None) -> Lease:
        present = self.process.store.lease(CONTROLLER)
        taken = self.process.burn(crash, lambda store: store.take_lease(CONTROLLER, holder="one", seen=present, expires_at=1.0))
        assert taken is not None
        assert taken.epoch == 1 + (present.epoch if present else 0), "I7: epochs only grow"
        return taken

    def _assert_lost(self, lease: Lease | None) -> None:
        if lease is not None:
            with pytest.raises(LeaseLostError):
                self.process.store.commit(seeding, at=1.0, epoch=lease.epoch)
            reached["lost lease"] += 1

    @rule()
    def reopen(self) -> None:
        self.process.reopen()

    # What must hold.

    @invariant()
    def the_state_is_the_replay_of_the_events(self) -> None:
        store, replayed = self.process.store, World()
        changes = store.changes()
        for change in changes:
            replayed = apply(replayed, change)
        assert replayed == store.world() == self.model, "I5"
        assert [change.revision for change in changes] == list(range(1, len(changes) + 1))

    @invariant()
    def nothing_acknowledged_is_lost(self) -> None:
        store = self.process.store
        rows = {identity: store.observation(identity) for identity in self.answered}
        assert None not in rows.values()
        for request_id, name in self.scored:
            assert store.add_scores([Score(request_id=request_id, name=name, value=1.0, scorer="s")]) == 0
        heard = [plane.acknowledged_revision for plane in store.planes()]
        assert not self.heard or heard[0] >= self.heard

    def _moves(self, event: Event, crash: int | None) -> None:
        known = [rollout for rollout in self.model.rollouts.values() if not rollout.progress.phase.absorbs]
        for rollout in known:
            now = EARLIER if isinstance(event, Acknowledged) else NOW
            try:
                self._commit(crash, lambda world, rollout=rollout, now=now: _moved(world, rollout.id, event, now))
            except (NothingToDo, CrashError):
                continue

    def _commit(self, crash: int | None, decide: Callable[[World], Proposal]) -> None:
        """The model follows what was acknowledged; after a crash it finds out, and it is all or nothing."""
        made: list[Proposal] = []

        def noted(world: World) -> Proposal:
            made.append(decide(world))
            return made[-1]

        try:
            change = self.process.burn(crash, lambda store: store.commit(noted, at=NOW))
        except CrashError:
            self._find_out(made)
            raise
        self.model = apply(self.model, change)
        self.owed += len(made[-1].commands)
        reached[str(self.model.rollouts and list(self.model.rollouts.values())[-1].progress.phase)] += 1

    def _find_out(self, made: list[Proposal]) -> None:
        changes = self.process.store.changes(after=self.model.revision)
        assert len(changes) <= len(made), "nothing that was not asked for"
        reached["committed unheard" if changes else "undone"] += 1
        for change in changes:
            self.model = apply(self.model, change)
            self.owed += len(made[-1].commands)


def _moved(world: World, rollout: str, event: Event, now: float) -> Proposal:
    return move(world, rollout_id=rollout, event=event, now=now, actor="controller")


def _struck_off(store: SqlStore, identity: int) -> None:
    store.note_deliveries(identity, {"somebody": Delivery(tries=1, settled=True)})
    store.done(identity)


def run(home: Callable[[], "SqliteHome | PostgresHome"], *, examples: int, wanted: set[str]) -> None:
    """Random walks, and what they must have come by."""
    reached.clear()
    machine = type("Machine", (StoreMachine,), {"home": staticmethod(home)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            derandomize=True,  # what must have been reached is reached each time
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        ),
    )
    assert wanted - reached.keys() == set(), f"never reached; reached were {dict(reached)}"


DEATHS = {"died within", "died just after", "committed unheard", "undone", "running", "rolling_back"}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return empty_database(tmp_path_factory.mktemp("empty"))


@pytest.mark.timeout(600)  # time for a failing run to be made small
def test_a_store_on_disk_survives_a_crash_at_any_point(empty: bytes) -> None:
    run(lambda: SqliteHome(empty), examples=30, wanted=DEATHS | {"asked again in vain", "sent again", "lost lease", "completed"})


@pytest.mark.timeout(600)
def test_a_store_in_postgresql_survives_a_crash_at_any_point(cluster: Cluster) -> None:
    url = cluster.fresh()
    open_database(url).close()
    run(lambda: PostgresHome(cluster, url), examples=20, wanted=DEATHS)
