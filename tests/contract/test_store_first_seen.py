"""What every store promises about when units were first seen."""

import pytest

from changeover.ports.store import Store
from changeover.traffic.table import Side
from tests.contract.store_samples import TASK, batch, observation


def first_seen(store: Store, **asked: object) -> list[float] | None:
    question: dict[str, object] = {"task": TASK, "attempts": [0, 1], "since": 0.0, "until": 1e9, "most": 100, **asked}
    found = store.first_seen(**question)  # pyright: ignore[reportArgumentType]
    return None if found is None else list(found)


@pytest.fixture
def seen(store: Store) -> Store:
    """Requests 1 to 4 are two users', each twice; 5 and 6 are nobody's, under one name."""
    store.take(
        batch(
            1,
            observation(1, started_at=10.0, unit="anna", sticky=True),
            observation(2, started_at=40.0, unit="anna", sticky=True, attempt=0),
            observation(3, started_at=30.0, unit="ben", sticky=True, attempt=0),
            observation(4, started_at=20.0, unit="ben", sticky=True),
            observation(5, started_at=50.0, unit="anna", sticky=False),
            observation(6, started_at=60.0, unit="anna", sticky=False),
            observation(7, started_at=5.0, attempt=2),
            observation(8, started_at=6.0, task="contract-analysis"),
            observation(9, started_at=7.0, side=None),
            observation(10, started_at=8.0, forced=True),
            observation(11, started_at=70.0, side=Side.CANDIDATE, sticky=True, unit="cleo"),
        ),
        at=100.0,
    )
    return store


def test_a_sticky_unit_is_seen_once_and_every_other_request_is_its_own(seen: Store) -> None:
    assert first_seen(seen) == [10.0, 20.0, 50.0, 60.0, 70.0]


def test_a_window_begins_anew(seen: Store) -> None:
    assert first_seen(seen, since=25.0, until=70.0) == [30.0, 40.0, 50.0, 60.0]


def test_only_the_attempts_that_are_asked_for_count(seen: Store) -> None:
    assert first_seen(seen, attempts=[0]) == [30.0, 40.0]
    assert first_seen(seen, attempts=[7]) == []


def test_a_window_with_too_many_requests_is_refused(seen: Store) -> None:
    assert first_seen(seen, attempts=[0], most=1) is None
    assert first_seen(seen, attempts=[0], most=2) == [30.0, 40.0]
