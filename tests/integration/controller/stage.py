"""A control plane without processes: the real controller, office and assessor over the shipped memory store, time by hand."""

import random
from collections.abc import Sequence

from changeover.adapters.memory import HandClock, MemoryStore
from changeover.controller.assessor import StoreAssessor
from changeover.controller.loop import Controller
from changeover.controller.office import StoreOffice
from changeover.evidence.score import Score
from changeover.exchange.observation import Observation, Outcome
from changeover.gates.criteria import Criteria, ErrorsCriterion, EvidenceRules, QualityCriterion
from changeover.ports.planes import Acknowledgement, ObservationBatch
from changeover.ports.store import Store
from changeover.rollout.commands import Order, RolloutRequest, seed, start_rollout
from changeover.rollout.plan import AnalysisStep, Plan, WeightStep
from changeover.rollout.state import Rollout
from changeover.rollout.world import TaskState, routing_table
from changeover.traffic.assignment import assign, hash_unit
from changeover.traffic.table import Side
from changeover.versions import Account, Deployment, ModelVersion, SecretReference

ACCOUNT = Account(name="aoai", kind="azure-openai", endpoint="https://aoai.example", auth=SecretReference(source="none"))
OLD, NEW = (
    Deployment(name=name, account="aoai", model=ModelVersion(name="gpt-4o", version=version))
    for name, version in (("old", "2024-05-13"), ("new", "2024-11-20"))
)
TASK = "mail"
PLANE = "plane-0"
BLOCK_S = 10.0
STEPS = (
    WeightStep(permille=100),
    AnalysisStep(require="no_harm"),
    WeightStep(permille=500),
    AnalysisStep(require="pass"),
    WeightStep(permille=1000),
)


def plan(*, score_timeout_s: float = 5.0, quality: bool = True) -> Plan:
    return Plan(
        steps=STEPS,
        criteria=Criteria(
            quality=QualityCriterion(score="rouge-l", scale_low=0, scale_high=1, margin=0.02) if quality else None,
            errors=ErrorsCriterion(max_ratio=1.5, margin_points=2),
        ),
        evidence=EvidenceRules(block_s=BLOCK_S, blocks_min=3, score_timeout_s=score_timeout_s),
    )


class Stage:
    """One task, one data plane played by hand, a controller. ``serve`` lets a block of time pass with traffic."""

    def __init__(self, store: Store, *, rng_seed: int = 7, tasks: Sequence[str] = (TASK,)) -> None:
        self.store = store
        self.clock = HandClock(1_000_000.0)
        self.dice = random.Random(rng_seed)
        self.sequence = 0
        self.requests = 0
        store.commit(
            lambda world: seed(
                world,
                accounts=[ACCOUNT],
                deployments=[OLD, NEW],
                tasks=[TaskState(name=name, stable="old") for name in tasks],
                actor="test",
                reason="first",
            ),
            at=self.clock.now(),
        )
        self.restart()
        self.acknowledge()
        self.report([])

    def restart(self) -> None:
        """A new controller over the same store, as after a crash."""
        self.office = StoreOffice(self.store, self.clock)
        self.assessor = StoreAssessor(self.office, self.clock)
        self.controller = Controller(self.office, self.assessor, self.clock)

    def begin(self, rollout_plan: Plan | None = None, *, identity: str = "r1") -> None:
        request = RolloutRequest(task=TASK, candidate="new", plan=rollout_plan or plan(), id=identity, salt=f"salt-{identity}")
        self.store.commit(
            lambda world: start_rollout(world, request, order=Order(actor="test", reason="try"), now=self.clock.now()), at=self.clock.now()
        )

    @property
    def rollout(self) -> Rollout:
        return max(self.store.world().rollouts.values(), key=lambda each: each.attempt)

    @property
    def permille(self) -> int:
        return routing_table(self.store.world()).routes[TASK].candidate_permille

    def acknowledge(self) -> None:
        revision = self.store.world().table_revision
        self.store.acknowledge(Acknowledgement(plane=PLANE, boot="b", revision=revision), at=self.clock.now())

    def report(self, observations: Sequence[Observation], *, watermark_at: float | None = None) -> None:
        self.sequence += 1
        batch = ObservationBatch(
            plane=PLANE,
            boot="b",
            sequence=self.sequence,
            watermark_at=self.clock.now() if watermark_at is None else watermark_at,
            observations=tuple(observations),
        )
        self.store.take(batch, at=self.clock.now())

    async def serve(
        self,
        *,
        requests: int = 400,
        quality: tuple[float, float] = (0.6, 0.6),
        errors: tuple[float, float] = (0.0, 0.0),
        scored: bool = True,
    ) -> None:
        """One block of traffic at the table's weights, acknowledged and scored, and then a few looks of the controller."""
        self.acknowledge()
        seen = [self._request(self.clock.now() + BLOCK_S * number / requests, errors) for number in range(requests)]
        self.clock.advance(BLOCK_S)
        self.report(seen)
        if scored:
            self.store.add_scores([self._score(row, quality) for row in seen if not row.is_error])
        for _ in range(4):
            await self.controller.tick()

    def _request(self, at: float, errors: tuple[float, float]) -> Observation:
        self.requests += 1
        identity = f"req-{self.requests}"
        unit = self._unit()
        route = routing_table(self.store.world()).routes[TASK]
        drawn = assign(route, unit or identity)
        failed = self.dice.random() < errors[drawn.side is Side.CANDIDATE]
        return Observation(
            request_id=identity,
            started_at=at,
            outcome=Outcome.FAILED if failed else Outcome.ANSWERED,
            revision=1,
            latency_ms=10.0,
            task=TASK,
            attempt=route.attempt,
            unit=hash_unit(route.salt, unit or identity),
            sticky=unit is not None,
            side=drawn.side,
            candidate_probability=drawn.candidate_probability,
            assigned=drawn.deployment,
            served=None if failed else drawn.deployment,
            status=503 if failed else 200,
            attempts=1,
        )

    def _unit(self) -> str | None:
        """Who asks, ``None`` for nobody in particular."""
        return None

    def _score(self, row: Observation, quality: tuple[float, float]) -> Score:
        mean = quality[row.side is Side.CANDIDATE]
        value = min(1.0, max(0.0, self.dice.gauss(mean, 0.1)))
        return Score(request_id=row.request_id, name="rouge-l", value=value, received_at=self.clock.now())


def memory_stage() -> Stage:
    return Stage(MemoryStore())
