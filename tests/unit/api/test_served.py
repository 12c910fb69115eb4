"""The stable by served version, over HTTP."""

from collections.abc import Iterator

import pytest

from changeover.api.served import ROWS_PER_SLICE, SLICES
from changeover.api.served_answers import NOT_RANDOMISED, ServedAnswer
from changeover.exchange.observation import Observation, Outcome
from changeover.ports.planes import ObservationBatch
from changeover.traffic.table import Side
from tests.unit.api.bench import T0, Bench

HOUR_S = 3600.0
OLD, NEW = "gpt-4o-2024-05-13", "gpt-4o-2024-11-20"


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        yield bench


def answered(number: int, model: str, *, at: float, **fields: object) -> Observation:
    values: dict[str, object] = {
        "request_id": f"r{number}-{at}",
        "started_at": at,
        "outcome": Outcome.ANSWERED,
        "revision": 1,
        "latency_ms": 100.0 if model == OLD else 200.0,
        "task": "email",
        "side": Side.STABLE,
        "assigned": "old",
        "served": "old",
        "served_model": model,
    }
    return Observation(**{**values, **fields})  # pyright: ignore[reportArgumentType]


def store(bench: Bench, *rows: Observation, sequence: int = 1) -> None:
    sent = ObservationBatch(plane="p0", boot="b1", sequence=sequence, watermark_at=T0, observations=rows)
    assert bench.post("/dp/observations", sent).json() == {"taken": True}


def ask(bench: Bench, query: str = "") -> ServedAnswer:
    return bench.ask(f"/api/v1/tasks/email/served{query}", ServedAnswer)


def test_a_stable_that_changed_under_its_name_shows_before_and_after(bench: Bench) -> None:
    before = [answered(number, OLD, at=T0 - 2 * HOUR_S + number) for number in range(5)]
    after = [answered(number, NEW, at=T0 - HOUR_S + number) for number in range(3)]
    store(bench, *before, *after)
    found = ask(bench)
    assert [(one.model, one.requests, one.contradicts) for one in found.versions] == [(OLD, 5, False), (NEW, 3, True)]
    assert [round(one.latency_ms_p50 or 0, -1) for one in found.versions] == [100, 200]
    assert (found.versions[1].first_seen_at, found.versions[1].last_seen_at) == (T0 - HOUR_S, T0 - HOUR_S + 2)
    assert (found.read, found.sampled, found.note, found.stable) == (8, False, NOT_RANDOMISED, ("old",))
    assert [drift.found for drift in found.drifts] == [NEW]


def test_only_the_stable_side_of_this_task_in_this_time_is_read(bench: Bench) -> None:
    store(
        bench,
        answered(1, OLD, at=T0 - 60),
        answered(2, NEW, at=T0 - 60, side=Side.CANDIDATE, assigned="new", served="new"),
        answered(3, OLD, at=T0 - 60, forced=True),
        answered(4, OLD, at=T0 - 60, task="chat"),
        answered(5, OLD, at=T0 - 60, assigned="other", served="other"),
        answered(6, OLD, at=T0 - 8 * 24 * HOUR_S),
    )
    assert ask(bench).read == 1
    assert ask(bench, f"?last={9 * 24 * HOUR_S}").read == 2
    assert ask(bench, f"?since={T0 - 9 * 24 * HOUR_S}&until={T0 - 7 * 24 * HOUR_S}").read == 1


def test_requests_of_a_rollout_count_too(bench: Bench) -> None:
    bench.post("/api/v1/tasks/email/split", {"weights": {"old": 90, "new": 10}})
    store(bench, answered(1, OLD, at=T0 - 60), answered(2, OLD, at=T0 - 50, attempt=1, candidate_probability=0.1))
    assert ask(bench).read == 2


def test_of_very_many_requests_a_sample_is_read_evenly_and_said_to_be_one(bench: Bench) -> None:
    slice_s = 7 * 24 * HOUR_S / SLICES
    store(bench, *(answered(number, OLD, at=T0 - slice_s / 2 + number / 1e3) for number in range(ROWS_PER_SLICE + 200)))
    store(bench, answered(0, OLD, at=T0 - 30 * slice_s), sequence=2)
    found = ask(bench)
    assert (found.read, found.sampled) == (ROWS_PER_SLICE + 1, True)


def test_nothing_served_is_an_empty_answer(bench: Bench) -> None:
    found = ask(bench)
    assert (found.versions, found.read, found.sampled) == ((), 0, False)


@pytest.mark.parametrize("query", ["?since=yesterday", "?since=nan", "?last=-3", f"?since={T0 + 5}", "?since=0", "?until=inf"])
def test_a_time_that_cannot_be_meant_is_refused(bench: Bench, query: str) -> None:
    reply = bench.get(f"/api/v1/tasks/email/served{query}")
    assert reply.status_code == 400
    assert "expected" in reply.json()["error"]["message"]


def test_a_task_that_is_not_there_is_named(bench: Bench) -> None:
    assert bench.get("/api/v1/tasks/nope/served").status_code == 404
