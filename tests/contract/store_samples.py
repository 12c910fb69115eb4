"""Stores to open, and things to put into them."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from changeover.adapters.memory import MemoryStore
from changeover.adapters.sql import open_database, open_store, schema
from changeover.exchange.observation import Observation, Outcome
from changeover.gates.criteria import Criteria, ErrorsCriterion, EvidenceRules
from changeover.ports.planes import Acknowledgement, Dropped, ObservationBatch
from changeover.ports.store import Store
from changeover.rollout.plan import Plan, WeightStep
from changeover.rollout.state import Command, Phase, Progress, Rollout
from changeover.rollout.world import ChangeBody, Proposal, RolloutMoved, RolloutStarted, Seeded, Split, SplitSet, TaskState, World
from changeover.traffic.table import Side
from changeover.versions import Account, Deployment, ModelVersion, SecretReference
from tests.postgres import Cluster, database_of

TASK = "email-summarisation"
STABLE, CANDIDATE = "gpt4o-prod-v1120", "gpt4omini-prod-v0718"
PUBLISH = Command(kind="publish_table", subject=TASK)


class Shelf(Protocol):
    """Where stores stand: every ``open`` is another store on the same data."""

    def open(self) -> Store: ...

    def close(self) -> None: ...


class MemoryShelf:
    def __init__(self) -> None:
        self._store = MemoryStore()

    def open(self) -> Store:
        return self._store

    def close(self) -> None:
        self._store.close()


class SqliteShelf:
    """Without the lock, so that several stores may be open at once."""

    def __init__(self, directory: Path, empty: bytes) -> None:
        self.path = directory / "changeover.db"
        self.path.write_bytes(empty)
        self._stores: list[Store] = []

    def open(self) -> Store:
        self._stores.append(open_store(self.path, lock=False))
        return self._stores[-1]

    def close(self) -> None:
        for store in self._stores:
            store.close()


class PostgresShelf:
    """On one database for all tests, emptied for each: making one takes longer than a test."""

    def __init__(self, cluster: Cluster, url: str) -> None:
        self.url = url
        self._stores: list[Store] = []
        cluster.sql(database_of(url), "SET session_replication_role = replica", *_EMPTYING)

    def open(self) -> Store:
        self._stores.append(open_database(self.url))
        return self._stores[-1]

    def close(self) -> None:
        for store in self._stores:
            store.close()


_EMPTYING = (
    *(f"DELETE FROM {table.name}" for table in reversed(schema.metadata.sorted_tables) if table.name != "world"),
    "UPDATE world SET revision = 0, body = '{\"revision\":0}', head = repeat('0', 64)",
    *(f"ALTER SEQUENCE {table}_id_seq RESTART" for table in ("outbox", "scores", "response_issuers")),
)


def empty_database(directory: Path) -> bytes:
    path = directory / "changeover.db"
    open_store(path).close()
    return path.read_bytes()


def proposing(body: ChangeBody, *commands: Command) -> Callable[[World], Proposal]:
    return lambda _world: Proposal(actor="somebody", reason="because", body=body, commands=commands)


def seeded() -> Seeded:
    account = Account(
        name="aoai", kind="azure-openai", endpoint="https://aoai.openai.azure.com", auth=SecretReference(source="env", name="KEY")
    )
    deployments = tuple(
        Deployment(name=name, account="aoai", model=ModelVersion(name=name[:5], version="1")) for name in (STABLE, CANDIDATE)
    )
    return Seeded(accounts=(account,), deployments=deployments, tasks=(TaskState(name=TASK, stable=STABLE),))


def split(permille: int) -> SplitSet:
    return SplitSet(task=TASK, split=Split(candidate=CANDIDATE, permille=permille, attempt=1, salt="s"))


def rollout(identity: str = "r-1", *, attempt: int = 1, permille: int = 100) -> Rollout:
    plan = Plan(steps=(WeightStep(permille=100),), criteria=Criteria(errors=ErrorsCriterion()), evidence=EvidenceRules(block_s=1.5))
    return Rollout(
        id=identity,
        task=TASK,
        attempt=attempt,
        salt=f"salt {identity}",
        stable=STABLE,
        candidate=CANDIDATE,
        plan=plan,
        started_at=10.25,
        progress=progress(Phase.RUNNING, permille=permille),
    )


def progress(phase: Phase, *, permille: int) -> Progress:
    return Progress(phase=phase, step=0, permille=permille, weight_set_at=10.25, step_entered_at=10.25, reason=f"it is {phase}")


def started(identity: str = "r-1", *, attempt: int = 1) -> RolloutStarted:
    return RolloutStarted(rollout=rollout(identity, attempt=attempt))


def moved(identity: str, phase: Phase, *, permille: int) -> RolloutMoved:
    return RolloutMoved(rollout=identity, event="assessed", progress=progress(phase, permille=permille))


def observation(number: int, **fields: object) -> Observation:
    values: dict[str, object] = {
        "request_id": f"req-{number:04}",
        "started_at": 100.0 + number,
        "outcome": Outcome.ANSWERED,
        "revision": 1,
        "latency_ms": 12.5,
        "task": TASK,
        "attempt": 1,
        "unit": f"unit-{number}",
        "side": Side.STABLE,
        "candidate_probability": 0.1,
        "assigned": STABLE,
        "served": STABLE,
    }
    return Observation(**{**values, **fields})  # pyright: ignore[reportArgumentType]


def batch(
    sequence: int, *observations: Observation, boot: str = "b1", watermark_at: float | None = None, **fields: object
) -> ObservationBatch:
    watermark = 100.0 * sequence if watermark_at is None else watermark_at
    return ObservationBatch(
        plane=str(fields.get("plane", "local-0")),
        boot=boot,
        sequence=sequence,
        watermark_at=watermark,
        observations=observations,
        dropped=Dropped(stable=sequence),
        lost=2,
    )


def acknowledgement(revision: int, *, plane: str = "local-0", boot: str = "b1") -> Acknowledgement:
    return Acknowledgement(plane=plane, boot=boot, revision=revision)


def ids(store: Store, *, attempt: int = 1, since: float = 0.0, until: float = 1e9) -> list[str]:
    found = store.rows(task=TASK, attempt=attempt, since=since, until=until, score=None)
    return [row.observation.request_id for row in found]
