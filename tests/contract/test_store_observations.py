"""What every store promises about observations, scores and data planes."""

import threading

import msgspec
import pytest

from changeover.evidence.score import Score
from changeover.exchange.observation import Outcome, Tokens
from changeover.ports.planes import Dropped, PlaneState
from changeover.ports.store import Store
from changeover.traffic.table import Side
from tests.contract.store_samples import TASK, Shelf, acknowledgement, batch, ids, observation


def scored(store: Store, name: str | None) -> list[float | None]:
    return [row.score for row in store.rows(task=TASK, attempt=1, since=0.0, until=1e9, score=name)]


def score(number: int, value: float, *, name: str = "rouge-l", scorer: str = "client") -> Score:
    return Score(request_id=f"req-{number:04}", name=name, value=value, scorer=scorer, received_at=1.0)


def test_an_observation_comes_back_as_it_was(store: Store) -> None:
    full = observation(1, sticky=True, tokens=Tokens(prompt=3), error="timeout ü", filtered=False, outcome=Outcome.LEFT, first_byte_ms=0.1)
    store.take(batch(1, full), at=1.0)
    (row,) = store.rows(task=TASK, attempt=1, since=0.0, until=1e9, score=None)
    assert row.observation == full
    assert row.score is None


def test_a_batch_is_taken_once(store: Store) -> None:
    assert store.take(batch(1, observation(1)), at=1.0)
    assert not store.take(batch(1, observation(2)), at=9.0)
    assert ids(store) == ["req-0001"]
    assert store.planes()[0].seen_at == 1.0


def test_a_sequence_below_the_last_taken_was_taken_before(store: Store) -> None:
    store.take(batch(3, observation(3)), at=1.0)
    assert not store.take(batch(2, observation(2)), at=2.0)
    assert store.take(batch(4, observation(4)), at=3.0)
    assert ids(store) == ["req-0003", "req-0004"]


def test_another_boot_and_another_plane_count_from_one_again(store: Store) -> None:
    assert store.take(batch(1, observation(1)), at=1.0)
    assert store.take(batch(1, observation(2), boot="b2"), at=2.0)
    assert store.take(batch(1, observation(3), plane="local-1"), at=3.0)
    assert ids(store) == ["req-0001", "req-0002", "req-0003"]


def test_a_late_batch_of_an_earlier_boot_is_taken_once_too(store: Store) -> None:
    store.take(batch(1, observation(1), boot="b1"), at=1.0)
    store.take(batch(1, observation(2), boot="b2"), at=2.0)
    assert store.take(batch(2, observation(3), boot="b1"), at=3.0)
    assert not store.take(batch(2, observation(4), boot="b1"), at=4.0)
    assert not store.take(batch(1, observation(5), boot="b2"), at=5.0)
    assert ids(store) == ["req-0001", "req-0002", "req-0003"]


def test_a_request_keeps_its_first_observation(store: Store) -> None:
    store.take(batch(1, observation(1, latency_ms=1.0), observation(1, latency_ms=2.0)), at=1.0)
    store.take(batch(2, observation(1, latency_ms=3.0), observation(2)), at=2.0)
    rows = store.rows(task=TASK, attempt=1, since=0.0, until=1e9, score=None)
    assert [row.observation.latency_ms for row in rows] == [1.0, 12.5]


def test_rows_are_the_assigned_unforced_requests_of_the_attempt_in_the_window(store: Store) -> None:
    store.take(
        batch(
            1,
            observation(9),
            observation(1),
            observation(2, side=None, outcome=Outcome.REFUSED),
            observation(3, forced=True),
            observation(4, attempt=2),
            observation(5, task="contract-analysis"),
            observation(6, task=None, side=None),
            observation(7, side=Side.CANDIDATE),
            observation(8, started_at=101.0),
        ),
        at=1.0,
    )
    assert ids(store) == ["req-0001", "req-0008", "req-0007", "req-0009"]
    assert ids(store, since=101.0, until=107.0) == ["req-0001", "req-0008"]
    assert ids(store, since=101.5, until=107.5) == ["req-0007"]
    assert ids(store, attempt=2) == ["req-0004"]


def test_the_first_rows_are_the_same_rows_and_no_more_than_asked_for(store: Store) -> None:
    store.take(batch(1, observation(3), observation(1), observation(2, forced=True), observation(4, attempt=2), observation(5)), at=1.0)

    def first(most: int, *, until: float = 1e9) -> list[str]:
        return [row.request_id for row in store.first_rows(task=TASK, attempt=1, since=0.0, until=until, most=most)]

    assert first(2) == ["req-0001", "req-0003"]
    assert first(9) == ids(store) == ["req-0001", "req-0003", "req-0005"]
    assert first(9, until=103.5) == ["req-0001", "req-0003"]
    assert first(0) == []


def test_a_score_may_come_before_its_observation(store: Store) -> None:
    assert store.add_scores([score(1, 0.5)]) == 1
    store.take(batch(1, observation(1), observation(2)), at=1.0)
    assert scored(store, "rouge-l") == [0.5, None]
    assert scored(store, None) == [None, None]


def test_the_first_value_of_a_scorer_stays(store: Store) -> None:
    assert store.add_scores([score(1, 0.5), score(1, 0.6)]) == 1
    assert store.add_scores([score(1, 0.7), score(2, 0.1)]) == 1
    store.take(batch(1, observation(1), observation(2)), at=1.0)
    assert scored(store, "rouge-l") == [0.5, 0.1]


def test_of_several_scorers_the_one_that_came_first_counts(store: Store) -> None:
    store.take(batch(1, observation(1)), at=1.0)
    assert store.add_scores([score(1, 0.3, scorer="zoe"), score(1, 0.9, scorer="anna"), score(1, 0.1, name="length")]) == 3
    assert scored(store, "rouge-l") == [0.3]
    assert scored(store, "length") == [0.1]
    assert scored(store, "judge") == [None]


def test_no_scores_are_no_work(store: Store) -> None:
    assert store.add_scores([]) == 0


def test_a_plane_is_known_by_its_first_word(store: Store) -> None:
    assert list(store.planes()) == []
    store.acknowledge(acknowledgement(7), at=3.0)
    assert list(store.planes()) == [PlaneState(plane="local-0", boot="b1", acknowledged_revision=7, seen_at=3.0, watermark_at=0.0)]


def test_batches_and_acknowledgements_add_up_to_a_planes_state(store: Store) -> None:
    store.acknowledge(acknowledgement(7), at=3.0)
    store.take(batch(1, watermark_at=4.5), at=5.0)
    assert list(store.planes()) == [
        PlaneState(
            plane="local-0",
            boot="b1",
            acknowledged_revision=7,
            seen_at=5.0,
            watermark_at=4.5,
            sequence=1,
            dropped=Dropped(stable=1),
            lost=2,
        )
    ]


def test_planes_come_by_name(store: Store) -> None:
    for plane in ("local-2", "local-0", "local-1"):
        store.acknowledge(acknowledgement(1, plane=plane), at=1.0)
    assert [plane.plane for plane in store.planes()] == ["local-0", "local-1", "local-2"]


def test_an_acknowledged_revision_only_grows_within_a_boot(store: Store) -> None:
    store.acknowledge(acknowledgement(7), at=1.0)
    store.acknowledge(acknowledgement(6), at=2.0)
    assert store.planes()[0].acknowledged_revision == 7


def test_a_new_boot_has_acknowledged_nothing(store: Store) -> None:
    store.acknowledge(acknowledgement(7), at=1.0)
    store.take(batch(1, boot="b2"), at=2.0)
    (plane,) = store.planes()
    assert (plane.boot, plane.acknowledged_revision, plane.sequence) == ("b2", 0, 1)


def test_a_late_word_of_an_earlier_boot_takes_nothing_from_the_present_one(store: Store) -> None:
    store.acknowledge(acknowledgement(7, boot="b1"), at=1.0)
    store.acknowledge(acknowledgement(8, boot="b2"), at=2.0)
    store.take(batch(1, boot="b1", watermark_at=50.0), at=3.0)
    assert store.planes()[0].acknowledged_revision == 7
    store.take(batch(1, boot="b2", watermark_at=60.0), at=4.0)
    assert store.planes()[0].acknowledged_revision == 8


def test_a_planes_watermark_never_falls(store: Store) -> None:
    store.take(batch(1, watermark_at=50.0), at=1.0)
    store.take(batch(1, boot="b2", watermark_at=40.0), at=2.0)
    store.acknowledge(acknowledgement(1, boot="b3"), at=3.0)
    assert [plane.watermark_at for plane in store.planes()] == [50.0]
    store.take(batch(2, boot="b2", watermark_at=60.0), at=4.0)
    assert [plane.watermark_at for plane in store.planes()] == [60.0]


def test_the_same_batches_from_two_threads_are_taken_once(shelf: Shelf) -> None:
    stores = [shelf.open(), shelf.open()]
    taken: list[bool] = []
    batches = [batch(number, observation(number)) for number in range(1, 21)]

    def deliver(store: Store) -> None:
        taken.extend(store.take(item, at=1.0) for item in batches)

    threads = [threading.Thread(target=deliver, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ids(stores[0]) == [item.observations[0].request_id for item in batches]
    assert sum(taken) == 20


@pytest.mark.parametrize("unit", ["", "unit with \x00 in it", "Ünïcode 你好 \N{PILE OF POO}", "'; DROP TABLE observations; --"])
def test_any_text_comes_back_as_it_was(store: Store, unit: str) -> None:
    odd = msgspec.structs.replace(observation(1), unit=unit, error=unit)
    store.take(batch(1, odd), at=1.0)
    assert store.rows(task=TASK, attempt=1, since=0.0, until=1e9, score=unit)[0].observation == odd


def test_the_tasks_of_requests_are_told_where_they_were_observed(store: Store) -> None:
    store.take(batch(1, observation(1), observation(2, task=None), observation(3, task="other")), at=1.0)
    asked = ["req-0001", "req-0002", "req-0003", "never", *(f"x-{number}" for number in range(5000))]
    assert store.tasks_of(asked) == {"req-0001": TASK, "req-0003": "other"}
    assert store.tasks_of([]) == {}
