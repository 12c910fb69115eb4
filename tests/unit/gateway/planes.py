"""A data plane's reporting side on a hand-moved clock and an in-memory link. No test runs here."""

from collections.abc import Iterable

from changeover.adapters.memory import HandClock
from changeover.adapters.memory_link import MemoryCrashLedger, MemoryPlaneLink, MemorySpool
from changeover.exchange.observation import Observation, Outcome
from changeover.gateway.reporter import Reporter
from changeover.ports.planes import ObservationBatch
from changeover.traffic.table import Route, RoutingTable, Side
from changeover.versions import Account, Deployment, ModelVersion, SecretReference

START = 1_700_000_000.0


def observation(request_id: str, *, side: Side | None = Side.STABLE, started_at: float = START) -> Observation:
    return Observation(request_id=request_id, started_at=started_at, outcome=Outcome.ANSWERED, revision=1, latency_ms=5.0, side=side)


def table(revision: int, *, stable: str = "old") -> RoutingTable:
    account = Account(name="aoai", kind="azure-openai", endpoint="https://aoai.example", auth=SecretReference(source="none"))
    old = Deployment(name="old", account="aoai", model=ModelVersion(name="gpt-4o", version="2024-11-20"))
    return RoutingTable(
        revision=revision, routes={"mail": Route(task="mail", stable=stable)}, deployments={"old": old}, accounts={"aoai": account}
    )


class ReportingPlane:
    """A reporter with its surroundings; ``restart`` gives the next boot on the same disk."""

    def __init__(self, *, boot: str = "b1", spool: MemorySpool | None = None, ledger: MemoryCrashLedger | None = None) -> None:
        self.clock = HandClock(START)
        self.link = MemoryPlaneLink()
        self.spool = spool or MemorySpool()
        self.ledger = ledger or MemoryCrashLedger()
        self.reporter = Reporter(plane="p", boot=boot, link=self.link, spool=self.spool, ledger=self.ledger, clock=self.clock)

    def restart(self) -> "ReportingPlane":
        return ReportingPlane(boot="b2", spool=self.spool, ledger=self.ledger.next_boot())

    def serve(self, request_ids: Iterable[str], *, side: Side | None = Side.STABLE) -> None:
        for request_id in request_ids:
            self.reporter.begin(request_id, self.clock.now())
            if side is not None:
                self.reporter.assigned(request_id, side)
            self.reporter.record(observation(request_id, side=side, started_at=self.clock.now()))

    async def flush_all(self) -> None:
        sent = len(self.batches)
        while await self.reporter.flush() or len(self.batches) != sent:
            sent = len(self.batches)

    @property
    def batches(self) -> list[ObservationBatch]:
        return self.link.batches

    @property
    def delivered(self) -> list[str]:
        return [seen.request_id for batch in self.batches for seen in batch.observations]
