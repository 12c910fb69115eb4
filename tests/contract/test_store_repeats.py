"""An SDK's repetition is no new unit: neither where units are counted nor where they are enrolled."""

from changeover.controller.enrolment import enrolled
from changeover.exchange.observation import Outcome
from changeover.ports.store import Store
from tests.contract.store_samples import TASK, batch, observation

FIRST = observation(1, unit="u", outcome=Outcome.FAILED, served=None)
AGAIN = observation(2, unit="u", retry=True)
OTHER = observation(3, unit="v")


def test_a_repetition_is_not_counted_among_new_units(store: Store) -> None:
    store.take(batch(1, FIRST, AGAIN, OTHER), at=1.0)
    seen = store.first_seen(task=TASK, attempts=[1], since=0.0, until=1e9, most=100)
    assert seen == [FIRST.started_at, OTHER.started_at]


def test_a_repetition_is_shown_and_not_enrolled_also_in_another_block_than_its_first_try(store: Store) -> None:
    first = enrolled(store, [(FIRST, None)], rollout="r", stream="outcomes")
    later = enrolled(store, [(AGAIN, None), (OTHER, None)], rollout="r", stream="outcomes")
    assert [row.request_id for row, _ in first.rows] == [FIRST.request_id]
    assert [row.request_id for row, _ in later.rows] == [OTHER.request_id]
    assert [row.request_id for row, _ in later.later] == [AGAIN.request_id]
