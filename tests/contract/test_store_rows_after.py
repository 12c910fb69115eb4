"""What every store promises about reading an attempt's requests page by page, and one request by its id."""

import pytest

from changeover.ports.store import Mark, Store, mark_of
from changeover.traffic.table import Side
from tests.contract.store_samples import TASK, batch, observation

START = Mark(0.0, "")


@pytest.fixture
def reported(store: Store) -> Store:
    """Requests 3, 1 and 2 of attempt 1 began in this order, 4 and 5 at the same moment; the rest is others'."""
    store.take(
        batch(
            1,
            observation(1, started_at=20.0),
            observation(2, started_at=30.0, forced=True, side=Side.CANDIDATE),
            observation(3, started_at=10.0, side=None),
            observation(5, started_at=40.0),
            observation(4, started_at=40.0),
            observation(6, attempt=2),
            observation(7, task="contract-analysis"),
        ),
        at=100.0,
    )
    return store


def pages(store: Store, *, most: int, after: Mark = START) -> list[list[str]]:
    found: list[list[str]] = []
    while page := store.rows_after(task=TASK, attempt=1, after=after, most=most):
        found.append([row.request_id for row in page])
        after = mark_of(page[-1])
    return found


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_pages_hold_every_request_of_the_attempt_once_and_in_order(reported: Store, most: int) -> None:
    found = pages(reported, most=most)
    assert [identity for page in found for identity in page] == ["req-0003", "req-0001", "req-0002", "req-0004", "req-0005"]
    assert all(len(page) == most for page in found[:-1])


def test_a_page_goes_on_between_two_that_began_at_the_same_moment(reported: Store) -> None:
    assert pages(reported, most=9, after=Mark(40.0, "req-0004")) == [["req-0005"]]
    assert pages(reported, most=9, after=Mark(40.0, "req-0005")) == []


def test_what_comes_late_is_found_by_whoever_has_not_passed_it(reported: Store) -> None:
    reported.take(batch(2, observation(8, started_at=35.0)), at=101.0)
    assert pages(reported, most=9, after=Mark(30.0, "req-0002")) == [["req-0008", "req-0004", "req-0005"]]


def test_a_request_is_found_by_its_id_with_all_that_was_reported(reported: Store) -> None:
    found = reported.observation("req-0002")
    assert found == observation(2, started_at=30.0, forced=True, side=Side.CANDIDATE)
    assert reported.observation("req-0099") is None
