"""Who made a response, as a data plane asks for it."""

from collections.abc import Iterator

import msgspec
import pytest

from changeover.exchange.issuer import hash_response
from changeover.exchange.observation import Observation, Outcome
from changeover.ports.planes import Issuer, ObservationBatch
from tests.unit.api.bench import T0, Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        yield bench


def test_who_made_a_response_is_told_and_what_nobody_knows_is_an_empty_answer(bench: Bench) -> None:
    made = hash_response("resp_1")
    seen = Observation(
        request_id="r1", started_at=T0, outcome=Outcome.ANSWERED, revision=1, latency_ms=1.0, task="email", served="old", response=made
    )
    body = msgspec.to_builtins(ObservationBatch(plane="p", boot="b", sequence=1, watermark_at=T0, observations=(seen,)))
    assert bench.post("/dp/observations", body).status_code == 200
    found = bench.get(f"/dp/issuer?response={made}")
    assert msgspec.json.decode(found.content, type=Issuer) == Issuer(task="email", deployment="old")
    unknown = bench.get(f"/dp/issuer?response={hash_response('resp_2')}")
    assert (unknown.status_code, unknown.content) == (204, b"")


@pytest.mark.parametrize("response", ["", "resp_1", "A" * 32, "0" * 33])
def test_what_is_no_hash_is_refused(bench: Bench, response: str) -> None:
    assert bench.get(f"/dp/issuer?response={response}").status_code == 400
