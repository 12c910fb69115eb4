"""Observations get their cost when they arrive."""

from collections.abc import Iterator

import msgspec
import pytest

from changeover.adapters.prices import MemoryPrices
from changeover.api.app import build_app
from changeover.api.pricing import priced
from changeover.exchange.observation import Observation, Outcome, Tokens
from changeover.ports.planes import ObservationBatch
from changeover.versions import Account, Deployment, ModelVersion, SecretReference
from changeover.versions.prices import Price, Rates
from tests.unit.api.bench import T0, Bench, requests

ACCOUNTS = {"acc": Account(name="acc", kind="azure-openai", endpoint="https://acc.example", auth=SecretReference(source="none"))}
DEPLOYMENTS = {
    name: Deployment(name=name, account=of, model=ModelVersion(name="gpt-4o", version="2024-11-20"))
    for name, of in (("old", "acc"), ("new", "acc"), ("lost", "nowhere"))
}


def line(rate: float, *, since: float | None = None) -> Price:
    return Price(
        provider="azure",
        model="gpt-4o",
        version="2024-11-20",
        valid_from_at=since,
        rates=Rates(input=rate, output=4 * rate),
        source="told",
    )


BOOK = MemoryPrices({"old": [line(2.0), line(1.0, since=100.0)], "lost": [line(2.0)]})
USED = Tokens(prompt=1000, completion=100)


def one(served: str | None, *, tokens: Tokens | None = USED, at: float = 50.0) -> Observation:
    return Observation(
        request_id="r", started_at=at, outcome=Outcome.ANSWERED, revision=1, latency_ms=1, assigned="new", served=served, tokens=tokens
    )


def cost(row: Observation) -> tuple[float | None, str | None]:
    batch = ObservationBatch(plane="p", boot="b", sequence=1, watermark_at=0.0, observations=(row,))
    found = priced(batch, deployments=DEPLOYMENTS, accounts=ACCOUNTS, book=BOOK)
    assert msgspec.structs.replace(found, observations=()) == msgspec.structs.replace(batch, observations=())
    (after,) = found.observations
    assert msgspec.structs.replace(after, cost_usd=None, price=None) == msgspec.structs.replace(row, cost_usd=None, price=None)
    return after.cost_usd, after.price


def test_the_deployment_that_served_is_paid_and_its_price_is_kept():
    assert cost(one("old")) == (pytest.approx(0.0028), "azure gpt-4o 2024-11-20 global standard 2/-/8 USD/M; told")


def test_the_price_of_the_requests_own_date_is_used():
    assert cost(one("old", at=100.0)) == (pytest.approx(0.0014), "azure gpt-4o 2024-11-20 global standard 1/-/4 USD/M; told")


@pytest.mark.parametrize(
    "row",
    [one(None), one("new"), one("lost"), one("unheard-of"), one("old", tokens=None), one("old", tokens=Tokens(prompt=5))],
    ids=["no answer", "no price", "no account", "no deployment", "no usage", "no output count"],
)
def test_what_is_not_known_stays_unknown(row):
    assert cost(row) == (None, None)


def test_a_cost_that_a_data_plane_made_up_is_replaced():
    assert cost(msgspec.structs.replace(one("new"), cost_usd=9.0, price="mine")) == (None, None)
    assert cost(msgspec.structs.replace(one("old"), cost_usd=9.0, price="mine"))[0] == pytest.approx(0.0028)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        yield bench


def test_a_batch_is_stored_with_its_costs(bench):
    bench.app.state.desk = build_app(
        office=bench.office,
        assessor=bench.assessor,
        clock=bench.clock,
        dice=bench.app.state.desk.dice,
        declared=bench.app.state.desk.declared,
        gateway_url=lambda: None,
        prices=BOOK,
    ).state.desk
    sent = [msgspec.structs.replace(row, tokens=USED) for row in requests(40, attempt=1, permille=500, at=T0, worse=False)]
    batch = ObservationBatch(plane="p0", boot="b1", sequence=1, watermark_at=T0, observations=tuple(sent))
    assert bench.post("/dp/observations", batch).json() == {"taken": True}
    stored = [row.observation for row in bench.store.rows(task="email", attempt=1, since=T0, until=T0 + 1, score=None)]
    assert {(row.served, row.cost_usd is None) for row in stored} == {("old", False), ("new", True)}
