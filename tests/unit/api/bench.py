"""A control plane without a network: the app over the store in memory, with a clock moved by hand."""

import asyncio
from collections.abc import Sequence
from random import Random
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2
import msgspec
from starlette.applications import Starlette

from changeover.adapters.memory import CountingMint, HandClock, MemoryStore, SeededDice
from changeover.api.app import build_app
from changeover.controller.assessor import StoreAssessor
from changeover.controller.loop import Controller
from changeover.controller.office import StoreOffice
from changeover.exchange.observation import Observation, Outcome
from changeover.ports.planes import Acknowledgement, ObservationBatch
from changeover.rollout.commands import seed
from changeover.rollout.world import World
from changeover.settings.declared import Declared
from changeover.settings.file import parse
from changeover.settings.plans import task_states
from changeover.traffic.table import Side

T = TypeVar("T")

CONFIG = """\
version: 1
accounts:
  acc: {kind: azure-openai, endpoint: https://acc.openai.azure.com}
deployments:
  old: {model: gpt-4o, version: "2024-05-13"}
  new: {model: gpt-4o, version: "2024-11-20"}
  other: {model: gpt-4o-mini, version: "2024-07-18"}
tasks:
  email:
    stable: old
    criteria:
      preset: none
      quality: {source: scores/rating, margin: 0.02, scale: [0, 1]}
      errors: {max_ratio: 1.5, margin_pp: 2}
  chat: {stable: old}
evidence: {block: 10s, min_blocks: 2, score_timeout: {client: 5s}}
"""
GATEWAY = "http://127.0.0.1:8400"
TOKEN = "0123456789abcdef0123456789abcdef"
T0 = 1_700_000_000.0


def seed_store(store: MemoryStore, declared: Declared, *, at: float) -> None:
    store.commit(
        lambda world: seed(
            world,
            accounts=declared.accounts.values(),
            deployments=declared.deployments.values(),
            tasks=task_states(declared),
            actor="serve",
            reason="first start",
        ),
        at=at,
    )


class Bench:
    """The app with everything behind it. Calls return the response; time stands still between them."""

    def __init__(
        self, *, token: str | None = None, planes: bool = True, host: str = "localhost", headers: dict[str, str] | None = None
    ) -> None:
        self.config = CONFIG
        self.clock = HandClock(T0)
        self.store = MemoryStore()
        self.mint = CountingMint()
        seed_store(self.store, parse(CONFIG), at=T0)
        self._runner = asyncio.Runner()
        self.office = self._runner.run(self._open_office())
        self.assessor = StoreAssessor(self.office, self.clock)
        self.app = self.build(token=token, planes=planes)
        transport = httpx2.ASGITransport(self.app, raise_app_exceptions=False)
        self._client = httpx2.AsyncClient(transport=transport, base_url=f"http://{host}", headers=headers)

    def build(self, *, token: str | None = None, planes: bool = True) -> Starlette:
        return build_app(
            office=self.office,
            assessor=self.assessor,
            clock=self.clock,
            dice=SeededDice(1),
            declared=lambda: parse(self.config),
            gateway_url=lambda: GATEWAY,
            token=token,
            planes=planes,
            mint=self.mint,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._runner.run(self._client.aclose())
        self._runner.run(self.office.close())
        self._runner.close()

    async def _open_office(self) -> StoreOffice:
        return StoreOffice(self.store, self.clock)

    def run(self, coroutine: Any) -> Any:
        return self._runner.run(coroutine)

    def get(self, path: str, **headers: str) -> httpx2.Response:
        return self.run(self._client.get(path, headers=headers))

    def post(self, path: str, body: object = None, **headers: str) -> httpx2.Response:
        """Post ``body`` as JSON."""
        return self.post_bytes(path, msgspec.json.encode({} if body is None else body), "application/json", **headers)

    def delete(self, path: str, **headers: str) -> httpx2.Response:
        return self.run(self._client.delete(path, headers=headers))

    def post_bytes(self, path: str, body: bytes, media: str, **headers: str) -> httpx2.Response:
        return self.run(self._client.post(path, content=body, headers={"content-type": media, **headers}))

    def ask(self, path: str, kind: type[T]) -> T:
        """The answer to a GET that must succeed."""
        reply = self.get(path)
        assert reply.status_code == 200, reply.text
        return msgspec.json.decode(reply.content, type=kind)

    @property
    def world(self) -> World:
        return self.store.world()

    def acknowledge(self, plane: str = "p0", revision: int | None = None) -> None:
        sent = Acknowledgement(plane=plane, boot="b1", revision=self.world.table_revision if revision is None else revision)
        assert self.post("/dp/ack", sent).status_code == 200

    def tick(self) -> None:
        """One look of the controller."""
        self.run(Controller(self.office, self.assessor, self.clock).tick())

    def start(self, candidate: str = "new") -> dict[str, Any]:
        reply = self.post("/api/v1/rollouts", {"task": "email", "candidate": candidate, "without": [], "reason": "try it"})
        assert reply.status_code == 201, reply.text
        return reply.json()

    def serve(self, count: int, *, sequence: int, worse: bool = False) -> list[Observation]:
        """``count`` answered requests of the present attempt within one block, as one batch of one data plane, then the
        time at which that block is over. The worse candidate fails every second request.
        """
        attempt = self.world.tasks["email"].attempts
        progress = self.world.rollouts[str(self.world.tasks["email"].rollout)].progress
        sent = requests(count, attempt=attempt, permille=progress.permille, at=self.clock.now(), worse=worse)
        self.clock.advance(10)
        batch = ObservationBatch(plane="p0", boot="b1", sequence=sequence, watermark_at=self.clock.now(), observations=tuple(sent))
        assert self.post("/dp/observations", batch).json() == {"taken": True}
        return sent


def requests(count: int, *, attempt: int, permille: int, at: float, worse: bool) -> list[Observation]:
    dice = Random(attempt)
    return [
        _request(number, attempt=attempt, p=permille / 1000, at=at, is_candidate=dice.random() < permille / 1000, worse=worse)
        for number in range(count)
    ]


def _request(number: int, *, attempt: int, p: float, at: float, is_candidate: bool, worse: bool) -> Observation:
    failed = worse and is_candidate and number % 2 == 0
    assigned = "new" if is_candidate else "old"
    return Observation(
        request_id=f"r{attempt}-{at:.0f}-{number}",
        started_at=at + number / 1e4,
        outcome=Outcome.FAILED if failed else Outcome.ANSWERED,
        revision=1,
        latency_ms=5,
        task="email",
        attempt=attempt,
        unit=f"u{at:.0f}-{number}",
        side=Side.CANDIDATE if is_candidate else Side.STABLE,
        candidate_probability=p,
        assigned=assigned,
        served=None if failed else assigned,
    )


def scores_for(observations: Sequence[Observation], *, stable: float, candidate: float) -> list[dict[str, object]]:
    return [
        {"request_id": each.request_id, "name": "rating", "value": candidate if each.side is Side.CANDIDATE else stable}
        for each in observations
        if each.outcome is Outcome.ANSWERED
    ]
