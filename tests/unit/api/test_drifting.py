"""A batch whose answers contradict a pin changes what is served before the next batch."""

from collections.abc import Iterator

import msgspec
import pytest

from changeover.exchange.observation import Observation
from changeover.ports.planes import ObservationBatch
from changeover.rollout.state import Phase
from changeover.rollout.world import DriftSeen, FingerprintSeen
from tests.unit.api.bench import T0, Bench, requests

OTHER = "gpt-4o-2024-08-06"


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        yield bench


def rows(bench: Bench, count: int = 20, **fields: object) -> tuple[Observation, ...]:
    sent = requests(count, attempt=1, permille=500, at=bench.clock.now(), worse=False)
    return tuple(msgspec.structs.replace(row, **fields) for row in sent)


def deliver(bench: Bench, sequence: int, sent: tuple[Observation, ...]) -> bool:
    batch = ObservationBatch(plane="p0", boot="b1", sequence=sequence, watermark_at=bench.clock.now(), observations=sent)
    reply = bench.post("/dp/observations", batch)
    assert reply.status_code == 200, reply.text
    return reply.json()["taken"]


def phase(bench: Bench) -> Phase:
    return bench.world.rollouts["email-1"].progress.phase


def test_the_first_contradicting_answer_of_a_candidate_takes_it_out_of_the_table(bench: Bench) -> None:
    bench.start()
    revision = bench.world.table_revision
    sent = tuple(msgspec.structs.replace(row, served_model=OTHER) if row.served == "new" else row for row in rows(bench))
    deliver(bench, 1, sent)
    assert phase(bench) is Phase.ROLLING_BACK
    table = bench.get(f"/dp/table?after={revision}").json()
    assert table["routes"]["email"]["candidate"] is None
    (drift,) = bench.get("/api/v1/status").json()["drifts"]
    assert (drift["deployment"], drift["found"], drift["expected"]) == ("new", OTHER, "gpt-4o-2024-11-20")


def test_a_drift_is_one_event_however_many_answers_and_batches_say_it(bench: Bench) -> None:
    for sequence in (1, 2, 3):
        deliver(bench, sequence, rows(bench, served="old", served_model=OTHER))
    assert [type(change.body) for change in bench.store.changes(after=1)] == [DriftSeen]
    owed = [command for _, command in bench.store.owed(100) if command.kind == "alert"]
    assert sorted(command.subject for command in owed) == ["chat", "email"]


def test_a_batch_that_was_taken_before_its_answer_was_lost_still_rolls_back(bench: Bench) -> None:
    bench.start()
    sent = rows(bench, served="new", served_model=OTHER)
    bench.store.take(ObservationBatch(plane="p0", boot="b1", sequence=1, watermark_at=T0, observations=sent), at=T0)
    assert phase(bench) is Phase.RUNNING
    assert deliver(bench, 1, sent) is False
    assert phase(bench) is Phase.ROLLING_BACK


def test_a_candidate_that_is_missing_is_rolled_back(bench: Bench) -> None:
    bench.start()
    deliver(bench, 1, rows(bench, assigned="new", served="old", error="missing", attempts=2))
    assert phase(bench) is Phase.ROLLING_BACK
    assert "missing at its provider" in bench.world.rollouts["email-1"].progress.reason


def test_a_fingerprint_is_an_event_and_moves_no_table(bench: Bench) -> None:
    deliver(bench, 1, rows(bench, served="old", fingerprint="fp_a"))
    deliver(bench, 2, rows(bench, served="old", fingerprint="fp_a"))
    assert [type(change.body) for change in bench.store.changes(after=1)] == [FingerprintSeen]
    assert bench.world.table_revision == 1
    assert [command for _, command in bench.store.owed(10) if command.kind == "alert"] == []


def test_events_of_drift_and_keys_can_be_asked_for_and_replayed(bench: Bench) -> None:
    deliver(bench, 1, rows(bench, served="old", served_model=OTHER, fingerprint="fp_a"))
    assert bench.post("/api/v1/keys", {"name": "app"}).status_code == 201
    events = bench.get("/api/v1/events?task=chat").json()["events"]
    assert [event["change"]["type"] for event in events] == ["seeded", "drift_seen", "fingerprint_seen", "key_created"]
    assert bench.store.verify() == []
