"""Rule I5 for every store: replaying the changes rebuilds the state, whatever was done to it and in whatever order."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changeover.ports.store import Store
from changeover.rollout.state import Phase
from changeover.rollout.world import ChangeBody, PairReleased, Proposal, SplitSet, World, apply
from tests.contract.store_samples import (
    PUBLISH,
    TASK,
    MemoryShelf,
    PostgresShelf,
    Shelf,
    SqliteShelf,
    moved,
    proposing,
    seeded,
    split,
    started,
)

IDLE = ("start", "split", "unsplit", "refuse", "reopen")
ACTIVE = ("roll_back", "complete", "move", "pause", "refuse", "reopen")
NIGHTS = st.lists(st.tuples(st.integers(0, 29), st.integers(0, 1000)), min_size=12, max_size=30)


class UnwillingError(Exception):
    pass


@dataclass
class Night:
    """One sequence of changes on one store, with the world as a plain fold of what was committed."""

    shelf: Shelf
    seen: set[str]
    model: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.store: Store = self.shelf.open()
        self.commit(seeded())

    def commit(self, body: ChangeBody) -> None:
        self.model = apply(self.model, self.store.commit(proposing(body, PUBLISH), at=float(self.model.revision)))

    def live(self, choice: int, number: int) -> None:
        """Do one of the things that can be done now."""
        task = self.model.tasks[TASK]
        verbs = (("release",) if task.blocked else ()) + (ACTIVE if task.rollout else IDLE)
        verb = verbs[choice % len(verbs)]
        if verb == "reopen":
            self.store = self.shelf.open()
        elif verb == "refuse":
            with pytest.raises(UnwillingError):
                self.store.commit(_unwilling, at=1.0)
        else:
            self.commit(self._body(verb, number))
        self.seen.add(verb)
        assert self.store.world() == self.model

    def _body(self, verb: str, number: int) -> ChangeBody:
        task = self.model.tasks[TASK]
        match verb:
            case "split":
                return split(number)
            case "unsplit":
                return SplitSet(task=TASK, split=None)
            case "start":
                return started(f"r-{task.attempts + 1}", attempt=task.attempts + 1)
            case "release":
                return PairReleased(task=TASK, stable=task.blocked[0][0], candidate=task.blocked[0][1])
            case _:
                phases = {"move": Phase.RUNNING, "pause": Phase.PAUSED, "roll_back": Phase.ROLLED_BACK, "complete": Phase.COMPLETED}
                return moved(str(task.rollout), phases[verb], permille=number)


def _unwilling(_world: World) -> Proposal:
    raise UnwillingError


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres"])
def test_the_stored_world_is_the_replay_of_the_stored_changes(kind: str, empty_file: bytes, request: pytest.FixtureRequest) -> None:
    seen: set[str] = set()
    shared = [request.getfixturevalue(name) for name in ("cluster", "database")] if kind == "postgres" else []

    @settings(max_examples=10 if shared else 25, deadline=None, database=None)
    @given(NIGHTS)
    def any_night(choices: list[tuple[int, int]]) -> None:
        with tempfile.TemporaryDirectory() as directory:
            shelf = PostgresShelf(*shared) if shared else MemoryShelf() if kind == "memory" else SqliteShelf(Path(directory), empty_file)
            night = Night(shelf, seen)
            for choice, number in choices:
                night.live(choice, number)
            store = shelf.open()
            replayed = World()
            for change in store.changes():
                replayed = apply(replayed, change)
            assert replayed == night.model == store.world()
            assert list(store.verify()) == []
            assert len(store.owed(1000)) == night.model.revision
            shelf.close()

    any_night()
    assert seen == {*IDLE, *ACTIVE, "release"}
