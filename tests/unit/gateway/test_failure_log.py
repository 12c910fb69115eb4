"""A failing deployment shows in the log at once, and does not flood it."""

import logging

import pytest

from changeover.exchange.observation import Observation, Outcome
from changeover.gateway.failure_log import FailureLog
from changeover.traffic.table import Side


def seen(outcome: Outcome, *, error: str | None = None, status: int | None = None, assigned: str | None = "new") -> Observation:
    return Observation(
        request_id="r",
        started_at=0.0,
        outcome=outcome,
        revision=1,
        latency_ms=1.0,
        task="mail",
        side=Side.CANDIDATE,
        assigned=assigned,
        error=error,
        status=status,
    )


def told(log: FailureLog, caplog: pytest.LogCaptureFixture, *, now: float) -> list[str]:
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        log.tell(now)
    return [record.getMessage() for record in caplog.records]


def test_the_first_failure_is_told_at_once_and_the_next_ones_together(caplog: pytest.LogCaptureFixture) -> None:
    log = FailureLog()
    log.note(seen(Outcome.FAILED, error="connect_failed"))
    assert told(log, caplog, now=0.0) == ["1 requests failed at new: connect_failed (task mail)"]
    for _ in range(500):
        log.note(seen(Outcome.FAILED, error="connect_failed"))
    assert told(log, caplog, now=9.0) == []
    assert told(log, caplog, now=10.0) == ["500 requests failed at new: connect_failed (task mail)"]
    assert told(log, caplog, now=30.0) == []


def test_kinds_are_told_apart(caplog: pytest.LogCaptureFixture) -> None:
    log = FailureLog()
    log.note(seen(Outcome.FAILED, status=503))
    log.note(seen(Outcome.REJECTED, status=401))
    assert len(told(log, caplog, now=0.0)) == 2


def test_answers_callers_who_left_and_our_own_refusals_are_not_told(caplog: pytest.LogCaptureFixture) -> None:
    log = FailureLog()
    for outcome in (Outcome.ANSWERED, Outcome.LEFT, Outcome.ABANDONED):
        log.note(seen(outcome))
    log.note(seen(Outcome.REFUSED, assigned=None))
    assert told(log, caplog, now=0.0) == []


def test_endless_kinds_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    log = FailureLog()
    for number in range(5000):
        log.note(seen(Outcome.FAILED, error=f"kind-{number}"))
    assert len(told(log, caplog, now=0.0)) == 1001
